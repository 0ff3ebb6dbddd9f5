"""Makes the vectors in ``segment/``, ``box/``, ``wrap/`` and ``enrolment/``, byte by byte.

Does not import the implementation: formats are written out here a second time, from
``conventions.md``, ``change.md``, ``keys.md``, ``membership.md`` and ``enrolment.md``. Run it as
``python protocol/vectors/generate_keys.py``; it changes nothing unless a format changed. HPKE is
randomised, so a message that still opens to the right bytes is kept from the file on disk; such
vectors can only be opened, not made again.

One file is one scenario: ``what`` says it; ``operation`` with ``given`` (bytes in hex) either gives
``gives`` (``expect`` is ``accepted``) or is refused by the layer that ``expect`` names, with the
error ``code``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, Suite
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

HERE = Path(__file__).parent
HPKE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
ZERO_NONCE = bytes(12)
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

Given = dict[str, Any]
Vector = tuple[str, dict[str, Any]]


# -- conventions.md --------------------------------------------------------------------------


def u(bits: int, number: int) -> bytes:
    return number.to_bytes(bits // 8, "big")


def label(use: str) -> bytes:
    return b"casesync/v1/" + use.encode() + b"\x00"


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def hashed(use: str, *parts: bytes) -> bytes:
    return sha256(label(use), *parts)


def expand(key: bytes, use: str, context: bytes) -> bytes:
    return hmac.digest(key, label(use) + context + b"\x01", "sha256")


def siv(key: bytes, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
    return AESGCMSIV(key).encrypt(nonce, plaintext, aad)


def padded(body: bytes, tag: int = 16) -> bytes:
    needed = len(body) + 1 + tag
    allowed = next((size for size in (64, 128, 192, 256, 384, 512) if size >= needed), None)
    if allowed is None:
        exponent = needed.bit_length() - 1
        step = 1 << (exponent - exponent.bit_length())
        allowed = -(-needed // step) * step
    return body + b"\x80" + bytes(allowed - needed)


def packed(value: Any) -> bytes:
    """Canonical msgpack of what these formats hold."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        if value < 128:
            return u(8, value)
        width = next(width for width in (8, 16, 32, 64) if value < 1 << width)
        return bytes([{8: 0xCC, 16: 0xCD, 32: 0xCE, 64: 0xCF}[width]]) + u(width, value)
    if isinstance(value, bytes):
        long = len(value) > 255
        return (b"\xc5" + u(16, len(value)) if long else b"\xc4" + u(8, len(value))) + value
    assert isinstance(value, list)
    assert len(value) < 16
    return bytes([0x90 | len(value)]) + b"".join(map(packed, value))


def some(name: str, count: int = 32) -> bytes:
    """Bytes that only look random."""
    return hashlib.shake_256(b"casesync vectors " + name.encode()).digest(count)


# -- what all scenarios share ------------------------------------------------------------------

NETWORK, STREAM, UNIT = some("network"), some("stream", 16), some("unit", 16)
COMPARTMENT, EPOCH = 2, 3
DEVICE, NUMBER, POSITION = 5, 70_000, 1
STREAM_KEY = some("stream key")
UNIT_SEED = some("unit seed")


def statement_context(compartment: int = COMPARTMENT, number: int = NUMBER) -> bytes:
    return b"".join(
        (NETWORK, STREAM, u(8, compartment), u(32, DEVICE), u(48, number), u(8, POSITION))
    )


def commitment_of(key: bytes, compartment: int = COMPARTMENT, number: int = NUMBER) -> bytes:
    return expand(key, "commitment", statement_context(compartment, number))


COMMITMENT = commitment_of(STREAM_KEY)


