"""What lists take of a record is the same both ways (model/listed.py, DESIGN.md 9).

Whatever was written, replaced or refused: records that are read off their segments say what their
projections say, which the screens show.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.model import listed
from casesync.model.cells import CellId
from casesync.model.listed import ListedRecord, ListedRecords
from casesync.model.merge import StreamState
from casesync.model.projection import project
from casesync.model.schema import ValueKind
from casesync.model.segment_body import (
    Content,
    Copy,
    Write,
    decode_content,
    encode_content,
    encode_copies,
)
from unit.model.shipped import shipped_schema

SCHEMA = shipped_schema()
PERSON = SCHEMA.type_by_name("person")
NEWER_TYPE, NEWER_FIELD = 60_000, 60_001
RECORDS = (b"\x01" * 16, b"\x02" * 16)
FIELDS = [
    (kind, field.number, int(field.resolver), field)
    for kind in ("case", "person", "consent", "consultation")
    for field in SCHEMA.type_by_name(kind).fields.values()
]
ODD: list[Any] = [
    None,
    True,
    False,
    7,
    1_700_000_000_000,
    b"\x05" * 16,
    "an",
    "Nguyễn Thị Đào",
    "client",
    "high",
    "+84912345678",
    "2026-01-05",
    "x" * 300,
    "Nguyê\u0303n",
    "а б",
    "\u00a0",
    "a\u00ad",
    "x" * 5000,
    "hai\ndòng",
    "\x00",
    " ",
    [None, "open"],
    ["open", "nowhere"],
    ["gbv", "legal"],
    [],
]
EARLIER = 3
"""Device whose changes are copied and refused."""


@st.composite
def writes(draw: st.DrawFn) -> list[Write]:
    """Some cells of some records, each once, with values that fit and others."""
    found: dict[CellId, Write] = {}
    record = draw(st.sampled_from(RECORDS))
    for kind, known, code, field in draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=6)):
        type_number = SCHEMA.type_by_name(kind).number
        element, part = None, 0
        if field.element is not None and draw(st.integers(0, 9)):
            element = draw(st.sampled_from(("an", "bình", b"\x07" * 16)))
            part = draw(st.sampled_from((0, 0, *list(field.parts)[:1])))
        newer = draw(st.integers(0, 40))
        type_number = NEWER_TYPE if newer == 1 else type_number
        number = NEWER_FIELD if newer == 2 else known
        record = draw(st.sampled_from(RECORDS)) if draw(st.integers(0, 5)) == 0 else record
        cell = CellId(record, type_number, number, element, part)
        value = draw(st.sampled_from([True, False] if element is not None and not part else ODD))
        if field.value.kind is ValueKind.CODE and field.value.codelist and draw(st.booleans()):
            value = next(iter(SCHEMA.codes(field.value)))
        found[cell] = Write(cell, code, value)
    return list(found.values())


@st.composite
def states(draw: st.DrawFn) -> tuple[StreamState, dict[tuple[int, int], bytes | None]]:
    """A merged stream and what its segments open to."""
    state = StreamState()
    opened: dict[tuple[int, int], bytes | None] = {}
    for number in range(1, draw(st.integers(1, 6)) + 1):
        device, compartment = draw(st.integers(1, 2)), draw(st.sampled_from((2, 2, 3)))
        made = draw(writes())
        rare = draw(st.integers(0, 30))
        replaces = []
        if draw(st.integers(0, 3)):
            replaces = state.replaces_for([write.cell for write in made], compartment)
        body = encode_content(draw(st.integers(0, 9)), 1, replaces, made)
        if rare == 1:
            copies = [
                Copy(EARLIER, number, b"l" * 8, at, write.cell, write.code, 5, write.value, ())
                for at, write in enumerate(made)
            ]
            body = encode_copies(9, 1, b"g" * 16, 1, 1, copies)
        content = decode_content(body)
        state.apply(device, number, compartment, b"k" * 8, content, number, counts=rare != 2)
        opened[number, compartment] = None if rare == 3 else body
    return state, opened


def meaning(records: list[ListedRecord]) -> list[tuple[Any, ...]]:
    return sorted(
        (
            *(record.type, record.id, record.leading, record.newest_ms),
            sorted((name, repr(value)) for name, value in record.fields.items()),
            sorted(set(record.texts)),
            sorted(repr(cell) for cell in record.conflicts),
        )
        for record in records
    )


class Ways:
    """Both ways through one state."""

    def __init__(self, made: tuple[StreamState, dict[tuple[int, int], bytes | None]]) -> None:
        self._state, self._opened = made
        self._listed = ListedRecords(SCHEMA)
        self.projected = 0
        self.all = 0

    def _open(self, location: int, compartment: int) -> Content | None:
        body = self._opened[location, compartment]
        return None if body is None else decode_content(body)

    def slow(self) -> list[ListedRecord]:
        found = project(self._state, self._open, SCHEMA, lambda *_: 5)
        self.all = len(found)
        return [self._listed.projected(record) for record in found]

    def fast(self) -> list[ListedRecord]:
        def projections(records: Any) -> Any:
            found = project(self._state, self._open, SCHEMA, lambda *_: 5, records=records)
            self.projected = len(found)
            return found

        segments = self._state.plain_segments()
        bodies = [self._opened[at, compartment] for at, compartment, _ in segments or ()]
        return self._listed.read(segments, bodies, projections)


@contextmanager
def compiled_or_not(is_compiled: bool) -> Iterator[None]:
    """The twin as it is here, or switched off."""
    with pytest.MonkeyPatch.context() as patch:
        if not is_compiled:
            patch.setattr(listed, "listed_kernel", None)
        yield


@given(states(), st.booleans())
def test_records_read_off_their_segments_are_what_their_projections_are(made, is_compiled):
    ways = Ways(made)
    with compiled_or_not(is_compiled):
        assert meaning(ways.fast()) == meaning(ways.slow())


@pytest.mark.parametrize("is_compiled", [True, False])
def test_a_record_that_two_forms_wrote_is_read_off_its_segments(is_compiled):
    """Else the property above would hold without saying anything about it."""
    state = StreamState()
    opened: dict[tuple[int, int], bytes | None] = {}
    fields = [f for f in PERSON.fields.values() if f.value.kind is ValueKind.TEXT]
    for number, chosen in enumerate((fields[:4], fields[2:6]), 1):
        cells = [CellId(RECORDS[0], PERSON.number, field.number, None, 0) for field in chosen]
        made = [Write(c, int(f.resolver), "an") for c, f in zip(cells, chosen, strict=True)]
        named = state.replaces_for(cells, 2)
        opened[number, 2] = body = encode_content(number, 1, named, made)
        state.apply(1, number, 2, b"k" * 8, decode_content(body), number)
    ways = Ways((state, opened))
    with compiled_or_not(is_compiled):
        assert meaning(ways.fast()) == meaning(ways.slow())
    assert (ways.projected, ways.all) == (0, 1)


@pytest.mark.parametrize("is_compiled", [True, False])
@pytest.mark.parametrize("writers", [1, 2])
def test_the_notice_of_a_consent_is_kept_and_not_searched_either_way(is_compiled, writers):
    """schemas.md, Folding; of two writers the field is in conflict and is projected."""
    consent = SCHEMA.type_by_name("consent")
    [notice] = [f for f in consent.fields.values() if f.name == "notice_text"]
    [version] = [f for f in consent.fields.values() if f.name == "notice_version"]
    state = StreamState()
    opened: dict[tuple[int, int], bytes | None] = {}
    for device in range(1, writers + 1):
        made = [
            Write(CellId(RECORDS[0], consent.number, field.number, None, 0), 1, value)
            for field, value in ((notice, f"Tôi đồng ý {device}"), (version, "mẫu 2"))
        ]
        opened[device, 2] = body = encode_content(device, 1, [], made)
        state.apply(device, 1, 2, b"k" * 8, decode_content(body), device)
    ways = Ways((state, opened))
    with compiled_or_not(is_compiled):
        [fast], [slow] = ways.fast(), ways.slow()
    assert set(fast.texts) == set(slow.texts) == {"mẫu 2"}
    assert fast.fields["consent.notice_text"] == slow.fields["consent.notice_text"]
    assert "Tôi đồng ý 1" in str(fast.fields)
    assert ways.projected == writers - 1
