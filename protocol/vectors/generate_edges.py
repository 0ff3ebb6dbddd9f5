"""Write the vectors of signed requests and of schemas: ``request/`` and ``schema/``.

Does not import the implementation: the formats are written out here a second time, from
``relay-http.md`` and ``schemas.md``. ``python protocol/vectors/generate_edges.py`` writes the
files, ``--check`` compares with what lies there. One file is one scenario: ``what`` says it,
``expect`` is ``accepted`` or names what must refuse it, and everything before that accepts. Bytes
are lower-case hex.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from pathlib import Path

import msgpack
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HERE = Path(__file__).resolve().parent

# -- signed requests (relay-http.md) -------------------------------------------------------------

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
NOW_S = 1_767_225_600
PATH = "/v1/networks/" + "ab" * 32 + "/sync"
COMPONENTS = '("@method" "@authority" "@path" "content-digest" "casesync-counter")'


def b64(data):
    return base64.b64encode(data).decode()


def digest_of(body):
    return f"sha-256=:{b64(hashlib.sha256(body).digest())}:"


def request(what, expect, **changed):
    """A signed request; ``signed`` parts go into the signature, ``sent`` ones into the headers."""
    plain = {
        "method": "POST",
        "authority": "relay.example",
        "path": PATH,
        "body": b"\x81\x00\x01",
        "device": 3,
        "counter": "7",
        "created": str(NOW_S),
        "components": COMPONENTS,
        "tail": ';alg="ed25519";tag="casesync/v1"',
        "keyid": '"{device}"',
        "key": KEY,
    }
    signed = {**plain, **changed.get("both", {}), **changed.get("signed", {})}
    sent = {**plain, **changed.get("both", {}), **changed.get("sent", {})}
    digest = signed.get("digest", digest_of(signed["body"]))
    keyid = signed["keyid"].format(device=signed["device"])
    parameters = f"{signed['components']};created={signed['created']};keyid={keyid}{signed['tail']}"
    base = "\n".join(
        (
            f'"@method": {signed["method"]}',
            f'"@authority": {signed["authority"]}',
            f'"@path": {signed["path"]}',
            f'"content-digest": {digest}',
            f'"casesync-counter": {signed["counter"]}',
            f'"@signature-params": {parameters}',
        )
    )
    signature = b64(signed["key"].sign(base.encode()))
    headers = {
        "Content-Digest": digest,
        "Casesync-Counter": sent["counter"],
        "Signature-Input": f"casesync={parameters}",
        "Signature": f"casesync=:{signature}:",
    }
    for name, value in changed.get("headers", {}).items():
        made = value(headers[name]) if callable(value) else value
        headers = {k: v for k, v in headers.items() if k != name}
        if made is not None:
            headers[name] = made
    return {
        "what": what,
        "expect": expect,
        "method": sent["method"],
        "authority": sent["authority"],
        "path": sent["path"],
        "body": sent["body"],
        "headers": headers,
        "now_s": changed.get("now", NOW_S),
        "key": KEY.public_key().public_bytes_raw(),
        "device": sent["device"],
        "counter": sent["counter"],
        "base": base,
    }


def write_requests():
    def r(name, what, expect, **changed):
        return f"request/{name}", request(what, expect, **changed)

    yield r("push", "a request with a body", "accepted")
    yield r("empty", "no body", "accepted", both={"method": "GET", "body": b""})
    yield r("port", "an authority with a port", "accepted", both={"authority": "localhost:8470"})
    yield r(
        "largest",
        "the largest device and counter",
        "accepted",
        both={"device": 2**32 - 1, "counter": str(2**63 - 1)},
    )
    yield r("early", "300 s ahead of the relay's clock", "accepted", now=NOW_S - 300)
    yield r("late", "300 s behind the relay's clock", "accepted", now=NOW_S + 300)
    yield r("too-early", "301 s ahead", "time", now=NOW_S - 301)
    yield r("too-late", "301 s behind", "time", now=NOW_S + 301)

    shapes = {
        "counter-0": ("counter 0", {"both": {"counter": "0"}}),
        "counter-leading-zero": ("a counter with a leading zero", {"both": {"counter": "07"}}),
        "counter-plus": ("a counter with a sign", {"both": {"counter": "+7"}}),
        "counter-64-bits": ("a counter of 2^63", {"both": {"counter": str(2**63)}}),
        "device-0": ("device 0", {"both": {"device": 0}}),
        "device-33-bits": ("a device of 2^32", {"both": {"device": 2**32}}),
        "created-leading-zero": ("a leading zero in created", {"both": {"created": f"0{NOW_S}"}}),
        "created-negative": ("created before 1970", {"both": {"created": "-1"}}),
        "keyid-bare": ("keyid not quoted", {"both": {"keyid": "{device}"}}),
        "components-order": (
            "the components in another order",
            {
                "both": {
                    "components": '("@authority" "@method" "@path" "content-digest" '
                    '"casesync-counter")'
                }
            },
        ),
        "components-fewer": (
            "a component left out",
            {"both": {"components": '("@method" "@authority" "@path" "content-digest")'}},
        ),
        "components-more": (
            "a component more",
            {"both": {"components": COMPONENTS[:-1] + ' "date")'}},
        ),
        "parameter-more": (
            "a parameter more",
            {"both": {"tail": ';alg="ed25519";nonce="n";tag="casesync/v1"'}},
        ),
        "parameters-order": (
            "the parameters in another order",
            {"both": {"tail": ';tag="casesync/v1";alg="ed25519"'}},
        ),
        "alg-other": ("another alg", {"both": {"tail": ';alg="rsa-pss";tag="casesync/v1"'}}),
        "tag-other": (
            "another version's tag",
            {"both": {"tail": ';alg="ed25519";tag="casesync/v2"'}},
        ),
        "label-other": (
            "another label",
            {
                "headers": {
                    "Signature-Input": lambda v: v.replace("casesync=", "sig1=", 1),
                    "Signature": lambda v: v.replace("casesync=", "sig1=", 1),
                }
            },
        ),
        "two-signatures": (
            "two signatures",
            {"headers": {"Signature": lambda v: f"{v}, {v.replace('casesync', 'sig1')}"}},
        ),
        "digest-sha-512": (
            "another digest",
            {"both": {"digest": f"sha-512=:{b64(hashlib.sha512(b'').digest())}:"}},
        ),
        "digest-two": (
            "two digests",
            {"both": {"digest": f"{digest_of(b'')}, {digest_of(b'x')}"}},
        ),
        "digest-spelt-otherwise": (
            "base64 whose unused bits are not zero",
            {"both": {"digest": digest_of(b"")[:-3] + "V=:"}},
        ),
        "signature-spelt-otherwise": (
            "base64 whose unused bits are not zero",
            {"headers": {"Signature": lambda v: v[:-4] + _next(v[-4]) + "==:"}},
        ),
        "signature-without-padding": (
            "base64 without padding",
            {"headers": {"Signature": lambda v: v.replace("==:", ":")}},
        ),
        "signature-short": (
            "a signature of 63 bytes",
            {"headers": {"Signature": f"casesync=:{b64(bytes(63))}:"}},
        ),
        **{
            f"no-{name.lower()}": (f"no {name}", {"headers": {name: None}})
            for name in ("Content-Digest", "Casesync-Counter", "Signature-Input", "Signature")
        },
    }
    for name, (what, changed) in shapes.items():
        yield r(f"shape-{name}", what, "shape", **changed)

    signatures = {
        "other-key": ("another device's key", {"signed": {"key": OTHER_KEY}}),
        "other-method": ("another method", {"sent": {"method": "PUT"}}),
        "other-authority": ("another relay", {"sent": {"authority": "other.example"}}),
        "other-path": ("another path", {"sent": {"path": PATH.replace("sync", "control")}}),
        "other-network": ("another network", {"sent": {"path": PATH.replace("ab", "ac")}}),
        "other-counter": ("another counter", {"sent": {"counter": "8"}}),
        "other-created": (
            "another time",
            {"headers": {"Signature-Input": lambda v: v.replace(str(NOW_S), str(NOW_S + 1))}},
        ),
        "other-device": (
            "another device",
            {"headers": {"Signature-Input": lambda v: v.replace('"3"', '"4"')}},
        ),
        "other-body": (
            "another body with its digest",
            {"sent": {"body": b"x"}, "headers": {"Content-Digest": digest_of(b"x")}},
        ),
        "zeros": (
            "a signature of zeros",
            {"headers": {"Signature": f"casesync=:{b64(bytes(64))}:"}},
        ),
    }
    for name, (what, changed) in signatures.items():
        yield r(f"signature-{name}", what, "signature", **changed)
    yield r("body-other", "another body under the signed digest", "body", sent={"body": b"x"})
    yield r("body-none", "no body under the signed digest", "body", sent={"body": b""})


def _next(letter):
    """The next letter of the alphabet of base64: the same bytes, spelt otherwise."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return alphabet[alphabet.index(letter) + 1]


