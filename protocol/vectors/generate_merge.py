"""Write the vectors of merging, of content bodies and of resolvers (record-model.md, change.md).

``python protocol/vectors/generate_merge.py`` writes them, ``--check`` compares with what lies
there. One file is one scenario; ``expect`` is ``accepted`` or names the layer that must refuse.
Bodies are made byte by byte here. A merge scenario lists segments and the live writes that must
result from them in every order of arrival; a resolver scenario lists the live writes of one cell.
In values and elements, bytes stand as ``{"bytes": hex}``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDERS = ("merge", "content-body", "resolver")

R1, R2 = bytes(range(16)), bytes(range(16, 32))
GRANT = b"g" * 16
ONCE, LATEST, ALL, PROTECTIVE, SET, REVOKE, LEDGER, STATE, EARLIEST = range(1, 10)


# -- bytes ----------------------------------------------------------------------------------------


def pack(value):
    """Canonical msgpack of what bodies need."""
    if value is None:
        return b"\xc0"
    if value is True or value is False:
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return pack_int(value)
    if isinstance(value, str):
        data = value.encode("utf-8")
        if len(data) < 32:
            return bytes([0xA0 | len(data)]) + data
        return sized(data, (0xD9, 0xDA, 0xDB)) + data
    if isinstance(value, bytes):
        return sized(value, (0xC4, 0xC5, 0xC6)) + value
    head = bytes([0x90 | len(value)]) if len(value) < 16 else b"\xdc" + number(len(value), 2)
    return head + b"".join(pack(item) for item in value)


def pack_int(value):
    if 0 <= value < 128:
        return bytes([value])
    if -32 <= value < 0:
        return bytes([256 + value])
    lead, low = ((0xCC, 0), (0xD0, -128))[value < 0]
    for step, size in enumerate((1, 2, 4, 8)):
        if value < 0 and value >= low * 256 ** (size - 1):
            return bytes([lead + step]) + value.to_bytes(size, "big", signed=True)
        if value >= 0 and value < 256**size:
            return bytes([lead + step]) + number(value, size)
    raise ValueError(value)


def number(value, size):
    return value.to_bytes(size, "big")


def sized(data, leads):
    for lead, size in zip(leads, (1, 2, 4), strict=True):
        if len(data) < 256**size:
            return bytes([lead]) + number(len(data), size)
    raise ValueError(len(data))


def link8(device, change):
    return b"L" + number(device, 3) + number(change, 4)


# -- merging --------------------------------------------------------------------------------------


def names(device, change, mask, link=None):
    stands = mask if mask < 2**64 else mask.to_bytes((mask.bit_length() + 7) // 8, "big")
    return [device, change, link or link8(device, change), stands]


def group(record, scalars, elements=None, kind=2):
    """scalars: {field: value}, all of resolver ``all``; elements: [(field, name, part, value)]."""
    flat = [x for field, value in scalars.items() for x in (field * 16 + ALL, value)]
    rows = [[field * 16 + SET, name, part, value] for field, name, part, value in elements or ()]
    return [record, kind, flat, rows] if rows else [record, kind, flat]


def segment(device, change, groups, replaces=(), *, compartment=2, counts=True):
    return {
        "device": device,
        "number": change,
        "compartment": compartment,
        "link8": link8(device, change),
        "counts": counts,
        "body": pack([1000 + change, 1, list(replaces), groups]),
    }


def copy(device, change, position, field, value, replaces=(), link=None):
    link = link or link8(device, change)
    return [device, change, link, position, R1, 2, field * 16 + ALL, None, 0, 1, value, [*replaces]]


def snapshot(device, change, copies, *, counts=True, supplement=False):
    parts = 0 if supplement else 1
    made = segment(device, change, [], counts=counts)
    return made | {"body": pack([1000, 1, [GRANT, parts, parts, copies]])}


def live(device, change, position, field, value, **cell):
    """A live write: identity, cell, value, whether it is a copy."""
    return {
        "compartment": cell.get("compartment", 2),
        "record": cell.get("record", R1),
        "type": 2,
        "field": field,
        "element": cell.get("element"),
        "part": cell.get("part", 0),
        "device": device,
        "number": change,
        "position": position,
        "value": value,
        "copy": cell.get("copy", False),
    }


def merges():
    first = segment(1, 1, [group(R1, {1: "a", 2: "b"})])
    yield (
        "replace",
        "a save replaces the save it read",
        [first, segment(2, 1, [group(R1, {1: "c", 2: "b"})], [names(1, 1, 3)])],
        [live(2, 1, 0, 1, "c"), live(2, 1, 1, 2, "b")],
    )
    edit = segment(2, 1, [group(R1, {1: "c"})], [names(1, 1, 3)])
    yield (
        "bits-on-other-cells",
        "bits on cells that the writer does not write are ignored",
        [first, edit],
        [live(2, 1, 0, 1, "c"), live(1, 1, 1, 2, "b")],
    )
    yield (
        "bits-beyond-the-last-cell",
        "a mask may name more positions than there are",
        [first, segment(2, 1, [group(R1, {2: "c"})], [names(1, 1, 2**40 - 1)])],
        [live(2, 1, 0, 2, "c"), live(1, 1, 0, 1, "a")],
    )
    yield (
        "concurrent",
        "two saves that read the same both stay",
        [first, edit, segment(3, 1, [group(R1, {1: "d"})], [names(1, 1, 1)])],
        [live(2, 1, 0, 1, "c"), live(3, 1, 0, 1, "d"), live(1, 1, 1, 2, "b")],
    )
    yield (
        "resolution",
        "a resolution names every write it was shown, and no other",
        [
            first,
            edit,
            segment(3, 1, [group(R1, {1: "d"})], [names(1, 1, 1)]),
            segment(4, 1, [group(R1, {1: "x"})], [names(1, 1, 1)]),
            segment(1, 2, [group(R1, {1: "c"})], [names(2, 1, 1), names(3, 1, 1)]),
        ],
        [live(4, 1, 0, 1, "x"), live(1, 2, 0, 1, "c"), live(1, 1, 1, 2, "b")],
    )
    yield (
        "wrong-link",
        "an entry whose link does not match replaces nothing",
        [first, segment(2, 1, [group(R1, {1: "c"})], [names(1, 1, 3, b"another!")])],
        [live(2, 1, 0, 1, "c"), live(1, 1, 0, 1, "a"), live(1, 1, 1, 2, "b")],
    )
    yield (
        "another-record",
        "the same field of another record is another cell",
        [first, segment(2, 1, [group(R2, {1: "c"})], [names(1, 1, 3)])],
        [
            live(2, 1, 0, 1, "c", record=R2),
            live(1, 1, 0, 1, "a"),
            live(1, 1, 1, 2, "b"),
        ],
    )
    yield (
        "another-compartment",
        "a table speaks of its own compartment only",
        [
            first,
            segment(1, 1, [group(R1, {1: "o"})], compartment=7),
            segment(2, 1, [group(R1, {1: "c"})], [names(1, 1, 3)], compartment=7),
        ],
        [
            live(1, 1, 0, 1, "a"),
            live(1, 1, 1, 2, "b"),
            live(2, 1, 0, 1, "c", compartment=7),
        ],
    )
    yield (
        "many-groups",
        "positions run through all groups, scalars before elements",
        [
            segment(
                1,
                1,
                [
                    group(R1, {1: "a"}, [(4, "gbv", 0, True), (4, R2, 1, "x")]),
                    group(R2, {1: "b", 3: None}),
                ],
            ),
            segment(
                2,
                1,
                [group(R2, {3: 5}), group(R1, {}, [(4, R2, 1, "y")])],
                [names(1, 1, 0b11111)],
            ),
        ],
        [
            live(1, 1, 0, 1, "a"),
            live(1, 1, 1, 4, True, element="gbv"),
            live(1, 1, 3, 1, "b", record=R2),
            live(2, 1, 0, 3, 5, record=R2),
            live(2, 1, 1, 4, "y", element=R2, part=1),
        ],
    )
    wide = {field: field for field in range(1, 101)}
    yield (
        "wide-mask",
        "a mask of 2^64 and above stands as bytes",
        [
            segment(1, 1, [group(R1, wide)]),
            segment(2, 1, [group(R1, {**wide, 1000: "x"})], [names(1, 1, 2**100 - 1 - 2**70)]),
        ],
        [live(2, 1, f - 1, f, f) for f in range(1, 101)]
        + [live(2, 1, 100, 1000, "x"), live(1, 1, 70, 71, 71)],
    )
    refused = segment(2, 1, [group(R1, {1: "c", 2: "d"})], [names(1, 1, 3)], counts=False)
    yield (
        "refused-alone",
        "what only a refused change replaces stays",
        [first, refused],
        [live(1, 1, 0, 1, "a"), live(1, 1, 1, 2, "b")],
    )
    yield (
        "transparent",
        "who replaces a refused write replaces what that replaced, in that cell",
        [first, refused, segment(3, 1, [group(R1, {1: "e"})], [names(2, 1, 3)])],
        [live(3, 1, 0, 1, "e"), live(1, 1, 1, 2, "b")],
    )
    second = segment(3, 1, [group(R1, {2: "f", 1: "e"})], [names(2, 1, 3)], counts=False)
    yield (
        "transparent-chain",
        "transparency follows chains of refused changes",
        [first, refused, second, segment(4, 1, [group(R1, {2: "g"})], [names(3, 1, 3)])],
        [live(4, 1, 0, 2, "g"), live(1, 1, 0, 1, "a")],
    )
    yield from merges_of_copies(first, edit)


def merges_of_copies(first, edit):
    copies = [copy(1, 1, 0, 1, "a"), copy(1, 1, 1, 2, "b")]
    held = [live(1, 1, 0, 1, "a", copy=True), live(1, 1, 1, 2, "b", copy=True)]
    yield "copies", "copies are live under the original's identity", [snapshot(9, 1, copies)], held
    yield (
        "copies-and-original",
        "the original takes over, whichever came first",
        [snapshot(9, 1, copies), first],
        [live(1, 1, 0, 1, "a"), live(1, 1, 1, 2, "b")],
    )
    yield (
        "copies-replaced",
        "who replaces the original replaces the copy",
        [snapshot(9, 1, copies), edit],
        [live(2, 1, 0, 1, "c"), held[1]],
    )
    yield (
        "copies-of-another-link",
        "a copy under another link is another write, until an original is there",
        [snapshot(9, 1, [copy(1, 1, 0, 1, "a", link=b"another!")]), edit],
        [live(1, 1, 0, 1, "a", copy=True), live(2, 1, 0, 1, "c")],
    )
    yield (
        "carrier-refused",
        "copies of a change that does not count are not there",
        [snapshot(9, 1, copies, counts=False)],
        [],
    )
    yield (
        "supplement",
        "what landed behind the grant comes with what it replaced",
        [
            snapshot(9, 1, copies),
            snapshot(8, 1, [copy(2, 1, 0, 1, "c", [names(1, 1, 3)])], supplement=True),
        ],
        [live(2, 1, 0, 1, "c", copy=True), held[1]],
    )
    yield (
        "forged-copy",
        "a copy cannot replace an original that is here",
        [first, snapshot(8, 1, [copy(2, 1, 0, 1, "c", [names(1, 1, 3)])])],
        [live(1, 1, 0, 1, "a"), live(1, 1, 1, 2, "b"), live(2, 1, 0, 1, "c", copy=True)],
    )
    yield (
        "original-refused",
        "a copy counts as long as its original does, and is transparent otherwise",
        [
            snapshot(9, 1, copies),
            snapshot(8, 1, [copy(2, 1, 0, 1, "c", [names(1, 1, 3)])]) | {"refused": [[2, 1]]},
            segment(3, 1, [group(R1, {1: "e"})], [names(2, 1, 1)]),
        ],
        [live(3, 1, 0, 1, "e"), held[1]],
    )
    yield (
        "two-carriers",
        "of two copies of one write that of the smaller carrier is shown",
        [snapshot(9, 1, [copy(1, 1, 0, 1, "A")]), snapshot(8, 7, [copy(1, 1, 0, 1, "a")])],
        [held[0]],
    )


# -- bodies ---------------------------------------------------------------------------------------


def bodies():
    good = [5, 1, [names(1, 1, 1)], [group(R1, {1: "a"})]]

    def changed(at, value):
        return pack([*good[:at], value, *good[at + 1 :]])

    yield "good", "a body of one group", "accepted", pack(good)
    yield "trailing", "bytes behind the body", "content body", pack(good) + b"\x00"
    yield "cut", "the last byte is missing", "content body", pack(good)[:-1]
    yield "five-items", "an item too many", "content body", pack([*good, 0])
    yield "clock-negative", "a clock before 1970", "content body", changed(0, -1)
    yield "clock-u49", "a clock of 49 bits", "content body", changed(0, 2**48)
    yield "no-groups", "no cell at all", "content body", changed(3, [])
    yield "empty-group", "a group without cells", "content body", changed(3, [[R1, 2, []]])
    yield "record-15", "a record id of 15 bytes", "content body", changed(3, [[R1[1:], 2, [19, 1]]])
    yield "type-0", "record type 0", "content body", changed(3, [[R1, 0, [19, 1]]])
    yield "resolver-0", "a key without resolver", "content body", changed(3, [[R1, 2, [16, 1]]])
    yield "field-0", "field 0", "content body", changed(3, [[R1, 2, [3, 1]]])
    yield "odd-scalars", "a key without value", "content body", changed(3, [[R1, 2, [19, 1, 35]]])
    twice = [[R1, 2, [19, 1]], [R1, 2, [18, 2]]]
    yield "cell-twice", "one cell twice", "content body", changed(3, twice)
    floating = (
        pack(good[:3]).replace(b"\x93", b"\x94", 1) + b"\x91\x93" + pack(R1) + b"\x02\x92\x13"
    )
    yield (
        "float",
        "a floating-point value",
        "content body",
        floating + b"\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00",
    )
    yield "map", "a map as value", "content body", floating + b"\x81\xa1a\x01"
    yield (
        "float-key",
        "a floating-point key",
        "content body",
        floating[:-1] + (b"\xcb\x40\x33\x00\x00\x00\x00\x00\x00" + b"\x01"),
    )
    element = [[R1, 2, [], [[19, 5, 0, True]]]]
    yield "element-number", "a number as element", "content body", changed(3, element)
    yield "mask-negative", "a negative mask", "content body", changed(2, [[1, 1, link8(1, 1), -1]])
    short = [[1, 1, link8(1, 1), b"\xff" * 8]]
    yield "mask-short-bytes", "bytes below 2^64", "content body", changed(2, short)
    zero = [[1, 1, link8(1, 1), b"\x00" + b"\xff" * 8]]
    yield "mask-leading-zero", "not the shortest bytes", "content body", changed(2, zero)
    yield "link-7", "a link prefix of 7 bytes", "content body", changed(2, [[1, 1, b"L" * 7, 1]])
    yield "device-0", "device 0", "content body", changed(2, [[0, 1, link8(1, 1), 1]])
    over = group(R1, dict.fromkeys(range(1, 258), 0))
    yield "cells-257", "a cell too many", "content body", changed(3, [over])
    yield (
        "cells-256",
        "as many as there may be",
        "accepted",
        changed(3, [group(R1, dict.fromkeys(range(1, 257), 0))]),
    )
    entries = [names(1, 1, 1)] * 4097
    yield "entries-4097", "an entry too many", "content body", changed(2, entries)
    unfit = [[R1, 2, [17, "?", 35, -5, 53, [[None, [b"x"]]], 79, 2**64 - 1]]]
    yield (
        "values",
        "values that no schema allows are no reason to refuse",
        "accepted",
        changed(3, unfit),
    )


# -- resolvers ------------------------------------------------------------------------------------


def write(value, clock=1, log_time=None, device=1, change=1, position=0):
    return {
        "value": value,
        "clock": clock,
        "log_time": log_time,
        "device": device,
        "number": change,
        "position": position,
    }


def resolvers():
    low, high = write("low"), write("high", device=2)
    risk = {"order": ["high", "medium", "low"]}
    states = {"order": ["done", "sent", "draft"], "steps": [[None, "draft"], ["draft", "sent"]]}
    yield "once-earliest", ONCE, {}, [write("b", 2), write("a", 1, device=2)], "a", True
    yield "once-tie-device", ONCE, {}, [write("b", device=2), write("a")], "a", True
    yield "once-tie-number", ONCE, {}, [write("b", change=2), write("a")], "a", True
    yield "once-equal", ONCE, {}, [write("a"), write("a", 9, device=2)], "a", False
    yield "latest", LATEST, {}, [write("b", 2), write("a", 1, device=2)], "b", False
    ahead = [write("ahead", 99, 3), write("sent", 4, 5, device=2)]
    yield "latest-clock-ahead", LATEST, {}, ahead, "sent", False
    yield "latest-unsent", LATEST, {}, [write("unsent", 9), ahead[1]], "unsent", False
    yield "all-one", ALL, {}, [low], "low", False
    yield "all-equal", ALL, {}, [low, write("low", device=2)], "low", False
    yield "all-different", ALL, {}, [low, high], None, True
    yield "all-types", ALL, {}, [write(1), write(True, device=2)], None, True
    yield "protective", PROTECTIVE, risk, [low, high], "high", True
    yield "protective-unknown", PROTECTIVE, risk, [high, write("extreme")], "extreme", True
    yield "protective-number", PROTECTIVE, risk, [high, write(7)], 7, True
    yield "protective-absent", PROTECTIVE, risk, [low, write(None, device=2)], "low", True
    declared = {"order": ["no", "only_as_agreed", "yes"], "absent_as": "no"}
    yes = write("yes")
    yield "protective-absent-as", PROTECTIVE, declared, [yes, write(None, device=2)], "no", True
    yield "protective-absent-same", PROTECTIVE, declared, [write("no"), write(None)], "no", False
    yield "protective-no-order", PROTECTIVE, {}, [low, high], None, True
    yield "set-add-wins", SET, {}, [write(False), write(True, device=2)], True, False
    yield "set-removed", SET, {}, [write(False), write(None, device=2)], False, False
    yield "set-only-true", SET, {}, [write(1), write("true", device=2)], False, False
    yield "revoke", REVOKE, {}, [write(["u1"]), write(False, device=2)], False, True
    yield "revoke-absent", REVOKE, {}, [write(None), write(False, device=2)], False, False
    yield "revoke-different", REVOKE, {}, [write("a"), write("b", device=2)], None, True
    voucher = write(["chi", 500000])
    yield "ledger-equal", LEDGER, {}, [voucher, voucher | {"device": 2}], ["chi", 500000], False
    yield "ledger-unequal", LEDGER, {}, [voucher, write(["chi", 5], device=2)], None, True
    sent = write(["draft", "sent"])
    yield "state", STATE, states, [sent], "sent", False
    yield "state-concurrent", STATE, states, [sent, write([None, "draft"], device=2)], "sent", True
    yield "state-illegal", STATE, states, [write(["draft", "done"])], "done", True
    yield "state-newer", STATE, {"order": states["order"]}, [write(["sent", "lost"])], "lost", False
    yield "state-no-pair", STATE, states, [sent, write("done", device=2)], "sent", True
    yield "earliest", EARLIEST, {}, [write("2026-02"), write("2026-01", device=2)], "2026-01", False
    estimated = [write("~2026-01-05"), write("2026-01-06", device=2)]
    yield "earliest-estimated", EARLIEST, {}, estimated, "~2026-01-05", False
    yield "earliest-absent", EARLIEST, {}, [write(None), write(9, device=2)], 9, False
    yield "unknown-resolver", 12, {}, [low, high], None, True


# -- files ----------------------------------------------------------------------------------------


def plain(value, inside_value=False):
    if isinstance(value, bytes):
        return {"bytes": value.hex()} if inside_value else value.hex()
    if isinstance(value, list | tuple):
        return [plain(item, inside_value) for item in value]
    if isinstance(value, dict):
        marked = ("value", "element", "effective")
        return {key: plain(item, key in marked) for key, item in value.items()}
    return value


def scenarios():
    for name, what, segments, expected in merges():
        vector = {"what": what, "expect": "accepted", "segments": segments, "live": expected}
        yield f"merge/{name}", vector
    for name, what, expect, body in bodies():
        yield f"content-body/{name}", {"what": what, "expect": expect, "body": body}
    for name, code, facts, writes, effective, conflict in resolvers():
        yield (
            f"resolver/{name}",
            {
                "what": name.replace("-", " "),
                "expect": "accepted",
                "resolver": code,
                "schema": facts,
                "writes": writes,
                "effective": effective,
                "conflict": conflict,
            },
        )


def main():
    check = "--check" in sys.argv[1:]
    written = set()
    for name, vector in scenarios():
        path = HERE / f"{name}.json"
        text = json.dumps(plain(vector), indent=1, ensure_ascii=False) + "\n"
        written.add(path)
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.exit(f"{name} is not what the generator makes")
    strays = {p for folder in FOLDERS for p in (HERE / folder).glob("*.json")} - written
    if strays:
        sys.exit(f"no scenario makes {sorted(p.name for p in strays)}")


if __name__ == "__main__":
    main()
