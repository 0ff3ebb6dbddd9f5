"""A refused attempt leaves an access entry, too (client, ``protocol/access-log.md``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from casesync.access.access_entry import Outcome
from casesync.client.core import Core
from casesync.foundation.errors import AccessDenied, CasesyncError
from casesync.foundation.ids import Compartment, StreamId


@contextmanager
def refusals_logged(
    core: Core,
    action: str,
    *,
    stream: StreamId | None = None,
    compartments: Sequence[Compartment] = (),
    purpose: str | None = None,
    refusals: tuple[type[CasesyncError], ...] = (AccessDenied,),
) -> Iterator[None]:
    """Log what the block refuses, durably, and let the refusal go on.

    Args:
        core: the open replica; no transaction is open where the block ends.
        action: what was attempted.
        stream: the case it was attempted on.
        compartments: what it would have concerned.
        purpose: of the access.
        refusals: the errors that are a refusal here.
    """
    try:
        yield
    except refusals as refused:
        core.log(
            action,
            stream=stream,
            compartments=compartments,
            purpose=purpose,
            outcome=Outcome.REFUSED,
            detail=refused.code,
        )
        raise
