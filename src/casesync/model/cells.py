"""Cells and the shapes of segments: which cells a segment writes, in which order (model).

Specified in ``protocol/record-model.md``, *Cell*, and ``protocol/change.md``, *Content segment*.
Merging compares shapes, never values: the shape of one group is a ``Form``, interned, because an
office saves the same few forms all day and two equal forms are then one comparison. Values are
not looked at here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, final

from typing_extensions import override

from casesync.foundation.errors import RemoteProtocolError
from casesync.foundation.limits import CELLS_PER_CHANGE_MAX

KEY_MIN: Final = 1 << 4 | 1
"""Field 1, resolver 1."""
KEY_MAX: Final = 0xFFFFF
"""Fields have 16 bits, resolver codes 4."""
TYPE_MAX: Final = 0xFFFF
PART_MAX: Final = 0xFFFF
ELEMENT_CHARS_MAX: Final = 256
"""An element names a person, a phone or a code; longer text is a value."""
RECORD_BYTES: Final = 16
FORMS_INTERNED_MAX: Final = 4096
"""More than all forms of an office; a peer that invents more only makes us start again."""

Element = str | bytes | None
"""What names an element of a set: text, 16 bytes, or None for a cell without elements."""


class CellId(NamedTuple):
    """The one CRDT's address inside a stream and compartment."""

    record: bytes
    type: int
    field: int
    element: Element
    part: int


@final
class Form:
    """Which cells one group of a segment writes, its record apart; built by ``intern_form``.

    Equal forms are one object while they stay interned, so a form may be the key of a cache that
    forgets; compare ``row`` and ``elements`` where a mistake would matter.
    """

    __slots__ = ("_allowed", "elements", "fields", "full", "keys", "row", "size", "type")

    def __init__(
        self, kind: int, keys: tuple[int, ...], elements: tuple[tuple[int, Element, int], ...]
    ) -> None:
        self.type: Final = kind
        self.keys: Final = keys
        """Keys (field x 16 + resolver) of the scalar cells."""
        self.elements: Final = elements
        """(key, element, part) of the others."""
        self.size: Final = len(keys) + len(elements)
        self.full: Final = (1 << self.size) - 1
        """The mask that names every cell."""
        self.row: Final[list[Any]] = [kind, *keys]
        """What a stream's row keeps of a form without elements."""
        self.fields: Final = frozenset([key >> 4 for key in keys] + [e[0] >> 4 for e in elements])
        self._allowed: dict[tuple[int, ...], int] = {}

    def cells(self, record: bytes) -> list[CellId]:
        """The cells in the order of their positions."""
        kind = self.type
        found = [CellId(record, kind, key >> 4, None, 0) for key in self.keys]
        found += [CellId(record, kind, key >> 4, name, part) for key, name, part in self.elements]
        return found

    def mask_of(self, target: list[int]) -> int:
        """The bits of ``target`` (a form's ``row``) whose cells this form writes too.

        Both are forms without elements, of the same record.
        """
        asked = tuple(target)
        mask = self._allowed.get(asked)
        if mask is None:
            mask = 0
            if asked[0] == self.type:
                for position, key in enumerate(asked[1:]):
                    if key >> 4 in self.fields:
                        mask |= 1 << position
            if len(self._allowed) >= FORMS_INTERNED_MAX:
                self._allowed.clear()
            self._allowed[asked] = mask
        return mask

    @override
    def __repr__(self) -> str:
        return f"Form({self.type}, {self.keys}, {self.elements})"


SIMPLE_FORMS: Final[dict[tuple[int, ...], Form]] = {}
"""Forms without elements by (type, *keys). What stands here has been checked; the hot path of
``segment_body`` looks here first. Filled and emptied by ``intern_form`` alone."""

_OTHER_FORMS: Final[
    dict[tuple[int, tuple[int, ...], tuple[tuple[int, Element, int], ...]], Form]
] = {}


def intern_form(
    kind: object, keys: Sequence[object], elements: Sequence[tuple[object, object, object]] = ()
) -> Form:
    """The checked form of one group.

    Raises:
        RemoteProtocolError: ``malformed``: a type, key, element or part that cannot be, a cell
            named twice, or more than 256 cells.
    """
    _check_int(kind, 1, TYPE_MAX, "record type")
    for key in keys:
        _check_int(key, KEY_MIN, KEY_MAX, "key")
        if not key & 15:  # type: ignore[operator] # an int, as just checked
            raise RemoteProtocolError("malformed", what="resolver code")
    for key, element, part in elements:
        _check_int(key, KEY_MIN, KEY_MAX, "key")
        if not key & 15:  # type: ignore[operator] # an int, as just checked
            raise RemoteProtocolError("malformed", what="resolver code")
        check_element(element)
        _check_int(part, 0, PART_MAX, "part")
    form = Form(kind, tuple(keys), tuple(elements))  # type: ignore[arg-type] # as just checked
    if form.size > CELLS_PER_CHANGE_MAX:
        raise RemoteProtocolError("malformed", what="number of cells")
    if len({(cell.field, cell.element, cell.part) for cell in form.cells(b"")}) != form.size:
        raise RemoteProtocolError("malformed", what="a cell written twice")
    if form.elements:
        if len(_OTHER_FORMS) >= FORMS_INTERNED_MAX:
            _OTHER_FORMS.clear()
        return _OTHER_FORMS.setdefault((form.type, form.keys, form.elements), form)
    if len(SIMPLE_FORMS) >= FORMS_INTERNED_MAX:
        SIMPLE_FORMS.clear()
    return SIMPLE_FORMS.setdefault((form.type, *form.keys), form)


def simple_form(row: Sequence[int]) -> Form:
    """The form whose ``row`` is ``row``, one that was checked when it was stored."""
    found = SIMPLE_FORMS.get(tuple(row))
    return intern_form(row[0], row[1:]) if found is None else found


def check_element(element: object) -> None:
    """Raises RemoteProtocolError ``malformed`` unless ``element`` can name an element of a set."""
    if element.__class__ is str:
        if len(element) <= ELEMENT_CHARS_MAX:
            return
    elif element.__class__ is bytes and len(element) == RECORD_BYTES:
        return
    raise RemoteProtocolError("malformed", what="element")


def check_record(record: object) -> None:
    """Raises RemoteProtocolError ``malformed`` unless ``record`` is a record id (16 bytes)."""
    if record.__class__ is not bytes or len(record) != RECORD_BYTES:
        raise RemoteProtocolError("malformed", what="record id")


def _check_int(value: object, low: int, high: int, what: str) -> None:
    if value.__class__ is not int or not low <= value <= high:
        raise RemoteProtocolError("malformed", what=what)


def positions(mask: int) -> Iterable[int]:
    """The positions of the bits that are set, ascending."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def mask_value(mask: int) -> int | bytes:
    """A mask as it stands in msgpack: an integer below 2^64, its shortest bytes above."""
    return mask if mask < 1 << 64 else mask.to_bytes((mask.bit_length() + 7) // 8, "big")


def mask_number(value: object) -> int:
    """The mask that ``value`` of a replacement entry stands for.

    Raises:
        RemoteProtocolError: ``malformed``: negative, longer than 32 bytes, or not the shortest.
    """
    if value.__class__ is int and value >= 0:
        return value
    if isinstance(value, bytes) and 8 < len(value) <= CELLS_PER_CHANGE_MAX // 8 and value[0]:
        return int.from_bytes(value, "big")
    raise RemoteProtocolError("malformed", what="mask")
