"""Enrolment: the one door through which other modules take it (sync; ``protocol/enrolment.md``).

The pieces: ``invitation`` (the text), ``enrolment_inviter`` and ``enrolment_joiner`` (the two
sides, one message at a time), ``enrolment_reveal`` and ``enrolment_messages`` (what they exchange).
"""

from __future__ import annotations

from casesync.sync.enrolment_inviter import Inviter, InviterPhase, InviterStep
from casesync.sync.enrolment_joiner import Joiner, JoinerStep
from casesync.sync.enrolment_messages import EnrolmentResult, Put
from casesync.sync.enrolment_reveal import Reveal
from casesync.sync.invitation import (
    Invitation,
    check_open,
    encode_invitation,
    parse_invitation,
)

__all__ = [
    "EnrolmentResult",
    "Invitation",
    "Inviter",
    "InviterPhase",
    "InviterStep",
    "Joiner",
    "JoinerStep",
    "Put",
    "Reveal",
    "check_open",
    "encode_invitation",
    "parse_invitation",
]
