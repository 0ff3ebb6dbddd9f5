"""Scenarios of change headers, chains and checkpoints (``change.md``, ``transparency-log.md``)."""

from __future__ import annotations

import base64

from log_bytes import (
    CONTENT,
    LONG,
    NETWORK,
    STREAM,
    UNSEALED,
    change_leaf,
    ed25519,
    h,
    head,
    header,
    label,
    leaf_hash,
    link,
    note_line,
    public,
    u,
)


def headers():
    minimal = head(stream=STREAM)
    yield (
        "minimal",
        "one content segment, nothing before it",
        "accepted",
        header(minimal, [CONTENT]),
        {"device": 1, "number": 1, "head": minimal, "segments": 1},
    )
    full = head(
        device=7,
        number=2**40,
        stream=STREAM,
        previous_here=2**33,
        after=[(2, 9, b"l" * 8), (0xFFFFFFFF, 1, b"m" * 8)],
        control_size=12,
        checkpoint=(5, b"r" * 32),
    )
    yield (
        "full",
        "every field is in use",
        "accepted",
        header(full, [UNSEALED, (1, b"b" * 64), CONTENT, LONG]),
        {"device": 7, "number": 2**40, "head": full, "segments": 4},
    )
    two = [CONTENT, LONG]
    refused = {
        "suite-2": ("another suite", header(head(suite=2), two)),
        "device-0": ("device 0 is none", header(head(device=0), two)),
        "number-0": ("number 0 is none", header(head(number=0), two)),
        "previous-here": (
            "the previous number here is its own",
            header(head(number=3, previous_here=3), two),
        ),
        "after-descending": (
            "after is not ascending",
            header(head(after=[(3, 1, b"l" * 8), (2, 1, b"l" * 8)]), two),
        ),
        "after-author": (
            "after names the author",
            header(head(after=[(1, 1, b"l" * 8)]), two),
        ),
        "after-number-0": ("after names number 0", header(head(after=[(2, 0, b"l" * 8)]), two)),
        "root-missing": ("a checkpoint size without root", header(head(checkpoint=(5, b"")), two)),
        "no-segment": ("no segment", header(head(), [])),
        "kinds-descending": ("kinds descend", header(head(), [LONG, CONTENT])),
        "kind-twice": ("a kind twice", header(head(), [CONTENT, CONTENT])),
        "seventeen-segments": (
            "17 segments",
            header(head(), [(kind, b"c" * 64) for kind in range(1, 18)]),
        ),
        "length-no-class": ("a ciphertext of 65 bytes", header(head(), [(2, b"c" * 65)])),
        "length-no-padme": ("a ciphertext of 545 bytes", header(head(), [(2, b"c" * 545)])),
        "unsealed-with-key": (
            "the unsealed segment has a key name",
            header(head(), [(*UNSEALED, b"K" * 8), CONTENT]),
        ),
        "truncated": ("a byte is missing", header(head(), two)[:-1]),
        "trailing": ("a byte too many", header(head(), two) + b"\x00"),
    }
    for name, (what, data) in refused.items():
        yield name, what, "header", data, None


def write_headers():
    for name, what, expect, data, values in headers():
        vector = {"what": what, "expect": expect, "header": data}
        if values is not None:
            vector["values"] = {**values, "header_hash": h(data)}
        yield f"header/{name}", vector


def make_chain(device=1, count=3, seed=1):
    key = ed25519(seed)
    previous = h(b"enrolment entry of device", u(4, device))
    rows = []
    for number in range(1, count + 1):
        head_bytes = head(device=device, number=number, stream=STREAM, previous_here=number - 1)
        data = header(head_bytes, [CONTENT])
        here = link(previous, data)
        signature = key.sign(label(b"change") + NETWORK + here)
        rows.append(
            {
                "previous_link": previous,
                "header": data,
                "link": here,
                "signature": signature,
                "log_time_ms": 1_700_000_000_000 + number,
            }
        )
        previous = here
    for row in rows:
        leaf = change_leaf(
            row["log_time_ms"], row["previous_link"], row["header"], row["signature"]
        )
        row["leaf_hash"] = leaf_hash(leaf)
    return key, rows


