"""The fast path of a page: a change that simply comes next is opened and applied in a few steps.

Plain is a change with one content segment (``translog.header.plain_header``), by an active device
of the owning unit whose role writes the compartment, under a key that a valid statement introduced.
The full judgement (``page_stream``) would find nothing to object to; a property holds the outcome
equal to judging the stream again (``tests/properties/test_page_paths.py``).
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from casesync.access.verdicts import COUNTS
from casesync.crypto.sealing import open_segment
from casesync.foundation.errors import CasesyncError
from casesync.foundation.ids import CONTENT_COMPARTMENTS
from casesync.model.segment_body import decode_content
from casesync.sync.change_reader import fields_allowed
from casesync.sync.context import Engine
from casesync.sync.keyring import StreamKey
from casesync.sync.stream_kernels import plain_kernel
from casesync.translog.header import PLAIN_TABLE_BYTES, Header, PlainHeader
from casesync.translog.served_leaf import ServedLeaf

if TYPE_CHECKING:
    from casesync.sync.page_stream import PageStream

_CONTENT_MASK = sum(1 << int(c) for c in CONTENT_COMPARTMENTS)


class Fresh(NamedTuple):
    """A leaf that is not stored yet."""

    leaf: ServedLeaf
    number: int
    """The author's number of the change."""
    plain: PlainHeader | None
    header: Header | None
    """The whole header where it is not plain."""


Device = tuple[bytes | None, int]
"""(unit, mask of content compartments its role writes); (None, 0) if not so simple."""


class PlainPath:
    """What is the same for all streams of a page, and the step for one leaf."""

    __slots__ = ("_control", "_engine", "control_size", "devices", "forms_checked", "keys")

    def __init__(self, engine: Engine) -> None:
        """Args: engine: its control log as of the page."""
        self._engine = engine
        self.keys = engine.keys
        self._control = engine.control
        self.devices: dict[int, Device] = {}
        """What ``device`` found."""
        self.forms_checked = engine.forms_checked
        self.control_size = engine.control.size

    def device(self, device: int) -> Device:
        """What the control log says of an author, asked once."""
        found = self.devices.get(device)
        if found is None:
            found = (None, 0)
            if self._control.suspended_from(device) is None:
                mask = self._control.writes_mask(device) & _CONTENT_MASK
                found = (self._control.unit_of(device), mask)
            self.devices[device] = found
        return found

    def take_run(
        self, held: PageStream, fresh: list[Fresh], at: int, locations: list[int], first: int
    ) -> int:
        """Take plain changes of ``held`` from ``fresh[at]`` on; where it stopped.

        Args:
            held: not to be judged again.
            fresh: in log order.
            at: a place in ``fresh``.
            locations: of the page's changes; ``fresh[0]`` is stored at ``locations[first]``.
            first: see ``locations``.
        """
        while at < len(fresh):
            leaf, _, plain, _ = fresh[at]
            if plain is None or leaf.index <= held.last_index:
                break
            if plain_kernel is not None and held.plain_owner is not None:
                stop = plain_kernel.take_run(
                    fresh,
                    at,
                    locations,
                    first,
                    held.row.row,
                    held.state.row,
                    held.stream,
                    self,
                    held.plain_owner,
                    held.last_index,
                )
                if stop > at:
                    held.last_index = fresh[stop - 1].leaf.index
                    at = stop
                    continue
            if not self.take(held, leaf, plain, locations[first + at]):
                break
            held.last_index = leaf.index
            at += 1
        return at

    def take(self, held: PageStream, leaf: ServedLeaf, plain: PlainHeader, location: int) -> bool:
        """Judge, open and apply one leaf that comes next in ``held``; False changes nothing."""
        number, control_size, kind, key_name = plain
        device = leaf.device
        unit, mask = self.devices.get(device) or self.device(device)
        sealed = leaf.segments[0]
        if (
            unit is None
            or unit != held.plain_owner
            or not mask >> kind & 1
            or not device <= control_size <= self.control_size
            or sealed is None
            or not held.row.introduces(kind, key_name, leaf.index)
        ):
            return False
        key = self.keys.get(held.stream, kind, key_name)
        if key is None:
            return False
        head = leaf.header[:-PLAIN_TABLE_BYTES]
        if not self._merge(held, leaf, head, 0, kind, key, number, location):
            return False
        held.row.add(leaf.index, device, number, location, COUNTS, leaf.log_time_ms)
        held.row.note_applied(device, number, leaf.link[:8])
        return True

    def take_segment(
        self,
        held: PageStream,
        leaf: ServedLeaf,
        head: bytes,
        position: int,
        kind: int,
        key: StreamKey,
        number: int,
        location: int,
    ) -> bool:
        """Open and apply one content segment of a change that counts; False changes nothing."""
        if plain_kernel is not None and plain_kernel.take_segment(
            leaf, len(head), position, kind, key, number, location, held.state.row,
            self.forms_checked,
        ):  # fmt: skip
            return True
        return self._merge(held, leaf, head, position, kind, key, number, location)

    def _merge(
        self,
        held: PageStream,
        leaf: ServedLeaf,
        head: bytes,
        position: int,
        kind: int,
        key: StreamKey,
        number: int,
        location: int,
    ) -> bool:
        previous, sealed = leaf.previous_link, leaf.segments[position]
        if sealed is None:
            return False
        head_hash = sha256(head).digest()
        try:
            content = decode_content(
                open_segment(
                    key.cipher, previous, head, head_hash, position, key.commitment, sealed
                )
            )
        except CasesyncError:
            return False
        if content[2] is None or not fields_allowed(self._engine, kind, content):
            return False
        held.state.apply(leaf.device, number, kind, leaf.link[:8], content, location)
        return True
