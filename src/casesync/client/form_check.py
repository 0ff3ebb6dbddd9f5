"""Forms of one case checked in their order, before anything of them is written (client).

Each is judged as the edit would judge it that is made when those before it are saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from casesync.client.case_edit import CaseEdit
from casesync.client.core import Core
from casesync.client.views import Assignment
from casesync.codec.padding import padded_length
from casesync.crypto.aead import TAG_BYTES
from casesync.foundation.errors import (
    AccessDenied,
    CannotDecide,
    CasesyncError,
    ConflictStop,
    UsageError,
)
from casesync.foundation.ids import StreamId
from casesync.foundation.limits import CHANGE_BYTES_MAX, HEADER_BYTES_MAX, SEGMENT_BYTES_MAX
from casesync.model.cells import CellId, intern_form
from casesync.model.merge import LiveWrite
from casesync.model.segment_body import Write
from casesync.sync.author import Draft, refuse_unwritable
from casesync.sync.form_saves import FormSave
from casesync.sync.ports import Transaction
from casesync.sync.stream_row import StreamRow

REFUSALS = (UsageError, AccessDenied, ConflictStop, CannotDecide)
"""What says of a value that it cannot be saved; everything else ends the call."""

Writes = dict[int, dict[CellId, Write]]
"""By compartment."""


class CheckedForm(NamedTuple):
    """One form that may be saved."""

    place: int
    """Among the forms of the call, from 0."""
    saves: tuple[FormSave, ...]
    """One for each compartment, ascending; empty where ``writes`` says it."""
    writes: Writes
    """Where it has elements of sets or several records in one compartment, else empty."""

    @property
    def compartments(self) -> set[int]:
        """Compartments that it writes."""
        return {save.compartment for save in self.saves} | set(self.writes)


class Refusal(NamedTuple):
    """Why a value of a form, or the whole of it, cannot be saved."""

    assignment: int | None
    """Which of the form's, from 0; None: the form."""
    error: CasesyncError


class FormCheck(CaseEdit):
    """An edit that goes on behind what is refused, and takes one form after another."""

    def __init__(self, core: Core, tx: Transaction, stream: StreamId, row: StreamRow) -> None:
        """Args: as of ``CaseEdit``; the transaction is used as long as forms are taken."""
        super().__init__(core, tx, stream, row)
        self._tx = tx
        self._sealable: dict[frozenset[int], CasesyncError | None] = {}
        """What ``author`` would refuse a change of these compartments with."""

    def take(self, place: int, values: Sequence[Assignment]) -> CheckedForm | list[Refusal]:
        """One form, or all that is wrong with it; then nothing of it counts for the next.

        Args:
            place: of the form in its call, from 0.
            values: at least one.
        """
        refused = self._take_each(values)
        if not refused:
            try:
                [draft] = self.drafts()
                self._check_size(draft)
                self._check_keys(draft)
            except REFUSALS as error:
                refused.append(Refusal(None, error.untraced()))
        writes, self._writes = self._writes, {}
        if refused:
            return refused
        for compartment, cells in writes.items():
            for cell, write in cells.items():
                here = LiveWrite(cell, 0, 0, 0, compartment, b"", 0, None)
                self._cells[compartment, cell] = [(here, write.value)]
        saves = self._as_saves(writes)
        return CheckedForm(place, saves, {} if saves else writes)

    def _take_each(self, values: Sequence[Assignment]) -> list[Refusal]:
        said: set[CellId] = set()
        refused: list[Refusal] = []
        for at, value in enumerate(values):
            try:
                cell = self._assign(value, value.text, None, resolve=False)
                if cell in said:
                    name = f"{value.type}.{value.field}"
                    raise UsageError("assignment-twice", field=name)
                said.add(cell)
            except REFUSALS as error:
                refused.append(Refusal(at, error.untraced()))
        return refused

    def _check_keys(self, draft: Draft) -> None:
        """Rights and keys depend on the compartments alone, and only become more with each form.

        Raises: AccessDenied, CannotDecide: which else the writing would find.
        """
        written = frozenset(draft.bodies)
        if written not in self._sealable:
            self._sealable[written] = None
            try:
                refuse_unwritable(self._core.engine, self._tx, draft, self._row)
            except (AccessDenied, CannotDecide) as error:
                self._sealable[written] = error.untraced()
        refusal = self._sealable[written]
        if refusal is not None:
            raise type(refusal)(refusal.code, **refusal.params)

    def _check_size(self, draft: Draft) -> None:
        """Raises: UsageError: ``change-too-large``, which else the writing would find."""
        sizes = [padded_length(len(body) + 1 + TAG_BYTES) for body in draft.bodies.values()]
        whole = sum(sizes) + 2 * HEADER_BYTES_MAX
        if max(sizes, default=0) > SEGMENT_BYTES_MAX or whole > CHANGE_BYTES_MAX:
            raise UsageError("change-too-large")

    def _as_saves(self, writes: Writes) -> tuple[FormSave, ...]:
        """The form by compartment; nothing where it is not of one record each, or has elements."""
        saves = []
        for compartment, cells in sorted(writes.items()):
            record, kind = next(iter(cells))[:2]
            plain = all(
                cell[:2] == (record, kind) and cell.element is None and not cell.part
                for cell in cells
            )
            if not plain:
                return ()
            keys = [cell.field << 4 | write.code for cell, write in cells.items()]
            values = [write.value for write in cells.values()]
            form = intern_form(kind, keys)
            saves.append(FormSave(self._stream, record, compartment, form, values))
        return tuple(saves)
