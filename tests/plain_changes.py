"""Plain changes of one case, honest and hostile, and a row that takes them in (for tests)."""

from __future__ import annotations

import copy
from hashlib import sha256
from typing import Any

import msgpack
from hypothesis import strategies as st

from casesync.codec.padding import pad
from casesync.crypto.aead import TAG_BYTES, siv_seal
from casesync.crypto.sealing import segment_nonce
from casesync.foundation.ids import StreamId
from casesync.model.state_row import TABLE_MAX
from casesync.sync import stream_kernels
from casesync.sync.keyring import StreamKey
from casesync.sync.page_stream import PageStream
from casesync.sync.plain_path import Fresh, PlainPath
from casesync.sync.stream_merge import state_of
from casesync.sync.stream_row import StreamRow
from casesync.translog.header import encode_head, encode_header, plain_header
from casesync.translog.served_leaf import PlainServedLeaf, ServedLeaf
from properties.test_page_paths import PERSON, RECORDS, WORLD

runs = stream_kernels.plain_kernel

ODD_NUMBERS = (
    b"\x80\x00", b"\x87\x00", b"\x80" * 6 + b"\x00", b"\xff" * 2 + b"\x03", b"\xff" * 2 + b"\x04",
    b"\xff" * 4 + b"\x0f", b"\xff" * 4 + b"\x10", b"\xff" * 6 + b"\x3f", b"\xff" * 6 + b"\x40",
    b"\xff" * 6 + b"\x7f", b"\xff" * 7 + b"\x01", b"\xff" * 90, b"\xff", b"\x80", b"\x80\x80",
)  # fmt: skip
"""Varints at their bounds and beyond, longer than they need be, without an end."""


@st.composite
def changed(draw: st.DrawFn, data: bytes) -> bytes:
    """``data`` with a byte changed, or cut, or with something behind it."""
    at = draw(st.integers(0, max(0, len(data) - 1)))
    how = draw(st.sampled_from(["byte", "number", "cut", "more"]))
    if how == "byte" and data:
        return data[:at] + bytes([draw(st.integers(0, 255))]) + data[at + 1 :]
    if how == "number":
        return data[:at] + draw(st.sampled_from(ODD_NUMBERS)) + data[at + 1 :]
    return data[:at] if how == "cut" else data + draw(st.binary(max_size=70))


OWNER = bytes(WORLD.replicas[0].core.engine.unit)
DEVICES = (1, 2, 3)
FIELDS = [row for row in WORLD.fields if row[0] == WORLD.fields[0][0]]
KIND = WORLD.fields[0][0]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 63), (1 << 64) - 1),
    st.text(max_size=40),
    st.binary(max_size=40),
)
lists = st.lists(scalars, max_size=3) | st.lists(st.booleans(), min_size=16, max_size=18)
rare = st.one_of(
    st.floats(),
    st.lists(st.floats() | lists, max_size=2),
    st.just({}),
    st.just(msgpack.ExtType(3, b"x")),
    st.text(min_size=300),
)


@st.composite
def bodies(
    draw: st.DrawFn,
    written: list[tuple[int, int, bytes, int]],
    fields: list[tuple[int, int, int]] = FIELDS,
) -> bytes:
    """Mostly simple bodies that replace what was written before; some are anything else."""
    chosen = draw(st.lists(st.sampled_from(fields), min_size=1, max_size=4, unique=True))
    pairs: list[Any] = []
    for _, field, code in chosen:
        wrong = not draw(st.integers(0, 30))
        pairs += [field << 4 | (code % 9 + 1 if wrong else code)]
        pairs += [draw((scalars | lists) if draw(st.integers(0, 20)) else rare)]
    named = draw(st.lists(st.sampled_from(written), max_size=4)) if written else []
    replaces = [
        [device, number, link8, draw(st.sampled_from([(1 << size) - 1, 1, 2, 0, 1 << 70]))]
        if draw(st.integers(0, 20))
        else [device, number + 1, b"x" * 8, 1]
        for device, number, link8, size in named
    ]
    replaces = [row for row in replaces if row[3] < 1 << 64]
    body: list[Any] = [5, 1, replaces, [[draw(st.sampled_from(RECORDS)), PERSON, pairs]]]
    if not draw(st.integers(0, 15)):
        at = draw(st.integers(0, 3))
        body[at] = draw(st.one_of(scalars, rare))
    packed: bytes = msgpack.packb(body, use_bin_type=True, strict_types=True)
    return packed if draw(st.integers(0, 8)) else draw(changed(packed))


