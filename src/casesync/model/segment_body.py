"""Bodies of content segments: reading and writing them (model).

Specified in ``protocol/change.md``, *Content segment*, and for copies in ``protocol/keys.md``,
*Grants*. Reading checks what merging relies on (counts, ids, cells, masks) and nothing about
values: a value of the wrong type is shown harmlessly by ``projection``, it is no reason to refuse
the words beside it. The decoded body stays the list that msgpack made, because this is the
hottest path of a first sync.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgpack

from casesync.codec.canonical import pack, unpack_fast
from casesync.foundation.errors import RemoteProtocolError, UsageError
from casesync.foundation.limits import (
    CELLS_PER_CHANGE_MAX,
    REPLACES_PER_SEGMENT_MAX,
    SEGMENT_BYTES_MAX,
)
from casesync.model.cells import (
    RECORD_BYTES,
    SIMPLE_FORMS,
    CellId,
    Form,
    check_record,
    intern_form,
    mask_number,
    mask_value,
)

Content = list[Any]
"""``[clock ms, schema version, replaces, groups, forms]``, checked. ``replaces`` and ``groups`` are
as in ``change.md``, masks as integers. ``forms`` is one ``Form`` if the segment is one group
without elements and with at most 64 cells, else a tuple of one per group. In a segment of copies
``replaces`` is None and ``groups`` is ``[grant, part, parts, copies]``."""

SIMPLE_CELLS_MAX: Final = 64
"""A simple segment's mask is one msgpack integer."""
CLOCK_MAX: Final = (1 << 48) - 1
DEVICE_MAX: Final = (1 << 32) - 1
NUMBER_MAX: Final = (1 << 48) - 1
LINK_BYTES: Final = 8
COPY_ITEMS: Final = 12
CONTENT_ITEMS: Final = 4
GROUP_ITEMS: Final = 3
"""Without elements."""

_SCALAR_TYPES: Final = frozenset({int, str, bytes, bool, type(None)})
SMALL_BODY_BYTES: Final = 4096
"""Up to here the plain decoder may run: an array cannot announce more items than bytes follow."""


class Write(NamedTuple):
    """One cell that an author sets: the cell, its resolver's code, its value (None = absent)."""

    cell: CellId
    code: int
    value: Any


class Replacement(NamedTuple):
    """What a segment replaces of one earlier change: the bits of ``mask`` (bit 0 = first cell)."""

    device: int
    number: int
    link8: bytes
    mask: int


class Copy(NamedTuple):
    """A write of an earlier change under its own identity (``keys.md``, *Grants*)."""

    device: int
    number: int
    link8: bytes
    position: int
    cell: CellId
    code: int
    clock_ms: int
    value: Any
    replaces: tuple[Replacement, ...]


def decode_content(body: bytes) -> Content:
    """The checked body of a content segment, copies included.

    Raises:
        RemoteProtocolError: ``malformed``: not such a body, or beyond its bounds.
    """
    if len(body) > SMALL_BODY_BYTES:
        return _decode_any(unpack_fast(body))
    try:
        content: Any = msgpack.unpackb(body)
        clock, version, replaces, [[record, kind, scalars]] = content
        form = SIMPLE_FORMS[(kind, *scalars[::2])]
        if (
            clock.__class__ is int
            and version.__class__ is int
            and 0 <= clock <= CLOCK_MAX
            and 0 <= version <= DEVICE_MAX
            and kind.__class__ is int
            and record.__class__ is bytes
            and len(record) == RECORD_BYTES
            and scalars.__class__ is list
            and len(scalars) == 2 * form.size <= 2 * SIMPLE_CELLS_MAX
            and (_SCALAR_TYPES.issuperset(map(type, scalars)) or _are_flat(scalars))
            and replaces.__class__ is list
        ):
            for entry in replaces:
                device, number, link8, mask = entry
                if (
                    mask.__class__ is not int
                    or device.__class__ is not int
                    or number.__class__ is not int
                    or link8.__class__ is not bytes
                    or len(link8) != LINK_BYTES
                    or mask < 0
                    or not 0 < device <= DEVICE_MAX
                    or not 0 < number <= NUMBER_MAX
                ):
                    break
            else:
                content.append(form)
                return content  # type: ignore[no-any-return] # a list of five now
    except (ValueError, TypeError, KeyError, msgpack.UnpackException):
        pass  # not simple, or a form not met before, or malformed
    return _decode_any(unpack_fast(body))


def _are_flat(values: list[Any]) -> bool:
    """Whether all are scalars or lists of them."""
    return all(
        value.__class__ in _SCALAR_TYPES
        or (value.__class__ is list and _SCALAR_TYPES.issuperset(map(type, value)))
        for value in values
    )


def decode_checked(body: bytes) -> Content:
    """As ``decode_content``, of a body that it has taken before: who reads it again.

    Only what the checks are about is left out, so masks may be bytes here.
    """
    try:
        content: Content = msgpack.unpackb(body)
    except (ValueError, msgpack.UnpackException):  # a hostile value, which was taken as it is
        content = unpack_fast(body)
    if len(content) == CONTENT_ITEMS:
        groups = content[3]
        forms = tuple([_known_form(group) for group in groups])
        content.append(forms[0] if len(groups) == 1 and not forms[0].elements else forms)
        return content
    return _decode_copies(content)


