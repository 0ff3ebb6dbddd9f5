"""The code by which two people compare over the telephone which logs they see (translog).

Specification: ``protocol/transparency-log.md``, *Comparing by telephone*. Digits, because they are
read aloud without a mistake in every language. Proves nothing by itself: two people must read it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from casesync.codec.fixed import u48
from casesync.crypto.key_schedule import H

DIGITS: Final = 30
"""99 bits: a second history with the code of one already shown costs 2^99 trials, two histories
with one code, made together, 2^50."""
GROUP_DIGITS: Final = 5


class LogState(NamedTuple):
    """How far a log is known and what it holds."""

    size: int
    root: bytes
    """32 bytes."""


def comparison_code(network: bytes, control: LogState, change: LogState) -> str:
    """Thirty digits in six groups; equal for two devices only if they see the same two logs.

    Args:
        network: network id, 32 bytes.
        control: the control log as this device has verified it.
        change: the change log likewise.
    """
    states = b"".join(u48(log.size) + log.root for log in (control, change))
    number = int.from_bytes(H("compare", network, states)[:16], "big") % 10**DIGITS
    digits = f"{number:0{DIGITS}d}"
    return " ".join(digits[i : i + GROUP_DIGITS] for i in range(0, DIGITS, GROUP_DIGITS))