# -- schemas (schemas.md, Canonical bytes) -------------------------------------------------------

TEXT, CODE, INTEGER, BOOLEAN, PHONE, RECORD = 1, 2, 5, 7, 8, 9
ONCE, LATEST, ALL, PROTECTIVE, SET, STATE = 1, 2, 3, 4, 5, 8
PROTECTION, CONTACT, OPERATIONS, ACCESS = 3, 6, 7, 9
MARK = [BOOLEAN, None, None, None, False]


def labels(word):
    return [word.capitalize(), word.capitalize()]


def value(kind, codelist=None, low=None, high=None, many=False):
    return [kind, codelist, low, high, many]


def field(number, name, compartment, resolver, spec, **rest):
    return [
        number,
        name,
        labels(name),
        compartment,
        resolver,
        spec,
        rest.get("element"),
        rest.get("order", []),
        rest.get("absent_as"),
        rest.get("steps", []),
        rest.get("parts", []),
        rest.get("retired", False),
    ]


def codes(name, *ids):
    return [name, [[code, labels(code), False] for code in ids]]


def whole():
    """A schema with something of everything."""
    case = [
        1,
        "case",
        labels("case"),
        False,
        [
            field(1, "title", OPERATIONS, LATEST, value(TEXT, high=120)),
            field(
                2,
                "risk",
                PROTECTION,
                PROTECTIVE,
                value(CODE, "risk"),
                order=["high", "medium", "low"],
                absent_as="low",
            ),
            field(
                3,
                "status",
                OPERATIONS,
                STATE,
                value(CODE, "status"),
                order=["closed", "open"],
                steps=[[None, "open"], ["open", "closed"]],
            ),
            field(
                4,
                "phones",
                CONTACT,
                SET,
                MARK,
                element=value(PHONE),
                parts=[
                    [
                        1,
                        "safe",
                        labels("safe"),
                        value(CODE, "risk"),
                        ["high", "medium", "low"],
                        "high",
                    ],
                    [2, "owner", labels("owner"), value(TEXT, high=60), [], None],
                ],
            ),
            field(5, "score", OPERATIONS, ALL, value(INTEGER, None, 0, 10), retired=True),
        ],
        [[1, "closing", labels("closing"), 1, 3, ["closed"], [2], []]],
    ]
    visit = [
        2,
        "visit",
        labels("visit"),
        True,
        [
            field(1, "amends", OPERATIONS, ONCE, value(RECORD)),
            field(2, "topics", OPERATIONS, ONCE, value(CODE, "risk", many=True)),
        ],
        [],
    ]
    return [
        1,
        4,
        [case, visit],
        [codes("risk", "high", "medium", "low"), codes("status", "open", "closed")],
    ]