def _known_form(group: list[Any]) -> Form:
    if len(group) == GROUP_ITEMS:
        form = SIMPLE_FORMS.get((group[1], *group[2][::2]))
        if form is not None:
            return form
    return _group_form(group)


def _check_replaces(replaces: Any) -> None:  # noqa: ANN401
    """Check a replacement table and turn its masks into integers, in place."""
    if replaces.__class__ is not list or len(replaces) > REPLACES_PER_SEGMENT_MAX:
        raise RemoteProtocolError("malformed", what="replacement table")
    for entry in replaces:
        if entry.__class__ is not list or len(entry) != 4:
            raise RemoteProtocolError("malformed", what="replacement entry")
        device, number, link8, mask = entry
        if (
            device.__class__ is not int
            or number.__class__ is not int
            or link8.__class__ is not bytes
            or len(link8) != LINK_BYTES
            or not 0 < device <= DEVICE_MAX
            or not 0 < number <= NUMBER_MAX
        ):
            raise RemoteProtocolError("malformed", what="replacement entry")
        if mask.__class__ is not int or mask < 0:
            entry[3] = mask_number(mask)


def _decode_any(content: Any) -> Content:  # noqa: ANN401
    if content.__class__ is not list or len(content) not in {3, 4}:
        raise RemoteProtocolError("malformed", what="content segment")
    _check_number(content[0], 0, CLOCK_MAX, "clock")
    _check_number(content[1], 0, DEVICE_MAX, "schema version")
    if len(content) == 3:
        return _decode_copies(content)
    _check_replaces(content[2])
    groups = content[3]
    if groups.__class__ is not list or not 0 < len(groups) <= CELLS_PER_CHANGE_MAX:
        raise RemoteProtocolError("malformed", what="groups")
    forms = tuple(_group_form(group) for group in groups)
    if sum(form.size for form in forms) > CELLS_PER_CHANGE_MAX:
        raise RemoteProtocolError("malformed", what="number of cells")
    if len(groups) == 1:
        if len(groups[0]) == 3 and forms[0].size <= SIMPLE_CELLS_MAX:
            return [*content, forms[0]]
    elif len(set(_all_cells(groups, forms))) != sum(form.size for form in forms):
        raise RemoteProtocolError("malformed", what="a cell written twice")
    return [*content, forms]


def _group_form(group: Any) -> Form:  # noqa: ANN401
    if group.__class__ is not list or len(group) not in {3, 4}:
        raise RemoteProtocolError("malformed", what="group")
    check_record(group[0])
    scalars = group[2]
    if scalars.__class__ is not list or len(scalars) % 2:
        raise RemoteProtocolError("malformed", what="scalars")
    elements = group[3] if len(group) == 4 else []
    if elements.__class__ is not list or not (scalars or elements):
        raise RemoteProtocolError("malformed", what="elements")
    for row in elements:
        if row.__class__ is not list or len(row) != 4:
            raise RemoteProtocolError("malformed", what="element")
    keys = scalars[::2]
    if not elements and group[1].__class__ is int and set(map(type, keys)) == {int}:
        known = SIMPLE_FORMS.get((group[1], *keys))
        if known is not None:
            return known
    return intern_form(group[1], keys, [(row[0], row[1], row[2]) for row in elements])


def _all_cells(groups: Sequence[Any], forms: Sequence[Form]) -> Iterable[CellId]:
    for group, form in zip(groups, forms, strict=True):
        yield from form.cells(group[0])


def _check_number(value: object, low: int, high: int, what: str) -> None:
    if value.__class__ is not int or not low <= value <= high:
        raise RemoteProtocolError("malformed", what=what)


def _decode_copies(content: Content) -> Content:
    body = content[2]
    if body.__class__ is not list or len(body) != 4:
        raise RemoteProtocolError("malformed", what="copies")
    grant, part, parts, copies = body
    if grant.__class__ is not bytes or len(grant) != 16:
        raise RemoteProtocolError("malformed", what="grant id")
    _check_number(parts, 0, DEVICE_MAX, "parts")
    _check_number(part, 1 if parts else 0, parts, "part")
    if copies.__class__ is not list or len(copies) > CELLS_PER_CHANGE_MAX:
        raise RemoteProtocolError("malformed", what="copies")
    forms = tuple(_copy_form(row) for row in copies)
    return [content[0], content[1], None, body, forms]


