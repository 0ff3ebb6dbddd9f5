"""The text an administrator hands to a newcomer (sync floor; ``protocol/enrolment.md``).

An invitation is single use and expires. It holds 256 random bits, which keep the relay out of the
enrolment's messages; the code that a person types keeps out whoever else got hold of the text.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from casesync.access.body_shapes import (
    HASH_BYTES,
    ID_BYTES,
    NAME_BYTES_MAX,
    U32_MAX,
    U48_MAX,
    WORD_BYTES_MAX,
    array,
    binary,
    boolean,
    integer,
    malformed,
    text,
)
from casesync.access.roles import compartment_list
from casesync.codec import canonical
from casesync.crypto.enrolment import invitation_id
from casesync.foundation.errors import AccessDenied, CasesyncError, UsageError
from casesync.foundation.ids import Compartment, DeviceNumber, InvitationId, NetworkId, UnitId

FAMILY: Final = "casesync-invite-"
PREFIX: Final = FAMILY + "1."
INVITATION_CHARS_MAX: Final = 8192
"""About six times what the longest allowed names need."""
RELAY_URL_BYTES_MAX: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What the text says; existing means: well-formed, not that it is still open."""

    network: NetworkId
    relay_url: str
    relay_key: bytes
    """Ed25519 key of the relay's logs, 32 bytes."""
    inviter: DeviceNumber
    inviter_request_key: bytes
    control_size: int
    control_root: bytes
    """The control log the newcomer is shown must start with this one."""
    secret: bytes
    """256 random bits."""
    unit: UnitId
    """For a visitor the unit of one that the enrolment will make."""
    role: str
    administrator: bool
    expires_ms: int
    network_name: str
    unit_name: str
    """As people know it; for a visitor the office's."""
    new_keys: tuple[Compartment, ...]
    """Compartments for which the newcomer makes the unit's first keys."""

    @property
    def id(self) -> InvitationId:
        """The id under which the rendezvous lies at the relay."""
        return invitation_id(self.secret)

    @override
    def __repr__(self) -> str:
        """Names the invitation, does not show its secret."""
        return f"Invitation({self.id.hex()})"


def encode_invitation(invitation: Invitation) -> str:
    """The text to hand over; whoever reads it may try to join."""
    encoded = base64.urlsafe_b64encode(invitation_bytes(invitation))
    return PREFIX + encoded.rstrip(b"=").decode("ascii")


def parse_invitation(typed: str) -> Invitation:
    """Read the text of an invitation; spaces and line breaks inside it do no harm.

    Raises:
        UsageError: ``invitation-malformed``: incomplete or not an invitation;
            ``invitation-newer``: made by a version that this one does not know.
    """
    compact = "".join(typed.split())
    if not compact.startswith(PREFIX) or len(compact) > INVITATION_CHARS_MAX:
        newer = re.match(FAMILY + r"[0-9]+\.", compact) and not compact.startswith(PREFIX)
        raise UsageError("invitation-newer" if newer else "invitation-malformed")
    encoded = compact.removeprefix(PREFIX)
    try:
        padded = encoded.encode("ascii") + b"=" * (-len(encoded) % 4)
        body = base64.b64decode(padded, altchars=b"-_", validate=True)
        invitation = invitation_from_bytes(body)
    except (UnicodeEncodeError, binascii.Error, CasesyncError) as error:
        raise UsageError("invitation-malformed") from error
    if encode_invitation(invitation) != compact:
        raise UsageError("invitation-malformed")
    return invitation


def check_open(invitation: Invitation, now_ms: int) -> None:
    """Refuse an invitation whose time is over.

    Raises:
        AccessDenied: ``invitation-expired``.
    """
    if now_ms >= invitation.expires_ms:
        raise AccessDenied("invitation-expired")


def invitation_bytes(invitation: Invitation) -> bytes:
    """The canonical array inside the text."""
    return canonical.pack(
        [
            invitation.network,
            invitation.relay_url,
            invitation.relay_key,
            invitation.inviter,
            invitation.inviter_request_key,
            invitation.control_size,
            invitation.control_root,
            invitation.secret,
            invitation.unit,
            invitation.role,
            invitation.administrator,
            invitation.expires_ms,
            invitation.network_name,
            invitation.unit_name,
            [int(c) for c in invitation.new_keys],
        ]
    )


def invitation_from_bytes(body: bytes) -> Invitation:
    """Read the canonical array.

    Raises:
        RemoteProtocolError: ``malformed``.
        CryptoError: ``does-not-verify`` for a secret of zeros.
    """
    fields = array(canonical.unpack(body), 15, "invitation")
    network, url, relay_key, inviter, request_key, size, root, secret = fields[:8]
    unit, role, administrator, expires, network_name, unit_name, new_keys = fields[8:]
    url = text(url, RELAY_URL_BYTES_MAX, "relay address")
    if not url.startswith(("http://", "https://")) or not url.isprintable() or " " in url:
        raise malformed("relay address")
    invitation = Invitation(
        network=NetworkId(binary(network, HASH_BYTES, "network")),
        relay_url=url,
        relay_key=binary(relay_key, HASH_BYTES, "relay key"),
        inviter=DeviceNumber(integer(inviter, U32_MAX, "inviter", smallest=1)),
        inviter_request_key=binary(request_key, HASH_BYTES, "inviter key"),
        control_size=integer(size, U48_MAX, "control size", smallest=1),
        control_root=binary(root, HASH_BYTES, "control root"),
        secret=binary(secret, HASH_BYTES, "secret"),
        unit=UnitId(binary(unit, ID_BYTES, "unit")),
        role=text(role, WORD_BYTES_MAX, "role"),
        administrator=boolean(administrator, "administrator"),
        expires_ms=integer(expires, U48_MAX, "expires"),
        network_name=text(network_name, NAME_BYTES_MAX, "network name"),
        unit_name=text(unit_name, NAME_BYTES_MAX, "name of unit"),
        new_keys=tuple(compartment_list(new_keys, "new keys")),
    )
    assert invitation.id
    return invitation
