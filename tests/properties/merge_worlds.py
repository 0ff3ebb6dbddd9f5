"""Random segments and histories for the properties of merging."""

from __future__ import annotations

from hypothesis import strategies as st

from casesync.model.cells import CellId
from casesync.model.segment_body import (
    Content,
    Copy,
    Replacement,
    Write,
    cells_of,
    decode_content,
    encode_content,
    encode_copies,
)
from properties.reference_merge import CopyOf, Seg

RECORDS = (b"\x01" * 16, b"\x02" * 16)
ELEMENTS: tuple[str | bytes | None, ...] = (None, None, "gbv", b"\x07" * 16)
CODE = 3


def link_of(device: int, number: int) -> bytes:
    return bytes([device, number]) * 4


cells = st.builds(
    lambda record, kind, field, element, part: CellId(
        record, kind, field, element, 0 if element is None else part
    ),
    st.sampled_from(RECORDS),
    st.sampled_from((1, 1, 1, 2)),
    st.integers(1, 3),
    st.sampled_from(ELEMENTS),
    st.integers(0, 1),
)
named = st.builds(
    lambda device, number, right, mask: (
        device,
        number,
        link_of(device, number) if right else b"\xee" * 8,
        mask,
    ),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(0, 9).map(bool),
    st.integers(0, 63),
)
copies = st.builds(
    lambda entry, position, cell, replaces: CopyOf(
        entry[0], entry[1], entry[2], position, cell, tuple(replaces)
    ),
    named,
    st.integers(0, 2),
    cells,
    st.lists(named, max_size=2),
)


def ordered(wanted: list[CellId]) -> tuple[CellId, ...]:
    """The cells in the order in which the encoder numbers them."""
    content = body_of(Seg(1, 1, 2, b"", tuple(wanted)))
    return tuple(cells_of(content))


@st.composite
def segment_sets(draw: st.DrawFn, with_copies: bool = True) -> list[Seg]:
    """Arbitrary segments, hostile ones included; at most one per (device, number, compartment)."""
    keys = draw(
        st.lists(
            st.tuples(st.integers(1, 4), st.integers(1, 4), st.sampled_from((2, 2, 7))),
            min_size=1,
            max_size=9,
            unique=True,
        )
    )
    made = []
    for device, number, compartment in keys:
        link8 = link_of(device, number)
        if with_copies and draw(st.integers(0, 3)) == 0:
            carried = tuple(draw(st.lists(copies, max_size=3)))
            made.append(Seg(device, number, compartment, link8, copies=carried))
            continue
        wanted = draw(st.lists(cells, min_size=1, max_size=5, unique=True))
        replaces = tuple(draw(st.lists(named, max_size=4)))
        made.append(Seg(device, number, compartment, link8, ordered(wanted), replaces))
    return made


def body_of(segment: Seg) -> Content:
    """The decoded body that an author of ``segment`` would have sent."""
    if segment.copies is None:
        writes = [Write(cell, CODE, f"{segment.device}.{segment.number}") for cell in segment.cells]
        replaces = [Replacement(*entry) for entry in segment.replaces]
        return decode_content(encode_content(segment.number, 1, replaces, writes))
    made = [
        Copy(
            *(c.device, c.number, c.link8, c.position, c.cell, CODE, 5, "copied"),
            tuple(Replacement(*entry) for entry in c.replaces),
        )
        for c in segment.copies
    ]
    return decode_content(encode_copies(segment.number, 1, b"g" * 16, 1, 1, made))
