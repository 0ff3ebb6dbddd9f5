"""Scenarios of pages and span proofs (``sync.md``, ``transparency-log.md``)."""

from __future__ import annotations

from log_bytes import (
    CONTENT,
    OTHER_STREAM,
    STREAM,
    UNSEALED,
    change_leaf,
    compact_range,
    frame,
    h,
    head,
    header,
    leaf_hash,
    link,
    own_frame,
    pack,
    root,
    subtrees,
    u,
    varint,
)

AFTER = [(7, 1, b"l" * 8), (8, 1 << 40, b"m" * 8), (70_000, 300, b"n" * 8)]


class Log:
    """Nine leaves by three devices; the receiver is device 3."""

    AUTHORS = (1, 2, 1, 1, 3, 2, 1, 1, 3)

    def __init__(self):
        newest = {}
        self.rows = []
        for index, device in enumerate(self.AUTHORS):
            number, previous = newest.get(device, (0, h(b"enrolment", u(4, device))))
            number += 1
            stream = OTHER_STREAM if device == 2 else STREAM
            segments = [CONTENT, (9, b"a" * 64)] if device == 1 else [UNSEALED, CONTENT]
            head_bytes = head(
                device=device,
                number=number,
                stream=stream,
                previous_here=number - 1,
                after=AFTER if number == 2 else [],
                checkpoint=(index, b"r" * 32) if index == 6 else (0, b""),
            )
            data = header(head_bytes, segments)
            here = link(previous, data)
            signature = h(b"no real signature", here) * 2
            newest[device] = (number, here)
            self.rows.append(
                {
                    "index": index,
                    "log_time_ms": 1_700_000_000_000 + 10 * index,
                    "device": device,
                    "number": number,
                    "previous": previous,
                    "head": head_bytes,
                    "header": data,
                    "segments": segments,
                    "signature": signature,
                }
            )
        self.hashes = [
            leaf_hash(change_leaf(r["log_time_ms"], r["previous"], r["header"], r["signature"]))
            for r in self.rows
        ]

    def since(self, index, before):
        """From the page's frame of leaf ``before`` to the one of ``index``; None: the first."""
        past = 0 if before is None else self.rows[before]["log_time_ms"]
        return self.rows[index]["log_time_ms"] - past

    def frame(self, index, before=None, *, explicit=False, **other):
        row = self.rows[index]
        return frame(
            since=self.since(index, before),
            stream_ref=0 if row["device"] != 2 else 1,
            device_ref=row["device"] - 1,
            head_bytes=row["head"],
            segments=row["segments"],
            signature=row["signature"],
            previous=row["previous"] if explicit else None,
            **other,
        )

    def own(self, index, before=None):
        return own_frame(self.since(index, before), self.rows[index]["number"])

    def page(self, end, items, gaps, target=9):
        spans = [*gaps, (end, target)]
        hashes = [piece for span in spans for piece in subtrees(self.hashes, *span)]
        return [end, STREAM + OTHER_STREAM, [1, 2, 3], items, b"".join(hashes)]

    def vector(self, what, page, *, first, expect="page", served=None, target=9, runs=None):
        vector = {
            "what": what,
            "expect": expect,
            "compact_range": compact_range(self.hashes[:first]),
            "target_size": target,
            "target_root": root(self.hashes[:target]),
            "page": pack(page),
            "own": [
                {
                    "number": r["number"],
                    "previous_link": r["previous"],
                    "header": r["header"],
                    "signature": r["signature"],
                    "segments": [s[1] for s in r["segments"]],
                }
                for r in self.rows
                if r["device"] == 3
            ],
        }
        if served is not None:
            vector["values"] = {
                "compact_range": compact_range(self.hashes[: page[0]]),
                "leaves": [
                    {
                        "index": i,
                        "log_time_ms": self.rows[i]["log_time_ms"],
                        "previous_link": self.rows[i]["previous"],
                        "header": self.rows[i]["header"],
                        "run_starts": i in runs,
                    }
                    for i in served
                ],
            }
        return vector


