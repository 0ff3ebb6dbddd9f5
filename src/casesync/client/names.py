"""Names of people and offices for views, as the control log has them (client)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from casesync.client.core import Core
from casesync.client.views import CopierView
from casesync.foundation.ids import UnitId
from casesync.model.folding import exact_key, fold

Named = TypeVar("Named")


class Author(NamedTuple):
    """Who wrote something."""

    author: str
    unit: str


class Names:
    """Looks names up; what the log does not have yet is shown by number."""

    def __init__(self, core: Core) -> None:
        """Args: core: the open replica."""
        self._control = core.engine.control

    def device(self, number: int) -> Author:
        """Member and unit of a device."""
        view = self._control.device(number)
        if view is None:
            return Author(f"#{number}", "?")
        return Author(self._control.member(view.member).name, self.unit(view.unit))

    def copier(self, number: int) -> CopierView:
        """Whose device copied something."""
        author = self.device(number)
        return CopierView(author.author, author.unit, number)

    def unit(self, unit: UnitId) -> str:
        """Name of a unit."""
        view = self._control.unit(unit)
        return unit.hex()[:8] if view is None else view.name

    def unit_hex(self, unit_hex: str) -> str:
        """Name of a unit given in hex."""
        try:
            return self.unit(UnitId(bytes.fromhex(unit_hex)))
        except ValueError:
            return unit_hex


def meant_by(typed: str, named: Sequence[Named], name_of: Callable[[Named], str]) -> list[Named]:
    """Those that people mean by ``typed``: by the very name, else as search compares names.

    Without accents only where none were typed: "Lan" finds "Lân", "Lân" never "Lan".
    """
    found = [item for item in named if name_of(item) == typed]
    keys = (exact_key, fold) if typed.isascii() else (exact_key,)
    for key in keys:
        if found:
            break
        wanted = key(typed)
        found = [item for item in named if key(name_of(item)) == wanted]
    return found
