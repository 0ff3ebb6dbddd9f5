"""What developers import: ``from casesync.client import Replica`` (client).

The one package with something in its ``__init__``: the promised name, found when asked for, so
that importing a view or an error does not load the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from casesync.client.replica import Joining, Replica

__all__ = ["Joining", "Replica"]


def __getattr__(name: str) -> object:
    """Load the engine on first use (PEP 562)."""
    if name not in __all__:
        raise AttributeError(name)
    from casesync.client import replica  # noqa: PLC0415 - see above

    return getattr(replica, name)
