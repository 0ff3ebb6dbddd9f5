"""A relay that lies, steered by a test (testing; SECURITY.md, attacks 41 to 44, 53, 54).

It runs the honest mailbox with the honest log key and turns against its members in the ways an
operator could: older states and second histories kept beside the first (``keep``, ``serve``),
leaves it has but does not show (``withhold``), answers changed on their way out (``edit``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, final

from casesync.foundation.ports import Clock, Entropy
from casesync.relay.mailbox import Caller, Mailbox
from casesync.relay.relay_store import RelayTransaction
from casesync.relay.sqlite_store import SqliteStore
from casesync.wire.messages import ControlPage, SyncAnswer

HONEST: Final = "honest"
"""The view everybody is served unless told otherwise."""
Edit = Callable[[Caller, SyncAnswer], SyncAnswer]
"""Changes an answer to a device before it leaves."""


@final
class HostileRelay:
    """Speaks like ``Mailbox``; give it to ``MemoryNetwork``."""

    def __init__(
        self,
        clock: Clock,
        entropy: Entropy,
        *,
        networks_max: int = 16,
        store: SqliteStore | None = None,
    ) -> None:
        """Start with one honest view, on ``store`` if given: a relay that was honest so far."""
        self._clock = clock
        self._entropy = entropy
        self._networks_max = networks_max
        self._hidden: dict[str, set[int]] = {}
        self._stores: dict[str, SqliteStore] = {}
        self._views: dict[str, Mailbox] = {}
        self._served: dict[int, str] = {}
        self._control_shown: dict[int, SyncAnswer] = {}
        self._control_kept: set[int] = set()
        self.edit: Edit | None = None
        self.answers: list[SyncAnswer] = []
        """Every answer as the mailbox gave it, oldest first."""
        self._add(HONEST, store or SqliteStore(":memory:"))

    # -- steering ---------------------------------------------------------------------------------
    def keep(self, view: str, source: str = HONEST) -> None:
        """Keep a second history that begins as ``source`` stands now."""
        self._add(view, self._stores[source].copy())

    def serve(self, view: str, *devices: int) -> None:
        """Show ``view`` to these devices from now on (an older one: a roll-back; two: a fork)."""
        self._served.update(dict.fromkeys(devices, view))

    def withhold(self, *indexes: int, view: str = HONEST) -> None:
        """Prove these leaves of the change log, but never serve them."""
        self._hidden[view].update(indexes)

    def release(self, view: str = HONEST) -> None:
        """Serve again what was withheld (to whoever asks for it)."""
        self._hidden[view].clear()

    def keep_control_from(self, device: int, *, on: bool = True) -> None:
        """Show a device no control entry behind its last answer, while the rest goes on."""
        (self._control_kept.add if on else self._control_kept.discard)(device)

    def stale(self, caller_device: int, answer: SyncAnswer) -> None:
        """From now on answer this device with that old answer's checkpoints and pages."""

        def edit(caller: Caller, fresh: SyncAnswer) -> SyncAnswer:
            return answer if caller.device == caller_device else fresh

        self.edit = edit

    # -- as a mailbox -----------------------------------------------------------------------------
    @property
    def relay_key(self) -> bytes:
        """The log key, the same for every view."""
        return self._views[HONEST].relay_key

    def create_network(self, body: bytes) -> bytes:
        """See ``Mailbox``; in the honest view."""
        return self._views[HONEST].create_network(body)

    def append_control(self, caller: Caller, body: bytes) -> bytes:
        """See ``Mailbox``."""
        return self._view(caller).append_control(caller, body)

    def blob(self, caller: Caller, name: bytes) -> bytes:
        """See ``Mailbox``."""
        return self._view(caller).blob(caller, name)

    def sync(self, caller: Caller, body: bytes) -> bytes:
        """See ``Mailbox``; then as ``edit`` wants it."""
        answer = SyncAnswer.decode(self._view(caller).sync(caller, body))
        self.answers.append(answer)
        device = int(caller.device)
        if device in self._control_kept:
            shown = self._control_shown[device]
            answer = replace(
                answer,
                control=ControlPage(answer.control.first, ()),
                control_checkpoint=shown.control_checkpoint,
            )
        else:
            self._control_shown[device] = answer
        if self.edit is not None:
            answer = self.edit(caller, answer)
        return answer.encode()

    def rendezvous_open(self, caller: Caller, invitation: bytes, body: bytes) -> None:
        """See ``Mailbox``."""
        self._view(caller).rendezvous_open(caller, invitation, body)

    def rendezvous_cancel(self, caller: Caller, invitation: bytes) -> None:
        """See ``Mailbox``."""
        self._view(caller).rendezvous_cancel(caller, invitation)

    def rendezvous_get(self, network: bytes, invitation: bytes, slot: int) -> bytes | None:
        """See ``Mailbox``; in the honest view."""
        return self._views[HONEST].rendezvous_get(network, invitation, slot)

    def rendezvous_put(
        self, network: bytes, invitation: bytes, slot: int, message: bytes, caller: Caller | None
    ) -> None:
        """See ``Mailbox``; in the honest view."""
        self._views[HONEST].rendezvous_put(network, invitation, slot, message, caller)

    def _view(self, caller: Caller) -> Mailbox:
        return self._views[self._served.get(caller.device, HONEST)]

    def _add(self, view: str, store: SqliteStore) -> None:
        hidden = self._hidden.setdefault(view, set())
        self._stores[view] = store
        self._views[view] = Mailbox(
            _WithholdingStore(store, hidden),
            self._clock,
            self._entropy,
            networks_max=self._networks_max,
        )