def sealed_leaf(
    key: StreamKey, index: int, device: int, number: int, body: bytes, position: int = 0
) -> ServedLeaf:
    """A change as the page reader gives it, whatever its body is."""
    stream, previous = b"s" * 16, bytes([number]) * 32
    head = encode_head(
        device=device,
        number=number,
        stream=stream,
        previous_here=0,
        after=[],
        control_size=3,
        random8=number.to_bytes(8, "big"),
    )
    aad = sha256(head).digest() + bytes([position]) + key.commitment
    padded = pad(body, TAG_BYTES)
    sealed = siv_seal(key.cipher, segment_nonce(previous, head, position), aad, padded)
    rows = [(KIND, key.commitment[:8], len(sealed), sha256(sealed).digest())]
    header = encode_header(head, rows)
    link = sha256(header).digest()
    return ServedLeaf(
        index, 9, previous, header, b"g" * 64, (b"",) * position + (sealed,), None, device,
        link, True,
    )  # fmt: skip


def fields(leaf: ServedLeaf) -> PlainServedLeaf:
    """The parts of a leaf, compiled or not."""
    return PlainServedLeaf(*(getattr(leaf, name) for name in PlainServedLeaf._fields))


def altered(leaf: ServedLeaf, **parts: Any) -> ServedLeaf:
    """A leaf like it but for some parts."""
    return ServedLeaf(*fields(leaf)._replace(**parts))


class Held:
    """A row under both ways, and what they share."""

    def __init__(self) -> None:
        core = WORLD.replicas[0].core
        self.engine = core.engine
        ring = self.engine.keys
        self.stream = StreamId(b"k" * 16)
        self.key = ring.prepare(self.stream, KIND, (1, 1, 0), b"q" * 32)
        fact = [1, 1, 0, KIND, self.key.commitment[:8], 0, -1, True, b""]
        self.row: list[Any] = [[], [], [[1, OWNER], [], [fact], False], 0, {}, {}, 0, 1, False]
        self.state = state_of(StreamRow(self.row)).to_row()
        self.path = PlainPath(self.engine)
        self.path.devices.update(dict.fromkeys(DEVICES, (OWNER, 1 << KIND)))

    def fill_forms(self) -> None:
        """Leave no place in the stream's table of forms."""
        self.row[1][3] = [[PERSON, field << 4 | 3] for field in range(200, 200 + TABLE_MAX)]

    def last(self) -> int:
        """Largest index held; -1 = none."""
        return StreamRow(self.row).last_index()

    def slowly(self, leaf: ServedLeaf, location: int) -> tuple[bool, list[Any]]:
        """What Python makes of the leaf, on a copy of the row."""
        held = PageStream.__new__(PageStream)
        held.stream, held.row, held._state = self.stream, StreamRow(copy.deepcopy(self.row)), None
        held.plain_owner, held.last_index = OWNER, -1
        plain = plain_header(leaf.header)
        assert plain is not None
        self.engine.keys._streams[self.stream] = {(KIND, self.key.commitment[:8]): self.key}
        taken = self.path.take(held, leaf, plain, location)
        return taken, held.row.row

    def merged(self, leaf: ServedLeaf, head: bytes, position: int) -> tuple[bool, list[Any]]:
        """What Python makes of one segment of a change, on a copy of the row."""
        held = PageStream.__new__(PageStream)
        held.row, held._state = StreamRow(copy.deepcopy(self.row)), None
        taken = self.path._merge(held, leaf, head, position, KIND, self.key, 7, 40)
        return taken, held.row.row

    def fast(self, leaf: ServedLeaf, location: int) -> tuple[bool, list[Any]]:
        """What the compiled twin makes of it, on another copy."""
        row = copy.deepcopy(self.row)
        plain = plain_header(leaf.header)
        assert plain is not None
        self.engine.keys._streams[self.stream] = {(KIND, self.key.commitment[:8]): self.key}
        fresh = [Fresh(leaf, plain[0], plain, None)]
        stop = runs.take_run(
            fresh, 0, [location], 0, row, row[1], self.stream, self.path, OWNER, -1
        )
        return stop == 1, row


def form_save(held: Held, step: int, device: int, number: int, replaces: list[Any]) -> ServedLeaf:
    """The same three fields of the same record each time."""
    pairs = [part for _, field, code in FIELDS[:3] for part in (field << 4 | code, "làm")]
    packed = msgpack.packb([5, 1, replaces, [[RECORDS[0], PERSON, pairs]]], use_bin_type=True)
    return sealed_leaf(held.key, step, device, number, packed)


def key_row(held: Held, kind: int) -> dict[tuple[int, tuple[int, int, int]], bytes]:
    """Its key, said to be of a compartment."""
    return {(kind, (1, 1, 0)): held.key.key + held.key.sealing + held.key.commitment}
