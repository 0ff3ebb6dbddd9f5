"""A refused attempt leaves an access entry, too (client, ``protocol/access-log.md``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from casesync.access.access_entry import Outcome
from casesync.client.core import Core
from casesync.foundation.errors import AccessDenied, CasesyncError
from casesync.foundation.ids import Compartment, StreamId

ABOUT_CHARS_MAX: Final = 200
"""At most 800 bytes; a detail may have 2,048."""


@contextmanager
def refusals_logged(
    core: Core,
    action: str,
    *,
    stream: StreamId | None = None,
    compartments: Sequence[Compartment] = (),
    purpose: str | None = None,
    refusals: tuple[type[CasesyncError], ...] = (AccessDenied,),
    about: str = "",
) -> Iterator[None]:
    """Log what the block refuses, durably, and let the refusal go on.

    Args:
        core: the open replica; no transaction is open where the block ends.
        action: what was attempted.
        stream: the case it was attempted on.
        compartments: what it would have concerned.
        purpose: of the access.
        refusals: the errors that are a refusal here.
        about: what a control act would have been about, ``device NUMBER`` or ``unit NAME``.
    """
    core.purpose(purpose)  # of no use afterwards, when there is something to log
    try:
        yield
    except refusals as refused:
        core.log(
            action,
            stream=stream,
            compartments=compartments,
            purpose=purpose,
            outcome=Outcome.REFUSED,
            detail=f"{refused.code} {_harmless(about)}".strip(),
        )
        raise


def _harmless(typed: str) -> str:
    """What somebody typed, in one line that fits an entry; it need not be a name of anything."""
    line = " ".join(typed.split())[:ABOUT_CHARS_MAX]
    return line.encode("utf-8", "replace").decode("utf-8")
