"""Unit keys and who was given them, folded from the control log (access floor).

``protocol/membership.md``, *Unit keys*. *Holders* are the devices to which an act by a holder gave
a key (or that made it): only they may pass it on, and only they may replace it, so that an
administrator who reads nothing can let nobody read. Where nobody active holds a key any more, the
first device of the unit that reads the compartment starts a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from casesync.access.control_bodies import UnitKeyRow
from casesync.access.control_views import UnitKey
from casesync.crypto.key_wrap import UnitKeyId, unit_key_name
from casesync.foundation.ids import UnitId


class Rotation(NamedTuple):
    """New keys that count, and who gets which."""

    rows: tuple[UnitKeyRow, ...]
    holders: tuple[frozenset[int], ...]
    """Per row the devices that get its seed."""


class RotationRefused(Exception):
    """The keys of an act do not count; ``args[0]`` is the reason's code."""


class UnitKeys:
    """All epochs of all unit keys of the network."""

    def __init__(self) -> None:
        self._epochs: dict[tuple[UnitId, int], list[UnitKey]] = {}
        self._holders: dict[UnitKeyId, set[int]] = {}
        self._names: dict[bytes, UnitKeyId] = {}

    # -- questions ----------------------------------------------------------------------------

    def newest(self, unit: UnitId, compartment: int, size: int | None = None) -> UnitKey | None:
        """The newest epoch, retired or not, as of the first ``size`` entries."""
        for key in reversed(self._epochs.get((unit, compartment), ())):
            if size is None or key.control_index < size:
                return key
        return None

    def current(self, unit: UnitId, compartment: int, size: int | None = None) -> UnitKey | None:
        """The key to box to, None if there is none or the newest is retired."""
        key = self.newest(unit, compartment, size)
        if key is None or key.retired_index is None:
            return key
        return key if size is not None and key.retired_index >= size else None

    def get(self, key: UnitKeyId) -> UnitKey | None:
        """One epoch."""
        epochs = self._epochs.get((key.unit, key.compartment), [])
        return epochs[key.epoch - 1] if 0 < key.epoch <= len(epochs) else None

    def by_name(self, name: bytes) -> UnitKey | None:
        """The key that boxes call ``name`` (8 bytes)."""
        key = self._names.get(name)
        return None if key is None else self.get(key)

    def epochs(self, unit: UnitId, compartment: int) -> Sequence[UnitKey]:
        """All epochs, oldest first."""
        return tuple(self._epochs.get((unit, compartment), ()))

    def all(self) -> Iterable[UnitKey]:
        """Every epoch of every unit key."""
        for epochs in self._epochs.values():
            yield from epochs

    def compartments(self, unit: UnitId) -> list[int]:
        """Compartments for which the unit ever had a key, ascending."""
        return sorted(c for u, c in self._epochs if u == unit)

    def holds(self, device: int, key: UnitKeyId) -> bool:
        """Whether the log says that the device was given this very epoch."""
        return device in self._holders.get(key, ())

    def holds_newest(self, device: int, unit: UnitId, compartment: int) -> bool:
        """Whether the log says that the device was given the newest epoch."""
        key = self.newest(unit, compartment)
        return key is not None and self.holds(device, key.id)

    def holders(self, unit: UnitId, compartment: int) -> frozenset[int]:
        """Devices that were given the newest epoch, suspended ones included."""
        key = self.newest(unit, compartment)
        return frozenset() if key is None else frozenset(self._holders[key.id])

    # -- changes ------------------------------------------------------------------------------

    def add(self, row: UnitKeyRow, index: int, holders: Iterable[int]) -> None:
        """A new newest epoch. The caller has judged that it counts."""
        epochs = self._epochs.setdefault((row.key.unit, row.key.compartment), [])
        assert row.key.epoch == len(epochs) + 1
        name = unit_key_name(row.key, row.public)
        epochs.append(UnitKey(*row.key, row.public, name, row.predecessor, index))
        self._holders[row.key] = set(holders)
        self._names.setdefault(name, row.key)

    def give(self, device: int, key: UnitKeyId) -> None:
        """An act by a holder gave ``key`` to the device."""
        self._holders[key].add(device)

    def retire(self, unit: UnitId, compartment: int, index: int) -> None:
        """Nobody boxes to the newest epoch from here on."""
        epochs = self._epochs.get((unit, compartment), [])
        if epochs and epochs[-1].retired_index is None:
            epochs[-1] = epochs[-1]._replace(retired_index=index)

    # -- rotation -----------------------------------------------------------------------------

    def judge_rotation(
        self,
        signer: int,
        unit: UnitId,
        rows: Sequence[UnitKeyRow],
        wrapped: Iterable[int],
        reads: Callable[[int], frozenset[int]],
        remains: Callable[[int], bool],
    ) -> Rotation:
        """Whether new keys of ``unit`` count.

        Args:
            signer: device of that unit that signed the act.
            unit: whose keys they must be.
            rows: the new keys.
            wrapped: devices that the act names wraps for.
            reads: compartments a device's role reads.
            remains: whether a device is active once the act has taken effect.

        Raises:
            RotationRefused: with the reason.
        """
        if not rows:
            raise RotationRefused("keys-differ")
        holders = []
        for row in rows:
            if row.key.unit != unit or row.key.compartment not in reads(signer):
                raise RotationRefused("keys-differ")
            newest = self.newest(unit, row.key.compartment)
            if row.key.epoch != (newest.epoch + 1 if newest else 1):
                raise RotationRefused("epoch-not-next")
            remaining = {d for d in self.holders(unit, row.key.compartment) if remains(d)}
            if remaining and signer not in remaining:
                raise RotationRefused("keys-not-held")
            if (row.predecessor is None) != (signer not in remaining):
                raise RotationRefused("keys-differ")
            holders.append(frozenset(remaining | {signer}))
        if set(wrapped) != frozenset().union(*holders):
            raise RotationRefused("wraps-differ")
        return Rotation(tuple(rows), tuple(holders))
