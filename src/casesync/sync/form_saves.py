"""Forms saved one after another: each one change, as ``author.write_change`` makes it (sync floor).

A form replaces what this replica holds of its cells. What is the same for all saves of a batch (who
writes, the chain, randomness, the store's lists) is found and noted once, and a usual save is made
by a compiled twin from the stream's packed row to the row after it
(``protocol/decisions/0022-saves-on-packed-rows.md``). Everything else, and everything where the
twin was not compiled, goes through ``write_change``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from casesync.foundation.compiled import compiled
from casesync.foundation.ids import ChangeNumber, StreamId, StreamKind
from casesync.model.cells import Form
from casesync.model.own_content import made_form
from casesync.sync.author import (
    PUSHED_CHECKPOINT,
    Draft,
    continue_chain,
    own_chain,
    write_change,
)
from casesync.sync.context import Engine
from casesync.sync.own_save import save_kernel
from casesync.sync.ports import OutboxRow, StreamFlag, Transaction
from casesync.sync.stream_merge import state_of
from casesync.sync.stream_row import StreamRow
from casesync.sync.usual_keys import authorship

form_saver = (
    save_kernel
    and compiled("casesync.sync._stored_key", 2)
    and compiled("casesync.sync._form_saves", 3)
)
"""Makes usual saves on packed rows; without it ``write_change`` makes all."""

_RANDOM_BYTES: Final = 8
"""Of a header."""


class FormSave(NamedTuple):
    """One form of one record, in one compartment."""

    stream: StreamId
    """A stream that is here."""
    record: bytes
    """16 bytes."""
    compartment: int
    form: Form
    """Without elements."""
    values: list[Any]
    """One for each of the form's keys, valid in the schema."""


def write_forms(engine: Engine, tx: Transaction, saves: Sequence[FormSave]) -> list[int]:
    """Seal, sign, merge and queue one change of each save, in their order.

    Args:
        engine: identity, keys and control log.
        tx: the running transaction.
        saves: several may be of one record; each replaces what those before it wrote.

    Returns:
        Their numbers.

    Raises:
        AccessDenied, CannotDecide, UsageError: as ``author.write_change``; saves before the one
            that raised are written.
    """
    if form_saver is None or not saves:
        return [_written(engine, tx, save) for save in saves]
    batch = _Batch(engine, tx, saves)
    numbers: list[int] = []
    for at, save in enumerate(saves):
        number = batch.write(save, at)
        if number is None:
            batch.note()
            number = _written(engine, tx, save)
            batch.look(save.stream)
        numbers.append(number)
    batch.note()
    return numbers


def _written(engine: Engine, tx: Transaction, save: FormSave) -> int:
    """The save as every change is made."""
    row = StreamRow(tx.stream_rows([save.stream])[save.stream])
    replaced = state_of(row).replaces_for_form(save.record, save.form, save.compartment)
    clock_ms, version = engine.clock.now_ms(), engine.schema.version
    body, content = made_form(clock_ms, version, replaced, save.record, save.form, save.values)
    draft = Draft(
        stream=save.stream, bodies={save.compartment: body}, decoded={save.compartment: content}
    )
    return write_change(engine, tx, draft, row)[0]


class _Batch:
    """Usual saves of one transaction; ``note`` hands on what the store is to keep of them."""

    def __init__(self, engine: Engine, tx: Transaction, saves: Sequence[FormSave]) -> None:
        self._engine = engine
        self._tx = tx
        streams = list(dict.fromkeys(save.stream for save in saves))
        self._rows = dict(zip(streams, tx.packed_rows(streams), strict=True))
        self._keys = dict(zip(streams, tx.packed_keys(streams), strict=True))
        self._changed: dict[StreamId, bytes] = {}
        self._outbox: list[OutboxRow] = []
        self._random = engine.entropy.bytes(_RANDOM_BYTES * len(saves))
        self._version = engine.schema.version
        self._number, self._link = own_chain(tx, engine)
        self._saver = self._new_saver()

    def _new_saver(self) -> Any:  # noqa: ANN401 - a class of the twin
        """None while nothing is usual: the author, or what the next header is to say."""
        author = authorship(self._engine)
        if author is None or self._tx.value(PUSHED_CHECKPOINT) is not None:
            return None
        return form_saver.FormSaver(self._engine, author)

    def look(self, stream: StreamId) -> None:
        """Read again what ``write_change`` has changed."""
        [self._rows[stream]] = self._tx.packed_rows([stream])
        [self._keys[stream]] = self._tx.packed_keys([stream])
        self._number, self._link = own_chain(self._tx, self._engine)
        if self._saver is None:
            self._saver = self._new_saver()

    def write(self, save: FormSave, at: int) -> int | None:
        """Make one usual save, the ``at``-th; its number, None if it is not usual."""
        if self._saver is None:
            return None
        stream = save.stream
        made = self._saver.made(
            save,
            self._rows.get(stream),
            self._keys.get(stream),
            self._engine.clock.now_ms(),
            self._version,
            self._number + 1,
            self._link,
            self._random[_RANDOM_BYTES * at : _RANDOM_BYTES * (at + 1)],
        )
        if made is None:
            return None
        packed, place, message, self._link, size = made
        location = self._tx.append_own_packed(packed, place, message, self._engine.signer)
        self._number += 1
        self._rows[stream] = self._changed[stream] = self._saver.noted(location)
        self._outbox.append(OutboxRow(ChangeNumber(self._number), stream, location, size, None))
        return self._number

    def note(self) -> None:
        """Tell the store and the chain what was made."""
        if not self._outbox:
            return
        tx = self._tx
        tx.put_packed_rows(self._changed, int(StreamKind.CASE))
        tx.mark_streams(self._changed, StreamFlag.LISTING_STALE, on=True)
        for row in self._outbox:
            tx.put_outbox(row)
        continue_chain(tx, self._engine, self._number, self._link)
        self._changed.clear()
        self._outbox.clear()