def numbers():
    """Ways to write a number that no frame may have."""

    def longer(count):
        def write(number):
            made = varint(number)
            return made[:-1] + u(1, made[-1] + 128) + b"\x80" * (count - 1) + b"\x00"

        return write

    return {
        "not-shortest": ("a number with a zero byte behind it", longer(1)),
        "too-long": ("a number of eight bytes", longer(7)),
        "too-large": ("a number of 49 bits", lambda number: varint(number + (1 << 48))),
        "endless": ("a number that does not end", lambda _: b"\xff" * 400),
    }


def write_spans():
    log = Log()
    nothing = log.page(9, [7], [(2, 9)])
    yield (
        "span/nothing-served",
        log.vector(
            "seven leaves of others", nothing, first=2, expect="accepted", served=[], runs=[]
        ),
    )
    bridge = [0, h(log.rows[2]["header"]), h(log.rows[3]["header"])]
    items = [
        log.frame(0, explicit=True),
        log.frame(1, 0, explicit=True),
        2,
        log.own(4, 1),
        log.frame(5, 4),
        bridge,
        log.frame(6, 5),
        log.frame(7, 6),
    ]
    whole = log.page(8, items, [(2, 4)])
    yield (
        "span/mixed",
        log.vector(
            "frames, a gap, an own change and a bridge over two skipped changes; more follows",
            whole,
            first=0,
            expect="accepted",
            served=[0, 1, 4, 5, 6, 7],
            runs=[0, 1, 4],
        ),
    )
    items = [log.frame(6, explicit=True, withheld=[0]), log.frame(7, 6, withheld=[0])]
    yield (
        "span/withheld",
        log.vector(
            "content is withheld from an audit device, its hash stands in the frame",
            log.page(8, items, []),
            first=6,
            expect="accepted",
            served=[6, 7],
            runs=[6],
        ),
    )
    short = [log.frame(7, explicit=True), log.own(8, 7)]
    good = log.page(9, short, [])
    yield (
        "span/to-the-end",
        log.vector(
            "the page ends at the target and needs no hash",
            good,
            first=7,
            expect="accepted",
            served=[7, 8],
            runs=[7, 8],
        ),
    )
    other = [*good]
    other[3] = [short[0][:-1] + b"x", short[1]]
    partial = log.page(8, short[:1], [])
    refused = {
        "segment-changed": ("a byte of a segment differs", other),
        "leaf-left-out": ("the page says it reaches 9 and serves one leaf", [9, *partial[1:]]),
        "hash-missing": ("a subtree's hash is missing", [*partial[:4], b""]),
        "hash-left-over": ("a hash too many", [*good[:4], bytes(32)]),
        "gap-beyond-t": ("a gap reaches beyond t", [*good[:3], [short[0], 2], good[4]]),
        "gap-of-nothing": ("a gap of no leaf", [*good[:3], [0, *short], good[4]]),
        "t-beyond-target": ("t lies beyond the target", [10, *good[1:]]),
        "no-previous-link": (
            "a first frame without its previous link",
            [*good[:3], [log.frame(7), short[1]], good[4]],
        ),
        "other-device": (
            "the device table names another device",
            [*good[:2], [2, 1, 3], *good[3:]],
        ),
        "own-unknown": (
            "an own frame of a change nobody made",
            [*good[:3], [short[0], own_frame(log.since(8, 7), 77)], good[4]],
        ),
        "bridge-of-unknown": (
            "a bridge for a device without a link so far",
            [*good[:3], [[1, bytes(32)], *short], good[4]],
        ),
        "frame-cut": ("a frame ends early", [*good[:3], [short[0][:40], short[1]], good[4]]),
        "flag-unknown": (
            "a flag that no frame has",
            [*good[:3], [b"\x09" + short[0][1:], short[1]], good[4]],
        ),
        "own-with-further-flags": (
            "an own frame with an explicit link",
            [*good[:3], [short[0], b"\x03" + short[1][1:]], good[4]],
        ),
        "own-longer": (
            "a byte behind the number of an own frame",
            [*good[:3], [short[0], short[1] + b"\x00"], good[4]],
        ),
    }
    for name, (what, number) in numbers().items():
        bent = [log.frame(7, explicit=True, number=number), short[1]]
        refused[f"number-{name}"] = (what, [*good[:3], bent, good[4]])
    for name, (what, page) in refused.items():
        yield f"span/{name}", log.vector(what, page, first=7)
