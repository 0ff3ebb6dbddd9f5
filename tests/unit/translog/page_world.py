"""A small change log and pages over it, for tests of the page reader and builder."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

from casesync.merkle.compact_range import CompactRange
from casesync.merkle.hashing import leaf_hash, node_hash
from casesync.translog.chain import change_leaf, link
from casesync.translog.header import encode_head, encode_header
from casesync.translog.page import OwnChange
from casesync.translog.page_builder import PageBuilder


class Leaf(NamedTuple):
    log_time_ms: int
    device: int
    number: int
    stream: bytes
    previous_link: bytes
    link: bytes
    header: bytes
    signature: bytes
    segments: tuple[bytes, ...]


class Log:
    """A change log as a relay holds it; signatures are not real."""

    def __init__(self):
        self.leaves: list[Leaf] = []
        self.levels: list[list[bytes]] = [[]]
        self.newest: dict[int, tuple[int, bytes]] = {}

    def append(self, device, stream=b"s" * 16, kinds=(2,), *, time_ms=None, size=0, after=()):
        number, previous = self.newest.get(device, (0, bytes([device]) * 32))
        number += 1
        head = encode_head(
            device=device,
            number=number,
            stream=stream,
            previous_here=number - 1,
            after=after,
            control_size=7,
            random8=number.to_bytes(8, "big"),
            checkpoint_size=size,
            checkpoint_root=b"r" * 32 if size else b"",
        )
        segments = tuple(bytes([kind]) * (64 if kind != 3 else 544) for kind in kinds)
        rows = [
            (kind, bytes(8) if kind == 0 else b"k" * 8, len(segment), sha256(segment).digest())
            for kind, segment in zip(kinds, segments, strict=True)
        ]
        header = encode_header(head, rows)
        here = link(previous, header)
        signature = here + here
        time_ms = 1000 + len(self.leaves) if time_ms is None else time_ms
        self.leaves.append(
            Leaf(time_ms, device, number, stream, previous, here, header, signature, segments)
        )
        self.newest[device] = (number, here)
        self._hash(leaf_hash(change_leaf(time_ms, previous, header, signature)))

    def _hash(self, digest):
        self.levels[0].append(digest)
        level = 0
        while len(self.levels[level]) % 2 == 0:
            if len(self.levels) == level + 1:
                self.levels.append([])
            self.levels[level + 1].append(node_hash(*self.levels[level][-2:]))
            level += 1

    def node(self, level, index):
        return self.levels[level][index]

    def header(self, device, number):
        return next(
            leaf.header for leaf in self.leaves if (leaf.device, leaf.number) == (device, number)
        )

    def range(self, size):
        grown = CompactRange()
        grown.extend(self.levels[0][:size])
        return grown

    def root(self, size):
        return self.range(size).root()

    def page(self, first, end, target, served, own=None, withheld_kinds=()):
        """The page [first, end) with the leaves whose indexes are in ``served``."""
        builder = PageBuilder(first, target, self, self.header)
        for index in sorted(served):
            leaf = self.leaves[index]
            if leaf.device == own:
                builder.add_own(index, leaf.log_time_ms, leaf.number)
            else:
                builder.add_change(
                    index,
                    leaf.log_time_ms,
                    device=leaf.device,
                    number=leaf.number,
                    stream=leaf.stream,
                    previous_link=leaf.previous_link,
                    link=leaf.link,
                    header=leaf.header,
                    signature=leaf.signature,
                    segments=b"".join(leaf.segments),
                    withheld_kinds=withheld_kinds,
                )
        return builder.finish(end)

    def own(self, device):
        """The lookup of a receiver whose device this is."""
        changes = {
            leaf.number: OwnChange(leaf.previous_link, leaf.header, leaf.signature, leaf.segments)
            for leaf in self.leaves
            if leaf.device == device
        }
        return changes.get


def log_of(*devices, **settings):
    log = Log()
    for device in devices:
        log.append(device, **settings)
    return log
