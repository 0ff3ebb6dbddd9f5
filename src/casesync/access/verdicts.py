"""The closed table of verdicts on a change (access floor, ``protocol/membership.md``, Verdict).

A verdict is stored as its position in ``VERDICTS``; positions are permanent.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple


class State(IntEnum):
    """What a verdict means for the change."""

    COUNTS = 0
    WAITING = 1
    QUARANTINED = 2
    REFUSED = 3

    @property
    def word(self) -> str:
        """Lower-case name as shown to people and programs."""
        return self.name.lower()


class Verdict(NamedTuple):
    """A state and its reason; the reason is a stable code, empty where the change counts."""

    state: State
    reason: str


VERDICTS: Final = (
    Verdict(State.COUNTS, ""),
    Verdict(State.WAITING, "control-missing"),
    Verdict(State.WAITING, "stream-unopened"),
    Verdict(State.WAITING, "base-missing"),
    Verdict(State.WAITING, "statement-missing"),
    Verdict(State.QUARANTINED, "suspended"),
    Verdict(State.QUARANTINED, "no-grant"),
    Verdict(State.QUARANTINED, "grant-revoked"),
    Verdict(State.REFUSED, "device-unknown"),
    Verdict(State.REFUSED, "opening-invalid"),
    Verdict(State.REFUSED, "compartment-not-allowed"),
    Verdict(State.REFUSED, "statement-invalid"),
    Verdict(State.REFUSED, "change-malformed"),
    Verdict(State.QUARANTINED, "copied-device"),
    Verdict(State.WAITING, "signature-missing"),
    Verdict(State.WAITING, "base-unreadable"),
    Verdict(State.QUARANTINED, "author-unproven"),
)
COUNTS: Final = 0

_CODE: Final = {verdict.reason: code for code, verdict in enumerate(VERDICTS)}


def verdict_code(reason: str) -> int:
    """The stored code of ``reason``. Raises: KeyError for an unknown one (our own mistake)."""
    return _CODE[reason]
