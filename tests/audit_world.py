"""A device that writes honest chains of access entries, for tests that then lie about them."""

from __future__ import annotations

from hashlib import sha256

from casesync.access.access_entry import (
    AccessEntry,
    Outcome,
    encode_entry,
    encode_segment,
    entry_hash,
    seal_plan,
)
from casesync.access.audit import AuditedChange, DeviceFacts
from casesync.crypto.signatures import Ed25519Signer, sign_change
from casesync.foundation.ids import DeviceNumber, MemberId, NetworkId, UnitId
from casesync.foundation.secret_bytes import SecretBytes

SIGNER = Ed25519Signer(SecretBytes(b"\x07" * 32))
NETWORK = NetworkId(b"n" * 32)
FACTS = DeviceFacts(
    network=NETWORK,
    device=DeviceNumber(6),
    enrolment_hash=b"e" * 32,
    change_key=SIGNER.public,
    since=6,
    member=MemberId(b"m" * 16),
    role="caseworker",
    unit=UnitId(b"u" * 16),
    suspended_index=None,
    suspended_at=None,
)


def entry(sequence: int, control_size: int = 8) -> AccessEntry:
    return AccessEntry(
        sequence=sequence,
        clock_ms=1000 * sequence,
        action="read",
        outcome=Outcome.SUCCESS,
        member=FACTS.member,
        role=FACTS.role,
        unit=FACTS.unit,
        stream=None,
        records=(),
        compartments=(),
        purpose="case_work",
        basis=None,
        control_size=control_size,
        detail=None,
    )


class Device:
    """Writes an honest chain of changes, each carrying some access entries."""

    def __init__(self) -> None:
        self.link = FACTS.enrolment_hash
        self.hash = FACTS.enrolment_hash
        self.sequence = 0
        self.changes: list[AuditedChange] = []
        self.bodies: list[bytes] = []

    def write(self, *entries: AccessEntry) -> None:
        number = len(self.changes) + 1
        body = None
        if entries:
            rows = [(e.sequence, encode_entry(e)) for e in entries]
            body = encode_segment(seal_plan(rows, self.hash))
            for _, encoded in rows:
                self.hash = entry_hash(self.hash, encoded)
                self.bodies.append(encoded)
        link = sha256(self.link + bytes([number]) + (body or b"")).digest()
        self.changes.append(
            AuditedChange(
                number=number,
                previous_link=self.link,
                link=link,
                signature=sign_change(SIGNER, NETWORK, link),
                log_index=10 * number,
                control_size=8,
                has_access=bool(entries),
                access_body=body,
            )
        )
        self.link = link