def pack(found):
    return msgpack.packb(found, use_bin_type=True)


def schema(what, expect, data):
    vector = {"what": what, "expect": expect, "schema": data}
    if expect == "accepted":
        vector["hash"] = hashlib.sha256(data).digest()
    return vector


def changed(*path, to):
    """The schema with one thing in it replaced."""
    found = whole()
    inner = found
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    return found


TYPES, LISTS, FIELDS, RULES = 2, 3, 4, 5
FIRST = (TYPES, 0, FIELDS)


def write_schemas():
    yield "schema/whole", schema("something of everything", "accepted", pack(whole()))
    yield "schema/empty", schema("no types and no codelists", "accepted", pack([1, 1, [], []]))
    rows = whole()
    data = pack(rows)
    malformed = {
        "nothing": ("no bytes", b""),
        "cut": ("the last byte left out", data[:-1]),
        "more": ("a byte more", data + b"\xc0"),
        "long-integer": ("an integer not in its shortest form", b"\x94\xcc\x01" + data[2:]),
        "map": ("a map", b"\x80"),
        "short-row": ("a type without rules", pack(changed(TYPES, 1, to=rows[TYPES][1][:-1]))),
        "types-descend": ("types that do not ascend", pack(changed(TYPES, to=rows[TYPES][::-1]))),
        "type-twice": ("a type number twice", pack(changed(TYPES, to=[rows[TYPES][1]] * 2))),
        "fields-descend": (
            "fields that do not ascend",
            pack(changed(*FIRST, to=rows[TYPES][0][FIELDS][::-1])),
        ),
        "parts-descend": (
            "parts that do not ascend",
            pack(changed(*FIRST, 3, 10, to=rows[TYPES][0][FIELDS][3][10][::-1])),
        ),
        "codelists-descend": (
            "codelists that do not ascend",
            pack(changed(LISTS, to=rows[LISTS][::-1])),
        ),
        "steps-descend": (
            "steps that do not ascend, nil first",
            pack(changed(*FIRST, 2, 9, to=[["open", "closed"], [None, "open"]])),
        ),
        "code-twice": (
            "a code twice",
            pack(changed(LISTS, 1, to=codes("status", "open", "closed", "open"))),
        ),
        "entry-as-integer": ("1 for true", pack(changed(TYPES, 1, 3, to=1))),
        "version-as-text": ("a version that is text", pack(changed(1, to="4"))),
        "format-0": ("format 0", pack(changed(0, to=0))),
    }
    for name, (what, broken) in malformed.items():
        yield f"schema/bytes-{name}", schema(what, "bytes", broken)
    newer = {
        "format": ("a later format", pack(changed(0, to=2))),
        "format-of-anything": ("a later format with other parts", pack([2, "x"])),
        "resolver": ("an unknown resolver", pack(changed(*FIRST, 0, 4, to=15))),
        "kind": ("an unknown value kind", pack(changed(*FIRST, 0, 5, 0, to=99))),
        "rule": ("an unknown kind of rule", pack(changed(TYPES, 0, RULES, 0, 3, to=99))),
    }
    for name, (what, later) in newer.items():
        yield f"schema/newer-{name}", schema(what, "newer", later)
    broken_rules = {
        "version-0": ("version 0", changed(1, to=0)),
        "type-name": ("a name with a capital", changed(TYPES, 0, 1, to="Case")),
        "label-empty": ("an empty label", changed(TYPES, 0, 2, to=["", "Case"])),
        "name-twice": ("two fields of one name", changed(*FIRST, 4, 1, to="title")),
        "access": ("a field in the compartment access", changed(*FIRST, 0, 3, to=ACCESS)),
        "base": ("a field in the compartment base", changed(*FIRST, 0, 3, to=1)),
        "no-codelist": ("a codelist that is not there", changed(*FIRST, 1, 5, 1, to="none")),
        "text-without-maximum": ("text without a maximum", changed(*FIRST, 0, 5, 3, to=None)),
        "order-short": (
            "an order that leaves out a code",
            changed(*FIRST, 1, 7, to=["high", "low"]),
        ),
        "absent-as-unknown": ("absent counts as no code", changed(*FIRST, 1, 8, to="none")),
        "absent-as-elsewhere": ("absent_as of a text", changed(*FIRST, 0, 8, to="low")),
        "no-first-step": ("no step from nothing", changed(*FIRST, 2, 9, to=[["open", "closed"]])),
        "step-to-nowhere": (
            "a step to no code",
            changed(*FIRST, 2, 9, to=[[None, "open"], ["open", "none"]]),
        ),
        "set-without-element": ("a set without elements", changed(*FIRST, 3, 6, to=None)),
        "many-not-once": ("a list that would have to merge", changed(*FIRST, 4, 5, 4, to=True)),
        "entry-not-once": (
            "a field of an entry that is not once",
            changed(TYPES, 1, 4, 1, 4, to=ALL),
        ),
        "rule-without-anchor": ("a rule on no field", changed(TYPES, 0, RULES, 0, 4, to=77)),
        "rule-no-entry": (
            "a rule on entries that are none",
            changed(TYPES, 0, RULES, 0, 6, to=[1]),
        ),
    }
    for name, (what, found) in broken_rules.items():
        yield f"schema/rules-{name}", schema(what, "rules", pack(found))


# -- files ---------------------------------------------------------------------------------------


def plain(found):
    if isinstance(found, bytes):
        return found.hex()
    if isinstance(found, dict):
        return {key: plain(item) for key, item in found.items()}
    return found


def main():
    check = "--check" in sys.argv[1:]
    written = set()
    for write in (write_requests, write_schemas):
        for name, vector in write():
            path = HERE / f"{name}.json"
            assert path not in written, name
            written.add(path)
            text = json.dumps(plain(vector), indent=1, ensure_ascii=False) + "\n"
            if not check:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, "utf-8")
            elif not path.exists() or path.read_text("utf-8") != text:
                sys.exit(f"{name} is not what the generator makes")
    strays = {p for folder in ("request", "schema") for p in (HERE / folder).glob("*.json")}
    if strays - written:
        sys.exit(f"no scenario makes {sorted(p.name for p in strays - written)}")


if __name__ == "__main__":
    main()