@final
class _WithholdingStore:
    """A store whose transactions do not find some leaves."""

    def __init__(self, store: SqliteStore, hidden: set[int]) -> None:
        self._store = store
        self._hidden = hidden

    @contextmanager
    def transaction(self) -> Iterator[RelayTransaction]:
        with self._store.transaction() as tx:
            yield _WithholdingTransaction(tx, self._hidden)

    def close(self) -> None:
        self._store.close()


@final
class _WithholdingTransaction:
    """Passes everything on but the indexes that are hidden."""

    def __init__(self, tx: RelayTransaction, hidden: set[int]) -> None:
        self._tx = tx
        self._hidden = hidden

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - stands in for any method
        return getattr(self._tx, name)

    def change_indexes(self, *span: int) -> Iterator[int]:
        return self._shown(self._tx.change_indexes(*span))

    def feed_indexes(self, handle: int, feed: bytes, *span: int) -> Iterator[int]:
        return self._shown(self._tx.feed_indexes(handle, feed, *span))

    def late_linked_indexes(self, handle: int, feed: bytes, *span: int) -> Iterator[int]:
        return self._shown(self._tx.late_linked_indexes(handle, feed, *span))

    def stream_indexes(self, handle: int, stream: bytes, *span: int) -> Iterator[int]:
        return self._shown(self._tx.stream_indexes(handle, stream, *span))

    def _shown(self, indexes: Iterator[int]) -> Iterator[int]:
        return (index for index in indexes if index not in self._hidden)


# -- edits of pages: each returns a changed answer, none touches the original --------------------


def with_items(answer: SyncAnswer, change: Callable[[list[Any]], list[Any]]) -> SyncAnswer:
    """The answer with other items in its change page."""
    t, streams, devices, items, hashes = answer.page
    return replace(answer, page=[t, streams, devices, change(list(items)), hashes])


def with_frames_swapped(answer: SyncAnswer, first: int = 0, second: int = 1) -> SyncAnswer:
    """Two frames in each other's place (attack 44)."""

    def swap(items: list[Any]) -> list[Any]:
        at = [i for i, item in enumerate(items) if isinstance(item, bytes)]
        items[at[first]], items[at[second]] = items[at[second]], items[at[first]]
        return items

    return with_items(answer, swap)


def with_frame_repeated(answer: SyncAnswer, frame: int = 0) -> SyncAnswer:
    """One frame twice (attack 44)."""

    def repeat(items: list[Any]) -> list[Any]:
        at = [i for i, item in enumerate(items) if isinstance(item, bytes)][frame]
        return [*items[: at + 1], items[at], *items[at + 1 :]]

    return with_items(answer, repeat)


def with_frame_dropped(answer: SyncAnswer, frame: int = 0) -> SyncAnswer:
    """One frame missing, nothing in its place (attack 44)."""

    def drop(items: list[Any]) -> list[Any]:
        at = [i for i, item in enumerate(items) if isinstance(item, bytes)][frame]
        return items[:at] + items[at + 1 :]

    return with_items(answer, drop)


def with_byte_flipped(answer: SyncAnswer, frame: int = 0, byte: int = -1) -> SyncAnswer:
    """One bit of one frame changed; default: the last byte of its last segment.

    A byte beyond the frame is counted on from its other end: frames differ in length.
    """

    def flip(items: list[Any]) -> list[Any]:
        at = [i for i, item in enumerate(items) if isinstance(item, bytes)][frame]
        changed = bytearray(items[at])
        changed[byte % len(changed)] ^= 1
        items[at] = bytes(changed)
        return items

    return with_items(answer, flip)
