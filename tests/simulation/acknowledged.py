"""What people were told is kept: every write of a command that returned."""

from __future__ import annotations

from typing import NamedTuple


class Token(NamedTuple):
    """A word that one command wrote into one case."""

    case: str
    compartment: int
    word: str


class Kept(NamedTuple):
    """A token with the own changes in one of which it stands."""

    device: int
    first: int
    last: int
    token: Token


class Acknowledged:
    """The world's memory; replicas do not know it."""

    def __init__(self) -> None:
        self._newest: dict[int, int] = {}
        self.kept: list[Kept] = []

    def note(self, device: int, before: int, after: int, tokens: list[Token]) -> None:
        """A command of ``device`` returned; it wrote the changes ``before + 1`` to ``after``."""
        self._newest[device] = max(after, self.newest(device))
        self.kept += [Kept(device, before + 1, after, token) for token in tokens]

    def newest(self, device: int) -> int:
        """Number of the newest acknowledged change of a device."""
        return self._newest.get(device, 0)

    def devices(self) -> dict[int, int]:
        """Newest acknowledged number by device."""
        return dict(self._newest)