def write_chains():
    key, rows = make_chain()
    base = {"network": NETWORK, "change_key": public(key)}
    yield (
        "chain/three-changes",
        {
            "what": "a device's first three changes; the last signature covers all",
            "expect": "accepted",
            **base,
            "changes": rows,
        },
    )
    last = {**rows[-1]}
    bent = {
        "other-network": (
            "the signature covers another network",
            {"signature": key.sign(label(b"change") + bytes(32) + last["link"])},
        ),
        "other-label": (
            "the signature was made for another use",
            {"signature": key.sign(label(b"enrol") + NETWORK + last["link"])},
        ),
        "earlier-change": (
            "the signature is the one of the change before",
            {"signature": rows[-2]["signature"]},
        ),
        "low-order-r": (
            "R of the signature is a point of small order",
            {"signature": b"\x01" + bytes(31) + last["signature"][32:]},
        ),
    }
    for name, (what, fields) in bent.items():
        yield (
            f"chain/{name}",
            {
                "what": what,
                "expect": "signature",
                **base,
                "changes": [*rows[:-1], {**last, **fields}],
            },
        )
    gap = {**rows[2], "previous_link": rows[0]["link"]}
    yield (
        "chain/change-left-out",
        {
            "what": "the second change is missing, so the third one's link does not follow",
            "expect": "signature",
            **base,
            "changes": [rows[0], {**gap, "link": link(rows[0]["link"], rows[2]["header"])}],
        },
    )
    random16 = b"0123456789abcdef"
    yield (
        "chain/stream-id",
        {
            "what": "the id of a stream that change 5 of device 3 opens",
            "expect": "accepted",
            "network": NETWORK,
            "device": 3,
            "number": 5,
            "random": random16,
            "stream": h(label(b"stream-id"), NETWORK, u(4, 3), u(6, 5), random16)[:16],
        },
    )


def write_comparisons():
    states = {"control_size": 37, "control_root": h(b"control"), "change_size": 1204}
    states["change_root"] = h(b"change")
    sizes = u(6, 37) + states["control_root"], u(6, 1204) + states["change_root"]
    digest = h(label(b"compare"), NETWORK, *sizes)
    digits = str(int.from_bytes(digest[:16], "big"))[-30:].zfill(30)
    yield (
        "comparison/code",
        {
            "what": "six groups of five digits over both logs",
            "expect": "accepted",
            "network": NETWORK,
            **states,
            "code": " ".join(digits[i : i + 5] for i in range(0, 30, 5)),
        },
    )


def write_checkpoints():
    key, other = ed25519(9), ed25519(10)
    origin = f"casesync/v1/{NETWORK.hex()}/change".encode()
    key_hash = h(origin, b"\n\x01", public(key))[:4]
    size, tree = 1234567, h(b"a root")
    lines = [origin, b"%d" % size, base64.b64encode(tree)]
    text = b"\n".join(lines) + b"\n"
    base = {"network": NETWORK, "log": "change", "log_key": public(key)}

    def note(of, *signatures):
        return of + b"\n" + b"".join(signatures or (ours(of),))

    def ours(of):
        return note_line(origin, key_hash, key.sign(of))

    yield (
        "checkpoint/both-forms",
        {
            "what": "the note and the 102 bytes of the sync path say the same",
            "expect": "accepted",
            **base,
            "note": note(text),
            "binary": u(6, size) + tree + key.sign(text),
            "values": {"size": size, "root": tree, "key_id": key_hash},
        },
    )
    witness = note_line(b"witness.example/w1", b"wwww", b"W" * 72)
    yield (
        "checkpoint/unknown-witness",
        {
            "what": "a line of a key nobody here knows is passed over",
            "expect": "accepted",
            **base,
            "note": note(text, witness, ours(text)),
            "values": {"size": size, "root": tree, "key_id": key_hash},
        },
    )

    def bent(at, line):
        rows = [*lines]
        rows[at : at + 1] = line
        return b"\n".join(rows) + b"\n"

    crlf = text.replace(b"\n", b"\r\n")
    control = text.replace(b"/change", b"/control")
    refused = {
        "crlf": ("lines end in CRLF", note(crlf)),
        "leading-zero": ("the size has a leading zero", note(bent(1, [b"0" + lines[1]]))),
        "extension-line": ("an extension line", note(text + b"extension\n")),
        "size-too-large": ("the size has more than 48 bits", note(bent(1, [b"%d" % 2**48]))),
        "root-short": ("a root of 31 bytes", note(bent(2, [base64.b64encode(tree[1:])]))),
        "root-unpadded": ("base64 without padding", note(bent(2, [lines[2].rstrip(b"=")]))),
        "other-origin": ("the checkpoint of the control log", note(control)),
        "repeated-signature": ("the signature stands twice", note(text, ours(text), ours(text))),
        "unknown-key-only": ("only a witness has signed", note(text, witness)),
        "other-key": (
            "another key has signed under the log's name and id",
            note(text, note_line(origin, key_hash, other.sign(text))),
        ),
        "no-final-newline": ("the last newline is missing", note(text)[:-1]),
    }
    for name, (what, data) in refused.items():
        yield f"checkpoint/{name}", {"what": what, "expect": "checkpoint", **base, "note": data}
    yield (
        "checkpoint/binary-other-size",
        {
            "what": "the signature covers another size",
            "expect": "checkpoint",
            **base,
            "binary": u(6, size + 1) + tree + key.sign(text),
        },
    )