def _copy_form(row: Any) -> Form:  # noqa: ANN401
    """Check one copy and give the form of its single cell."""
    if row.__class__ is not list or len(row) != COPY_ITEMS:
        raise RemoteProtocolError("malformed", what="copy")
    device, number, link8, position, record, kind, key, element, part, clock, _value, named = row
    _check_number(device, 1, DEVICE_MAX, "copy")
    _check_number(number, 1, NUMBER_MAX, "copy")
    if link8.__class__ is not bytes or len(link8) != LINK_BYTES:
        raise RemoteProtocolError("malformed", what="copy")
    _check_number(position, 0, CELLS_PER_CHANGE_MAX - 1, "copy")
    check_record(record)
    _check_number(clock, 0, CLOCK_MAX, "clock")
    _check_replaces(named)
    if element is not None:
        return intern_form(kind, (), [(key, element, part)])
    if part.__class__ is not int or part:
        raise RemoteProtocolError("malformed", what="part")
    return intern_form(kind, (key,))


def is_copies(content: Content) -> bool:
    """Whether a decoded body holds copies (a snapshot or supplement) instead of own writes."""
    return content[2] is None


def forms_of(content: Content) -> tuple[Form, ...]:
    """The forms a decoded body writes, one per group or copy: what rights are judged by.

    Forms without elements are interned: a verdict may be remembered by form.
    """
    forms: Form | tuple[Form, ...] = content[4]
    return (forms,) if forms.__class__ is Form else forms  # type: ignore[return-value]


def cells_of(content: Content) -> list[CellId]:
    """The cells of a decoded body (not of copies) in the order of their positions."""
    return list(_all_cells(content[3], forms_of(content)))


def write_at(content: Content, position: int) -> Write:
    """The write at ``position`` of a decoded body (not of copies)."""
    for group, form in zip(content[3], forms_of(content), strict=True):
        scalars = len(form.keys)
        if position < scalars:
            key = form.keys[position]
            cell = CellId(group[0], form.type, key >> 4, None, 0)
            return Write(cell, key & 15, group[2][2 * position + 1])
        if position < form.size:
            key, element, part, value = group[3][position - scalars]
            return Write(CellId(group[0], form.type, key >> 4, element, part), key & 15, value)
        position -= form.size
    raise IndexError(position)


def values_of(content: Content) -> list[tuple[int, Any]]:
    """(resolver's code, value) of a decoded body (not of copies) by position."""
    found: list[tuple[int, Any]] = []
    for group, form in zip(content[3], forms_of(content), strict=True):
        found += zip([key & 15 for key in form.keys], group[2][1::2], strict=True)
        if form.elements:
            found += [(key & 15, value) for key, _, _, value in group[3]]
    return found


def copy_at(content: Content, index: int) -> Copy:
    """Copy number ``index`` of a decoded body of copies."""
    row = content[3][3][index]
    cell = CellId(row[4], row[5], row[6] >> 4, row[7], row[8])
    named = tuple(Replacement(*entry) for entry in row[11])
    return Copy(row[0], row[1], row[2], row[3], cell, row[6] & 15, row[9], row[10], named)


def encode_content(
    clock_ms: int,
    schema_version: int,
    replaces: Iterable[Replacement],
    writes: Iterable[Write],
) -> bytes:
    """The canonical body of a content segment; cells stand in the order of ``writes``' groups.

    Writes are grouped by record and type in the order in which these first occur, scalars before
    elements: ask ``cells_of`` for the positions.

    Raises:
        UsageError: ``change-too-large``: over 256 cells, 4,096 replacements or 1 MB.
    """
    groups: dict[tuple[bytes, int], tuple[list[Any], list[Any]]] = {}
    for (record, kind, field, element, part), code, value in writes:
        scalars, elements = groups.setdefault((record, kind), ([], []))
        if element is None:
            scalars += [field << 4 | code, value]
        else:
            elements.append([field << 4 | code, element, part, value])
    rows = [
        [record, kind, scalars, elements] if elements else [record, kind, scalars]
        for (record, kind), (scalars, elements) in groups.items()
    ]
    return _encode([clock_ms, schema_version, _replaces_rows(replaces), rows])


def encode_copies(
    clock_ms: int, schema_version: int, grant: bytes, part: int, parts: int, copies: Iterable[Copy]
) -> bytes:
    """The canonical body of a segment of copies: part ``part`` of ``parts``, from 1.

    ``part`` = ``parts`` = 0 stands for a supplement.

    Raises:
        UsageError: ``change-too-large``: over 256 copies or 1 MB.
    """
    rows = [
        [
            *(copy.device, copy.number, copy.link8, copy.position),
            *(copy.cell.record, copy.cell.type, copy.cell.field << 4 | copy.code),
            *(copy.cell.element, copy.cell.part, copy.clock_ms, copy.value),
            _replaces_rows(copy.replaces),
        ]
        for copy in copies
    ]
    return _encode([clock_ms, schema_version, [grant, part, parts, rows]])


def _replaces_rows(replaces: Iterable[Replacement]) -> list[list[Any]]:
    return [[r.device, r.number, r.link8, mask_value(r.mask)] for r in replaces]


def _encode(rows: list[Any]) -> bytes:
    """Encode, and read again with the receiver's checks before anything is signed."""
    body = pack(rows)
    if len(body) > SEGMENT_BYTES_MAX:
        raise UsageError("change-too-large")
    try:
        decode_content(body)
    except RemoteProtocolError as error:
        raise UsageError("change-too-large", what=error.params.get("what")) from error
    return body
