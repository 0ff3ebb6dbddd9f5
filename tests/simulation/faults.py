"""What goes wrong in a simulated world: processes that end, full disks, networks, clocks, a relay.

Every fault is drawn from the world's own randomness, so a seed determines all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from casesync.foundation.errors import LocalStateError
from casesync.relay.mailbox import Caller
from casesync.storage.sql_store import SqlStore
from casesync.sync.ports import Transaction
from casesync.testing import hostile_relay
from casesync.testing.memory_network import Fault
from casesync.wire.messages import SyncAnswer

HOUR_MS: Final = 3600 * 1000
DAY_MS: Final = 24 * HOUR_MS


class Crash(BaseException):
    """The process ends here; nothing may catch it but the world."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRates:
    """How often things go wrong; probabilities between 0 and 1."""

    drop_request: float = 0.0
    """Per exchange."""
    drop_answer: float = 0.0
    duplicate: float = 0.0
    crash: float = 0.0
    """Per command."""
    disk_full: float = 0.0
    interrupted: float = 0.0
    """Per exchange: another desk does something first."""
    partition: float = 0.0
    """Per step: a desk goes off line or comes back."""
    clock: float = 0.0
    """Per step: a desk's clock jumps."""
    hostile: float = 0.0
    """Per step: the relay lies to one desk."""
    relay_restart: float = 0.0


CALM: Final = FaultRates()
"""Only people who work at the same time, off line."""


def draw_rates(rng: Random) -> FaultRates:
    """Rates of one world: from calm to rough, not every kind in every world."""

    def maybe(most: float) -> float:
        return rng.uniform(0, most) if rng.random() < 0.5 else 0.0

    if rng.random() < 0.15:
        return replace(CALM, interrupted=maybe(0.3))
    return FaultRates(
        drop_request=maybe(0.3),
        drop_answer=maybe(0.3),
        duplicate=maybe(0.3),
        crash=maybe(0.25),
        disk_full=maybe(0.1),
        interrupted=maybe(0.3),
        partition=maybe(0.15),
        clock=maybe(0.1),
        hostile=maybe(0.15),
        relay_restart=maybe(0.05),
    )


def draw_exchange_fault(rng: Random, rates: FaultRates) -> Fault:
    """What happens to one exchange."""
    for fault, rate in (
        (Fault.DROP_REQUEST, rates.drop_request),
        (Fault.DROP_ANSWER, rates.drop_answer),
        (Fault.DUPLICATE, rates.duplicate),
    ):
        if rng.random() < rate:
            return fault
    return Fault.NONE


def draw_skew_ms(rng: Random, now_ms: int) -> int:
    """A clock error: minutes, hours, a day back, or a battery that fell to 1970."""
    return rng.choice(
        (
            0,
            rng.randrange(-10 * 60_000, 10 * 60_000),
            rng.randrange(-14 * HOUR_MS, 14 * HOUR_MS),
            -DAY_MS,
            400 * DAY_MS,
            -now_ms + rng.randrange(DAY_MS),
        )
    )


# -- the device -----------------------------------------------------------------------------------


class Trouble:
    """Ends the process, or fills the disk, at the n-th thing a command asks of its store."""

    def __init__(self) -> None:
        self.dead = False
        self._left: int | None = None
        self._crashes = True

    def arm(self, operations: int, *, crashes: bool) -> None:
        """Strike at the n-th operation from now."""
        self._left, self._crashes = operations, crashes

    def disarm(self) -> bool:
        """No more trouble; returns whether it struck."""
        struck = self._left is not None and self._left <= 0
        self._left = None
        return struck

    def passed(self, *, writes: bool) -> None:
        """One operation more."""
        if self.dead:
            raise Crash
        if self._left is None or self._left <= 0:
            return
        self._left -= 1
        if self._left > 0:
            return
        if self._crashes:
            self.dead = True
            raise Crash
        if writes:
            raise LocalStateError("disk-full")
        self._left = 1