def hybrid_private(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    expanded = hashlib.shake_256(seed).digest(96)
    return (
        MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
        X25519PrivateKey.from_private_bytes(expanded[64:]),
    )


def hybrid_public(seed: bytes) -> bytes:
    mlkem, x25519 = hybrid_private(seed)
    return mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()


def hpke(kept: str, seed: bytes, info: bytes, plaintext: bytes) -> bytes:
    """A message to the seed's key: the one in the file ``kept`` if it is that, else a new one."""
    private = MLKEM768X25519PrivateKey(*hybrid_private(seed))
    file = HERE / f"{kept}.json"
    if file.exists():
        message = bytes.fromhex(json.loads(file.read_text())["given"]["message"])
        try:
            if HPKE.decrypt(message, private, info=info) == plaintext:
                return message
        except InvalidTag:
            pass
    return HPKE.encrypt(plaintext, private.public_key(), info=info)


def gives(operation: str, spec: str, what: str, given: Given, value: Any) -> dict[str, Any]:
    return {
        "what": what,
        "expect": "accepted",
        "operation": operation,
        "spec": spec,
        "given": given,
        "gives": value,
    }


def refused(
    good: dict[str, Any],
    what: str,
    given: Given,
    code: str = "does-not-verify",
    layer: str = "crypto",
) -> dict[str, Any]:
    return {
        "what": what,
        "expect": layer,
        "code": code,
        "operation": good["operation"],
        "spec": good["spec"],
        "given": good["given"] | given,
    }


# -- segment/: segments, sealed parts of control entries, blobs -------------------------------


def segments() -> Iterator[Vector]:
    sealing = expand(STREAM_KEY, "sealing-key", statement_context())
    link, head = some("previous link"), some("head", 75)

    def sealed(plaintext: bytes, number: int = 1) -> bytes:
        nonce = hashed("nonce", link, head, u(8, number))[:12]
        return siv(sealing, nonce, sha256(head) + u(8, number) + COMMITMENT, plaintext)

    def good(body: bytes, what: str) -> dict[str, Any]:
        given = {
            "stream_key": STREAM_KEY,
            "network": NETWORK,
            "stream": STREAM,
            "compartment": COMPARTMENT,
            "statement": [DEVICE, NUMBER, POSITION],
            "commitment": COMMITMENT,
            "previous_link": link,
            "head": head,
            "segment_number": 1,
            "message": sealed(padded(body)),
        }
        return gives("open_segment", "change.md, Sealing a segment", what, given, body)

    plain = good(b"a body", "a segment opens where it was sealed")
    yield "segment/opens", plain
    for length, size in [(0, 64), (47, 64), (48, 128), (495, 512), (496, 544), (5000, 5120)]:
        vector = good(some("body", length), f"a body of {length} bytes makes {size}")
        assert len(vector["given"]["message"]) == size
        yield f"segment/body-of-{length}", vector
    other = some("another stream key")
    moves: dict[str, Given] = {
        "segment-number": {"segment_number": 2},
        "head": {"head": head[:-1] + b"\x00"},
        "previous-link": {"previous_link": some("another link")},
        "stream": {"stream": some("another stream", 16)},
        "network": {"network": some("another network")},
        "compartment": {"compartment": 3},
        "statement": {"statement": [DEVICE, NUMBER, 0]},
        "key": {"stream_key": other},
        "key-and-commitment": {"stream_key": other, "commitment": commitment_of(other)},
        "commitment": {"commitment": commitment_of(other)},
    }
    for name, given in moves.items():
        yield f"segment/moved-{name}", refused(plain, f"another {name.replace('-', ' ')}", given)
    message = plain["given"]["message"]
    for name, changed in {
        "cut": message[:-1],
        "empty": b"",
        "tag-only": message[-16:],
        "extended": message + b"\x00",
        "bit": bytes([message[0] ^ 1]) + message[1:],
    }.items():
        yield f"segment/damaged-{name}", refused(plain, "damaged bytes", {"message": changed})
    for name, plaintext in {"zeros": bytes(48), "no-mark": b"a body" * 8}.items():
        yield (
            f"segment/padding-{name}",
            refused(
                plain,
                "authentic, but its author padded it wrongly",
                {"message": sealed(plaintext)},
                "malformed",
                "codec",
            ),
        )
    for name, key in {"zeros": bytes(32), "31": STREAM_KEY[:31], "33": STREAM_KEY + b"x"}.items():
        yield f"segment/key-{name}", refused(plain, "no stream key", {"stream_key": key})


def network_sealed() -> Iterator[Vector]:
    key = some("network key")
    sealing = expand(key, "network-sealing", NETWORK)
    commitment = expand(key, "network-commitment", NETWORK)
    prefix = some("entry before its sealed length", 150)
    part = commitment[:8] + siv(
        sealing, hashed("control-nonce", prefix)[:12], sha256(prefix) + commitment, padded(b"name")
    )
    given = {"network_key": key, "network": NETWORK, "prefix": prefix, "message": part}
    spec = "membership.md, Entry"
    good = gives("open_control", spec, "the sealed part of a control entry", given, b"name")
    yield "segment/control-opens", good
    yield "segment/control-moved", refused(good, "another entry", {"prefix": prefix[:-1] + b"\x00"})
    yield "segment/control-key", refused(good, "another key", {"network_key": some("old key")})
    yield (
        "segment/control-key-name",
        refused(good, "another key name", {"message": bytes(8) + part[8:]}),
    )
    nonce = some("blob nonce", 12)
    blob = nonce + siv(sealing, nonce, label("blob") + u(8, 2) + commitment, padded(b"schemas"))
    given = {"network_key": key, "network": NETWORK, "kind": 2, "message": blob}
    good = gives("open_blob", "keys.md, Network key", "a sealed blob", given, b"schemas")
    yield "segment/blob-opens", good
    yield "segment/blob-kind", refused(good, "taken for another kind", {"kind": 1})
    yield "segment/blob-nonce", refused(good, "another nonce", {"message": bytes(12) + blob[12:]})
    yield "segment/blob-short", refused(good, "shorter than a nonce", {"message": blob[:11]})


# -- box/ -----------------------------------------------------------------------------------------


def unit_key_id(compartment: int = COMPARTMENT) -> bytes:
    return UNIT + u(8, compartment) + u(32, EPOCH)


def box_context() -> bytes:
    statement = STREAM + u(32, DEVICE) + u(48, NUMBER) + u(8, POSITION)
    return NETWORK + unit_key_id() + statement + COMMITMENT


BOX_MOVES: dict[str, Given] = {
    "unit": {"unit": some("another unit", 16)},
    "epoch": {"epoch": EPOCH + 1},
    "stream": {"stream": some("another stream", 16)},
    "network": {"network": some("another network")},
    "compartment": {"compartment": 3},
    "statement": {"statement": [DEVICE, NUMBER + 1, POSITION]},
    "commitment": {"commitment": commitment_of(some("another stream key"))},
    "recipient": {"seed": some("another seed")},
}
BAD_KEYS = {
    "other-key": some("another stream key"),
    "zeros": bytes(32),
    "empty": b"",
    "31": STREAM_KEY[:31],
    "33": STREAM_KEY + b"x",
}


def boxes() -> Iterator[Vector]:
    box_key = expand(UNIT_SEED, "box-key", NETWORK + unit_key_id())
    nonce = hashed("box-nonce", box_context())[:12]
    info = label("box") + box_context()
    common = {
        "seed": UNIT_SEED,
        "network": NETWORK,
        "unit": UNIT,
        "compartment": COMPARTMENT,
        "epoch": EPOCH,
        "stream": STREAM,
        "statement": [DEVICE, NUMBER, POSITION],
        "commitment": COMMITMENT,
    }
    spec = "keys.md, Stream key, statement, box"
    for kind, operation in (("symmetric", "open_box_symmetric"), ("public", "open_box_public")):

        def boxed(name: str, key: bytes, kind: str = kind) -> bytes:
            if kind == "symmetric":
                return siv(box_key, nonce, box_context(), key)
            return hpke(f"box/{kind}-{name}", UNIT_SEED, info, key)

        given = common | {"message": boxed("opens", STREAM_KEY)}
        good = gives(operation, spec, f"a {kind} box opens in its place", given, STREAM_KEY)
        yield f"box/{kind}-opens", good
        for name, moved in BOX_MOVES.items():
            yield f"box/{kind}-moved-{name}", refused(good, f"another {name}", moved)
        for name, key in BAD_KEYS.items():
            yield (
                f"box/{kind}-holds-{name}",
                refused(
                    good,
                    "authentic, but not the key the statement commits to",
                    {"message": boxed(f"holds-{name}", key)},
                ),
            )


def base_predecessors() -> Iterator[Vector]:
    old, old_number = some("old base key"), NUMBER - 3
    place = NETWORK + STREAM + u(32, DEVICE) + u(48, old_number) + u(8, POSITION)
    commitment = commitment_of(STREAM_KEY, compartment=1)
    old_commitment = commitment_of(old, compartment=1, number=old_number)

    def sealed(key: bytes) -> bytes:
        return siv(expand(STREAM_KEY, "base-predecessor", place), ZERO_NONCE, commitment, key)

    given = {
        "stream_key": STREAM_KEY,
        "commitment": commitment,
        "network": NETWORK,
        "stream": STREAM,
        "predecessor": [DEVICE, old_number, POSITION],
        "predecessor_commitment": old_commitment,
        "message": sealed(old),
    }
    spec = "keys.md, Stream key, statement, box"
    good = gives("open_base_predecessor", spec, "a base key opens the one before", given, old)
    yield "box/base-predecessor-opens", good
    for name, moved in {
        "statement": {"predecessor": [DEVICE, old_number - 1, POSITION]},
        "commitment": {"commitment": old_commitment},
        "stream": {"stream": some("another stream", 16)},
        "key": {"stream_key": old},
    }.items():
        yield f"box/base-predecessor-moved-{name}", refused(good, f"another {name}", moved)
    yield (
        "box/base-predecessor-other-key",
        refused(
            good, "not the key its statement commits to", {"message": sealed(some("another key"))}
        ),
    )


# -- wrap/ ----------------------------------------------------------------------------------------


def wraps() -> Iterator[Vector]:
    device_seed, device, index = some("device KEM seed"), 9, 300
    network_key = some("network key")
    other_unit_seed = some("unit seed, compartment 5")
    rows = [[UNIT, COMPARTMENT, EPOCH, UNIT_SEED], [UNIT, 5, 1, other_unit_seed]]
    publics = [
        [UNIT, COMPARTMENT, EPOCH, hybrid_public(UNIT_SEED)],
        [UNIT, 5, 1, hybrid_public(other_unit_seed)],
    ]
    info = label("wrap") + NETWORK + u(32, device) + u(48, index)

    def message(name: str, plaintext: bytes) -> bytes:
        return hpke(f"wrap/{name}", device_seed, info, plaintext)

    given = {
        "seed": device_seed,
        "network": NETWORK,
        "device": device,
        "control_index": index,
        "publics": publics,
        "message": message("opens", padded(packed([[network_key], rows]))),
    }
    value = {"network_keys": [network_key], "seeds": rows}
    good = gives("open_wrap", "keys.md, Unit key", "a wrap opens for its device", given, value)
    yield "wrap/opens", good
    moves: dict[str, Given] = {
        "device": {"device": device + 1},
        "entry": {"control_index": index + 1},
        "network": {"network": some("another network")},
        "recipient": {"seed": some("another device")},
        "key-unknown-to-the-log": {"publics": publics[:1]},
        "key-of-the-log-is-another": {
            "publics": [[*publics[0][:3], hybrid_public(some("another unit seed"))], publics[1]]
        },
    }
    for name, moved in moves.items():
        yield f"wrap/moved-{name}", refused(good, name.replace("-", " "), moved)
    bodies = {
        "seed-zeros": [[], [[UNIT, COMPARTMENT, EPOCH, bytes(32)]]],
        "seed-31": [[], [[UNIT, COMPARTMENT, EPOCH, UNIT_SEED[:31]]]],
        "seed-33": [[], [[UNIT, COMPARTMENT, EPOCH, UNIT_SEED + b"x"]]],
        "network-key-zeros": [[bytes(32)], []],
        "network-key-empty": [[b""], []],
    }
    for name, body in bodies.items():
        changed = {"message": message(name, padded(packed(body)))}
        yield f"wrap/{name}", refused(good, "authentic, but no key", changed)
    shapes = {
        "shape-key-twice": packed([[], [rows[0], rows[0]]]),
        "shape-three-parts": packed([[], [], []]),
        "shape-epoch-zero": packed([[], [[UNIT, COMPARTMENT, 0, UNIT_SEED]]]),
        "shape-unit-short": packed([[], [[UNIT[:15], COMPARTMENT, EPOCH, UNIT_SEED]]]),
        "shape-compartment-true": packed([[], [[UNIT, True, EPOCH, UNIT_SEED]]]),
    }
    for name, body in shapes.items():
        changed = {"message": message(name, padded(body))}
        yield f"wrap/{name}", refused(good, "authentic, but malformed", changed, "malformed")
    longer = packed([[network_key], rows]).replace(u(8, EPOCH) + b"\xc4", b"\xcc\x03\xc4", 1)
    for name, plaintext in {"not-canonical": padded(longer), "padding": bytes(48)}.items():
        changed = {"message": message(name, plaintext)}
        yield f"wrap/{name}", refused(good, name.replace("-", " "), changed, "malformed", "codec")


def unit_keys() -> Iterator[Vector]:
    given = {
        "seed": UNIT_SEED,
        "unit": UNIT,
        "compartment": COMPARTMENT,
        "epoch": EPOCH,
    }
    public = hybrid_public(UNIT_SEED)
    value = {"public": public, "name": hashed("unit-key", unit_key_id(), public)[:8]}
    spec = "keys.md, Unit key"
    yield "wrap/unit-key", gives("unit_key", spec, "public key and name of a seed", given, value)
    older = some("older unit seed")
    key = expand(UNIT_SEED, "predecessor", unit_key_id())
    given |= {
        "network": NETWORK,
        "predecessor_public": hybrid_public(older),
        "message": siv(key, ZERO_NONCE, NETWORK, older),
    }
    good = gives("open_predecessor", spec, "a unit key opens the one before", given, older)
    yield "wrap/predecessor-opens", good
    for name, moved in {
        "epoch": {"epoch": EPOCH + 1},
        "unit": {"unit": some("another unit", 16)},
        "network": {"network": some("another network")},
        "public-key": {"predecessor_public": public},
        "seed": {"seed": older},
    }.items():
        yield f"wrap/predecessor-moved-{name}", refused(good, f"another {name}", moved)


def vaults() -> Iterator[Vector]:
    salt, costs, database_key = some("salt", 16), [65536, 3, 1], some("database key")
    passphrase = "mật khẩu dài"
    derived = Argon2id(
        salt=salt, length=32, memory_cost=costs[0], iterations=costs[1], lanes=costs[2]
    ).derive(passphrase.encode())
    context = salt + u(32, costs[0]) + u(32, costs[1]) + u(8, costs[2])
    wrapped = siv(
        expand(derived, "database-key", context),
        ZERO_NONCE,
        label("database-key") + context,
        database_key,
    )
    given = {"passphrase": passphrase, "salt": salt, "costs": costs, "message": wrapped}
    good = gives("open_vault", "keys.md, Passphrase", "a passphrase", given, database_key)
    yield "wrap/vault-opens", good
    yield "wrap/vault-passphrase", refused(good, "another one", {"passphrase": "mat khau dai"})
    yield "wrap/vault-costs", refused(good, "other costs", {"costs": [65536, 4, 1]})
    for name, low in {"memory": [65535, 3, 1], "iterations": [65536, 2, 1]}.items():
        yield (
            f"wrap/vault-floor-{name}",
            refused(good, "below the floor", {"costs": low}, "kdf-below-floor"),
        )


# -- enrolment/ ---------------------------------------------------------------------------------


def enrolments() -> Iterator[Vector]:
    secret = some("invitation secret")
    invitation = hashed("invitation-id", secret)[:16]
    rendezvous = expand(secret, "rendezvous", NETWORK + invitation)
    nonce = some("inviter nonce")
    message = siv(
        expand(rendezvous, "rendezvous-slot", u(8, 2)),
        ZERO_NONCE,
        NETWORK + invitation + u(8, 2),
        padded(nonce),
    )
    given = {"secret": secret, "network": NETWORK, "slot": 2, "message": message}
    spec = "enrolment.md"
    good = gives("open_slot", spec, "the inviter's nonce", given, nonce)
    yield "enrolment/slot-opens", good
    yield "enrolment/slot-moved", refused(good, "another slot", {"slot": 4})
    yield "enrolment/slot-secret", refused(good, "another secret", {"secret": some("guess")})
    yield (
        "enrolment/slot-network",
        refused(good, "another network", {"network": some("another network")}),
    )
    reveal_hash, joiner_nonce = some("reveal hash"), some("joiner nonce")
    commitment = hashed("enrol-commit", reveal_hash, joiner_nonce)
    digest = hashed("sas", NETWORK, invitation, commitment, nonce, joiner_nonce, reveal_hash)
    bits = int.from_bytes(digest[:4], "big") >> 2
    values = [bits >> shift & 31 for shift in range(25, -1, -5)]
    doubled = [value * 2 for value in values[1::2]]  # every second from the right
    total = sum(values[::2]) + sum(value // 32 + value % 32 for value in doubled)
    code = "".join(CROCKFORD[value] for value in [*values, -total % 32])
    given = {
        "network": NETWORK,
        "secret": secret,
        "inviter_nonce": nonce,
        "joiner_nonce": joiner_nonce,
        "reveal_hash": reveal_hash,
    }
    value = {"invitation": invitation, "commitment": commitment, "code": code}
    yield "enrolment/code", gives("sas_code", spec, "both screens show this code", given, value)


# -- writing ----------------------------------------------------------------------------------


def readable(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: readable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [readable(item) for item in value]
    return value


def vectors() -> Iterator[Vector]:
    """Every scenario: (path below this folder without ``.json``, content)."""
    for family in (
        segments,
        network_sealed,
        boxes,
        base_predecessors,
        wraps,
        unit_keys,
        vaults,
        enrolments,
    ):
        yield from family()


def main() -> None:
    for name, content in vectors():
        file = HERE / f"{name}.json"
        file.parent.mkdir(exist_ok=True)
        text = json.dumps(readable(content), indent=1, ensure_ascii=False) + "\n"
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
