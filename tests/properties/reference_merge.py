"""The slow, obvious twin of ``casesync.model.merge``: the definition, on sets of writes.

``protocol/record-model.md``, *Cell*, *Transparency*, *Copies*. Nothing is incremental here: all
segments are given at once, what names what is a graph over writes, what is replaced is what can be
reached. It shares no code with the merge it checks but the name of a cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from casesync.model.cells import CellId

Named = tuple[int, int, bytes, int]
"""(device, number, link8, mask)."""


class CopyOf(NamedTuple):
    """A copy inside a segment of copies."""

    device: int
    number: int
    link8: bytes
    position: int
    cell: CellId
    replaces: tuple[Named, ...]


class Seg(NamedTuple):
    """A segment: its identity, its cells in order, what it names; or the copies it carries."""

    device: int
    number: int
    compartment: int
    link8: bytes
    cells: tuple[CellId, ...] = ()
    replaces: tuple[Named, ...] = ()
    copies: tuple[CopyOf, ...] | None = None


class Node(NamedTuple):
    """A write, original or copied."""

    device: int
    number: int
    compartment: int
    link8: bytes
    position: int
    cell: CellId


class Carried(NamedTuple):
    """A copy and what brought it."""

    node: Node
    carrier: tuple[int, int]
    index: int
    replaces: tuple[Named, ...]


def _names(node: Node, replaces: Iterable[Named], target: Node) -> bool:
    return node.compartment == target.compartment and any(
        (device, number, link8) == (target.device, target.number, target.link8)
        and mask >> target.position & 1
        and node.cell == target.cell
        for device, number, link8, mask in replaces
    )


def _reached(
    start: list[tuple[Node, tuple[Named, ...]]],
    targets: set[Node],
    through: list[tuple[Node, tuple[Named, ...]]],
) -> set[Node]:
    """All targets that can be reached from ``start``, passing only ``through``."""
    found: set[Node] = set()
    frontier = start
    while frontier:
        fresh = {
            target
            for target in targets - found
            if any(_names(node, replaces, target) for node, replaces in frontier)
        }
        found |= fresh
        frontier = [(node, replaces) for node, replaces in through if node in fresh]
    return found


def live(
    segments: Iterable[Seg], counts: Callable[[int, int, int], bool]
) -> set[tuple[CellId, int, int, int, int, bytes, int | None]]:
    """The live writes as (cell, device, number, position, compartment, link8, copy index)."""
    unique = set(segments)
    held = {(s.device, s.number, s.compartment) for s in unique}
    originals, carried = [], []
    for s in unique:
        if s.copies is None:
            for position, cell in enumerate(s.cells):
                node = Node(s.device, s.number, s.compartment, s.link8, position, cell)
                originals.append((node, s.replaces))
        elif counts(s.device, s.number, s.compartment):
            for index, c in enumerate(s.copies):
                node = Node(c.device, c.number, s.compartment, c.link8, c.position, c.cell)
                carried.append(Carried(node, (s.device, s.number), index, c.replaces))
    copied = [(c.node, c.replaces) for c in carried]
    targets = {node for node, _ in originals} | {c.node for c in carried}

    def counting(node: Node) -> bool:
        return counts(node.device, node.number, node.compartment)

    def split(writes: list[tuple[Node, tuple[Named, ...]]], good: bool) -> list:
        return [write for write in writes if counting(write[0]) is good]

    replaced = _reached(split(originals, True), targets, split(originals, False))
    everything = originals + copied
    replaced_copies = _reached(split(everything, True), targets, split(everything, False))
    result = {
        (n.cell, n.device, n.number, n.position, n.compartment, n.link8, None)
        for n, _ in originals
        if counting(n) and n not in replaced
    }
    best: dict[Node, Carried] = {}
    for c in carried:
        n = c.node
        if (n.device, n.number, n.compartment) in held or not counting(n):
            continue
        if n in replaced or n in replaced_copies:
            continue
        if n not in best or (c.carrier, c.index) < (best[n].carrier, best[n].index):
            best[n] = c
    for n, c in best.items():
        result.add((n.cell, n.device, n.number, n.position, n.compartment, n.link8, c.index))
    return result