class TroubledStore:
    """``ReplicaStore`` on another one, with trouble before, in and after its transactions."""

    def __init__(self, store: SqlStore, trouble: Trouble) -> None:
        self._store = store
        self._trouble = trouble

    @contextmanager
    def transaction(self, meanwhile: Callable[[], None] | None = None) -> Iterator[Transaction]:
        self._trouble.passed(writes=False)
        with self._store.transaction(meanwhile) as tx:
            yield _TroubledTransaction(tx, self._trouble)  # type: ignore[misc]
            self._trouble.passed(writes=False)
        self._trouble.passed(writes=False)

    def close(self) -> None:
        """The world keeps the store."""


class _TroubledTransaction:
    def __init__(self, tx: Transaction, trouble: Trouble) -> None:
        self._tx = tx
        self._trouble = trouble

    def __getattr__(self, name: str) -> Any:
        self._trouble.passed(writes=name.startswith(("put_", "append_", "drop_", "mark_")))
        return getattr(self._tx, name)


# -- the relay ------------------------------------------------------------------------------------


class Lie:
    """Changes the first answer to one device that there is something to change in."""

    def __init__(self, device: int, kind: str, rng: Random) -> None:
        self.device = device
        self.kind = kind
        self.told = False
        self._rng = rng

    def edit(self, caller: Caller, answer: SyncAnswer) -> SyncAnswer:
        """An ``Edit`` for ``HostileRelay.edit``."""
        if self.told or caller.device != self.device:
            return answer
        try:
            changed = LIES[self.kind](answer, self._rng)
        except (IndexError, ValueError):
            return answer
        self.told = changed != answer
        return changed


def _swap(answer: SyncAnswer, rng: Random) -> SyncAnswer:
    first, second = sorted(rng.sample(range(_frames(answer)), 2))
    return hostile_relay.with_frames_swapped(answer, first, second)


def _repeat(answer: SyncAnswer, rng: Random) -> SyncAnswer:
    return hostile_relay.with_frame_repeated(answer, rng.randrange(_frames(answer)))


def _drop(answer: SyncAnswer, rng: Random) -> SyncAnswer:
    return hostile_relay.with_frame_dropped(answer, rng.randrange(_frames(answer)))


def _alter(answer: SyncAnswer, rng: Random) -> SyncAnswer:
    frame = rng.randrange(_frames(answer))
    return hostile_relay.with_byte_flipped(answer, frame, rng.randrange(-200, 200))


def _alter_checkpoint(answer: SyncAnswer, rng: Random) -> SyncAnswer:
    name = rng.choice(("change_checkpoint", "control_checkpoint"))
    held = bytearray(getattr(answer, name))
    held[rng.randrange(len(held))] ^= 1 << rng.randrange(8)
    return replace(answer, **{name: bytes(held)})


def _alter_control(answer: SyncAnswer, rng: Random) -> SyncAnswer:
    leaves = list(answer.control.leaves)
    at = rng.randrange(len(leaves))
    leaf = bytearray(leaves[at])
    leaf[rng.randrange(len(leaf))] ^= 1
    leaves[at] = bytes(leaf)
    return replace(answer, control=answer.control._replace(leaves=tuple(leaves)))


def _alter_backfill(answer: SyncAnswer, rng: Random) -> SyncAnswer:
    first = answer.backfills[0]
    as_page = replace(answer, page=list(first.page))
    lie = rng.choice((_swap, _repeat, _drop, _alter))
    changed = first._replace(page=lie(as_page, rng).page)
    return replace(answer, backfills=(changed, *answer.backfills[1:]))


def _frames(answer: SyncAnswer) -> int:
    return sum(isinstance(item, bytes) for item in answer.page[3])


LIES: Final[dict[str, Callable[[SyncAnswer, Random], SyncAnswer]]] = {
    "swap": _swap,
    "repeat": _repeat,
    "drop": _drop,
    "alter": _alter,
    "checkpoint": _alter_checkpoint,
    "control": _alter_control,
    "back-fill": _alter_backfill,
}
