"""The stored state of one stream: a plain list that msgpack keeps as it is (model).

Specified in ``protocol/record-model.md``, *Cell*, *Transparency* and *Copies*; the layout is this
replica's own and never leaves it:

    row      = [keys, slots, records, forms, strays]
    keys     = [device << 4 | compartment, ...], slots beside it
    slot     = [numbers applied, live, rare], numbers ascending
    live     = {number: [link8, location, mask, record, form]}
    rare     = nil | [named, named by copies, shadows, copies], each by number:
      named    [[link8, mask, record, form], ...]: replaced before it arrived
      shadow   [link8, location, killed, killed by copies, record, form, replaces]: does not count
      copy     [link8, position, carrier device, carrier number, location, index, cell, killed,
                counts, replaces]
    strays   = {key: rare} of devices that nothing came from yet

``record`` is an index into ``records`` or the id itself, ``form`` an index into ``forms`` or the
form's row itself; record -1 stands for a shape of several groups or with elements, and ``form`` is
then [[record id, type, keys, [[key, element, part], ...]], ...]. Masks are as in ``change.md``.
Everything is a list, a dictionary with integer keys, an integer, bytes, text, a boolean or None.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence, Set
from typing import Any, Final

from casesync.model.cells import CellId, Form, intern_form, simple_form

TABLE_MAX: Final = 32
"""Records and forms a stream keeps in tables; searching more would cost more than it saves."""
GENERAL: Final = -1
NAMED: Final = 0
"""Named by an original segment that counts: kills originals and copies."""
NAMED_BY_COPY: Final = 1
"""Named by a copy, or through one: kills copies only, so that who holds the originals merges as if
there were no copies."""
SHADOWS: Final = 2
COPIES: Final = 3

Row = list[Any]


def new_row() -> Row:
    """The row of a stream without segments."""
    return [[], [], [], [], {}]


def new_slot(row: Row, key: int, numbers: list[int]) -> Row:
    """Add and return the slot of ``key``, with what was named of it before it was there."""
    slot: Row = [numbers, {}, row[4].pop(key, None)]
    row[0].append(key)
    row[1].append(slot)
    return slot


def record_ref(row: Row, record: bytes) -> int | bytes:
    """Where ``record`` stands in the stream's table; itself if it is not there and that is full."""
    table: list[bytes] = row[2]
    if record in table:
        return table.index(record)
    if len(table) >= TABLE_MAX:
        return record
    table.append(record)
    return len(table) - 1


def form_ref(row: Row, form: Form) -> int | list[int]:
    """Where the simple ``form`` stands in the stream's table, or its row if that is full."""
    table: list[list[int]] = row[3]
    try:
        return table.index(form.row)
    except ValueError:
        pass
    if len(table) >= TABLE_MAX:
        return form.row
    table.append(form.row)
    return len(table) - 1


def shape_cells(row: Row, record: Any, form: Any) -> list[CellId]:  # noqa: ANN401
    """The cells of a stored shape in the order of their positions."""
    if record == GENERAL:
        found: list[CellId] = []
        for group_record, kind, keys, elements in form:
            group = intern_form(kind, keys, [(e[0], e[1], e[2]) for e in elements])
            found += group.cells(group_record)
        return found
    return stored_form(row, form).cells(row[2][record] if record.__class__ is int else record)


def shape_mask(row: Row, record: Any, form: Any, asked: Set[CellId]) -> int:  # noqa: ANN401
    """The mask of those cells of a stored shape that stand in ``asked``."""
    mask = 0
    if record == GENERAL:
        for at, cell in enumerate(shape_cells(row, record, form)):
            if cell in asked:
                mask |= 1 << at
        return mask
    own = row[2][record] if record.__class__ is int else record
    kind, *keys = row[3][form] if form.__class__ is int else form
    for at, key in enumerate(keys):
        # A tuple equals the ``CellId`` of the same parts; making that took four times as long.
        if (own, kind, key >> 4, None, 0) in asked:
            mask |= 1 << at
    return mask


def stored_form(row: Row, form: Any) -> Form:  # noqa: ANN401
    """The simple form behind a ``form`` of the row."""
    return simple_form(row[3][form] if form.__class__ is int else form)


def cells_shape(cells: Sequence[CellId]) -> tuple[int, list[Any]]:
    """A stored shape of just these cells; resolver codes do not matter to it."""
    groups: dict[tuple[bytes, int], tuple[list[int], list[Any]]] = {}
    for record, kind, field, element, part in cells:
        keys, elements = groups.setdefault((record, kind), ([], []))
        if element is None:
            keys.append(field << 4 | 1)
        else:
            elements.append([field << 4 | 1, element, part])
    return GENERAL, [[*group, *shape] for group, shape in groups.items()]


def mask_int(mask: int | bytes) -> int:
    """A stored mask as a number."""
    return mask if isinstance(mask, int) else int.from_bytes(mask, "big")


def contains(numbers: list[int], number: int) -> bool:
    """Whether ``number`` stands in the ascending ``numbers``."""
    place = bisect_left(numbers, number)
    return place < len(numbers) and numbers[place] == number


def insert(numbers: list[int], number: int) -> bool:
    """Put ``number`` into the ascending ``numbers``; False if it stands there already."""
    place = bisect_left(numbers, number)
    if place < len(numbers) and numbers[place] == number:
        return False
    numbers.insert(place, number)
    return True


def rares(row: Row) -> Iterator[tuple[int, Row]]:
    """(key, rare) wherever something waits, does not count or is a copy."""
    for key, slot in zip(row[0], row[1], strict=True):
        if slot[2] is not None:
            yield key, slot[2]
    yield from row[4].items()
