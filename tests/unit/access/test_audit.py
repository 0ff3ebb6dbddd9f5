"""``protocol/access-log.md``, what the auditor checks (attacks 53 and 54)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audit_world import FACTS, Device, entry
from casesync.access.access_entry import (
    AccessEntry,
    AccessSegment,
    decode_segment,
    encode_entry,
    encode_segment,
)
from casesync.access.audit import AuditedChange, DeviceAudit, Level, audit_device
from casesync.foundation.ids import MemberId, UnitId


@pytest.fixture
def device() -> Device:
    device = Device()
    device.write(entry(1), entry(2))
    device.write()
    device.write(entry(3))
    device.write(entry(4), entry(5), entry(6))
    return device


def codes(audit: DeviceAudit) -> list[str]:
    return [finding.code.value for finding in audit.findings]


def check(changes: list[AuditedChange], known: dict[int, bytes] | None = None) -> DeviceAudit:
    return audit_device(FACTS, changes, known or {})


def rewritten(device: Device, position: int, *entries: AccessEntry) -> list[AuditedChange]:
    """The device's changes with other entries in one of them, signed by the device again."""
    return [
        change
        if change.number != position
        else change._replace(
            access_body=encode_segment(
                replace(
                    decode_segment(change.access_body or b""),
                    entries=tuple(encode_entry(e) for e in entries),
                )
            )
        )
        for change in device.changes
    ]


def test_an_honest_log_has_no_findings(device: Device) -> None:
    audit = check(device.changes)
    assert audit.findings == []
    assert [found.entry.sequence for found in audit.entries] == [1, 2, 3, 4, 5, 6]
    assert [found.body for found in audit.entries] == device.bodies
    assert audit.changes == 4


def test_what_was_seen_before_must_come_again(device: Device) -> None:
    known = {found.entry.sequence: found.hash for found in check(device.changes).entries}
    assert check(device.changes, known).findings == []


def test_a_log_that_ends_earlier_than_before_is_a_violation(device: Device) -> None:
    known = {found.entry.sequence: found.hash for found in check(device.changes).entries}
    assert codes(check(device.changes[:-1], known)) == ["entries-withdrawn"]


def test_a_hole_in_the_change_chain_is_found(device: Device) -> None:
    assert "change-missing" in codes(check([device.changes[0], *device.changes[2:]]))


def test_a_withheld_access_change_shows_as_missing_entries(device: Device) -> None:
    audit = check([*device.changes[:2], device.changes[3]])
    assert codes(audit)[:2] == ["change-missing", "entries-missing"]


def test_a_repeated_change_is_found(device: Device) -> None:
    assert "change-repeated" in codes(check([*device.changes, device.changes[2]]))


def test_an_entry_removed_and_the_change_signed_again_is_found(device: Device) -> None:
    assert "entries-missing" in codes(check(rewritten(device, 1, entry(1))))


def test_an_entry_rewritten_and_signed_again_breaks_the_entry_chain(device: Device) -> None:
    changed = replace(entry(2), action="list")
    assert codes(check(rewritten(device, 1, entry(1), changed))) == ["entry-chain-broken"]


def test_the_last_entry_rewritten_contradicts_what_the_auditor_holds(device: Device) -> None:
    known = {found.entry.sequence: found.hash for found in check(device.changes).entries}
    changed = replace(entry(6), action="list")
    audit = check(rewritten(device, 4, entry(4), entry(5), changed), known)
    assert codes(audit) == ["contradicts-earlier"]


def test_an_entry_repeated_is_found(device: Device) -> None:
    device.write(entry(6))
    assert "entries-repeated" in codes(check(device.changes))


def test_a_forged_change_is_found_and_the_proven_prefix_stands(device: Device) -> None:
    forged = [
        *device.changes[:3],
        device.changes[3]._replace(signature=device.changes[2].signature),
    ]
    audit = check(forged)
    assert [(f.code.value, f.change) for f in audit.findings] == [("signature-invalid", 4)]


def test_a_broken_link_is_found(device: Device) -> None:
    changes = [
        *device.changes[:2],
        device.changes[2]._replace(previous_link=b"x" * 32),
        device.changes[3],
    ]
    assert "chain-broken" in codes(check(changes))


def test_an_entry_that_carries_another_number_than_its_place_is_found() -> None:
    device = Device()
    device.write(entry(1))
    body = encode_segment(
        AccessSegment(
            first_sequence=2, previous_hash=device.hash, entries=(encode_entry(entry(9)),)
        )
    )
    device.write(entry(2))
    changes = [device.changes[0], device.changes[1]._replace(access_body=body)]
    assert codes(check(changes)) == ["entry-malformed"]


def test_an_entry_in_the_name_of_somebody_else_is_found(device: Device) -> None:
    for other in (
        replace(entry(7), member=MemberId(b"x" * 16)),
        replace(entry(7), role="auditor"),
        replace(entry(7), unit=UnitId(b"x" * 16)),
    ):
        lying = Device()
        lying.write(*(entry(n) for n in range(1, 7)), other)
        assert codes(check(lying.changes)) == ["author-mismatch"]


@pytest.mark.parametrize("control_size", [0, 5, 9])
def test_an_impossible_control_size_is_found(control_size: int) -> None:
    device = Device()
    device.write(entry(1, control_size))
    assert codes(check(device.changes)) == ["control-size-impossible"]


def test_a_control_size_that_shrinks_is_found() -> None:
    device = Device()
    device.write(entry(1, 8), entry(2, 7))
    assert codes(check(device.changes)) == ["control-size-impossible"]


def test_entries_behind_a_suspension_are_late_and_no_violation(device: Device) -> None:
    facts = replace(FACTS, suspended_index=7, suspended_at=35)
    audit = audit_device(facts, device.changes, {})
    assert all(found.late for found in audit.entries)
    assert audit.violations == []
    facts = replace(FACTS, suspended_index=8, suspended_at=35)
    audit = audit_device(facts, device.changes, {})
    assert [found.late for found in audit.entries] == [False] * 3 + [True] * 3


def test_a_segment_without_a_key_is_a_note_and_explains_the_gap(device: Device) -> None:
    changes = [c._replace(access_body=None) if c.number == 3 else c for c in device.changes]
    audit = check(changes)
    assert codes(audit) == ["segment-unreadable"]
    assert audit.findings[0].level is Level.NOTE


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x93\x01\xc0\x90"])
def test_a_malformed_segment_is_a_violation_and_not_an_exception(
    device: Device, body: bytes
) -> None:
    changes = [c._replace(access_body=body) if c.number == 3 else c for c in device.changes]
    assert codes(check(changes)) == ["segment-malformed"]


def test_every_byte_of_every_entry_matters(device: Device) -> None:
    known = {found.entry.sequence: found.hash for found in check(device.changes).entries}
    for change in device.changes:
        if change.access_body is None:
            continue
        for position in range(len(change.access_body)):
            body = bytearray(change.access_body)
            body[position] ^= 1
            changes = [
                c._replace(access_body=bytes(body)) if c.number == change.number else c
                for c in device.changes
            ]
            assert check(changes, known).violations, (change.number, position)
