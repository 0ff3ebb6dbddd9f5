"""Access entries of a look at any number of records (client).

An entry names so many records at most; what is shown with more of them takes several entries. All
are durable before the caller shows anything (DESIGN.md 8).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from casesync.access.access_entry import Shown
from casesync.client.core import Core
from casesync.foundation.ids import Compartment, RecordId, StreamId

NAMED_MAX: Final = 1000
"""Records that one entry names; most lists are a page and shorter."""


def log_list(
    core: Core,
    action: str,
    records: Iterable[bytes],
    *,
    hits: int,
    stream: StreamId | None = None,
    purpose: str | None = None,
) -> None:
    """Log that a list or a search is shown.

    Args:
        core: the open replica; no transaction is open.
        action: of the entries.
        records: those shown.
        hits: what the list has, with what is not shown of it; stands in each entry.
        stream: the case that it is a list of.
        purpose: of the access.
    """
    for named in _named(records):
        shown = Shown(hits=hits, records=named)
        core.log(action, stream=stream, purpose=purpose, detail=shown)


def log_case(
    core: Core,
    action: str,
    records: Iterable[bytes],
    *,
    stream: StreamId,
    compartments: Sequence[Compartment],
    purpose: str | None,
    basis: bytes | None,
) -> None:
    """Log that records of a case are shown; the arguments are those of ``Core.log``."""
    for named in _named(records):
        core.log(
            action,
            stream=stream,
            records=named,
            compartments=compartments,
            purpose=purpose,
            basis=basis,
        )


def _named(records: Iterable[bytes]) -> Iterator[tuple[RecordId, ...]]:
    """What each entry names; one that names nothing where nothing is shown: that was a look."""
    unique = [RecordId(record) for record in dict.fromkeys(records)]
    for at in range(0, len(unique) or 1, NAMED_MAX):
        yield tuple(unique[at : at + NAMED_MAX])
