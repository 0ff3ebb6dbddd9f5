"""Attack 53: a log entry rewritten, removed, inserted.

In the control log: refused by the access floor, since every entry names the one before and is
signed. In an access log: a violation in the audit (access-log.md). What a checkpoint proves about
either is for the Merkle proofs.
"""

from __future__ import annotations

import pytest

from audit_world import FACTS, Device, entry
from casesync.access.access_entry import encode_entry, encode_segment, entry_hash, seal_plan
from casesync.access.audit import AuditedChange, DeviceFacts, audit_device
from casesync.access.control_state import ControlState
from casesync.foundation.errors import RelayMisbehaviour
from control_world import ControlWorld


@pytest.fixture
def world() -> ControlWorld:
    world = ControlWorld()
    world.add_unit("OSSO", "osso")
    world.join("Hoa", "caseworker")
    return world


def folds(world: ControlWorld, entries: list[bytes]) -> None:
    state = ControlState()
    for index, data in enumerate(entries):
        state.apply(index, 0, data, world.opener, world.blobs.get)


def test_the_control_log_as_it_was_written_folds(world: ControlWorld) -> None:
    folds(world, [data for _, _, data in world.entries])


def test_a_control_entry_removed_inserted_or_swapped_is_refused(world: ControlWorld) -> None:
    entries = [data for _, _, data in world.entries]
    for position in range(len(entries) - 1):
        without = entries[:position] + entries[position + 1 :]
        twice = entries[: position + 1] + entries[position:]
        swapped = [*entries]
        swapped[position : position + 2] = reversed(entries[position : position + 2])
        for lie in (without, twice, swapped):
            with pytest.raises(RelayMisbehaviour):
                folds(world, lie)


def test_a_control_entry_of_another_history_of_the_same_network_is_refused(
    world: ControlWorld,
) -> None:
    """The same founder wrote two second chapters; their entries cannot be mixed."""
    one, other = ControlWorld(), ControlWorld()
    other.blobs.update(one.blobs)
    assert one.state.size == other.state.size
    one.add_unit("OSSO", "osso")
    first = [data for _, _, data in one.entries]
    second = [data for _, _, data in world.entries]
    with pytest.raises(RelayMisbehaviour):
        folds(world, [*second[:6], first[6], *second[7:]])


def test_an_access_entry_rewritten_in_a_change_signed_anew_is_a_violation() -> None:
    """The device itself rewrites its past; the auditor has seen the first version."""
    first, second = Device(), Device()
    first.write(entry(1), entry(2))
    second.write(entry(1), entry(2, control_size=7))
    seen = audit_device(FACTS, first.changes, {})
    known = {found.entry.sequence: found.hash for found in seen.entries}
    assert not seen.findings
    assert audit_device(FACTS, second.changes, known).violations


def test_an_access_entry_inserted_is_a_violation() -> None:
    device = Device()
    device.write(entry(1))
    honest = device.hash
    rows = [(2, encode_entry(entry(2)))]
    device.hash = entry_hash(honest, b"an entry between")
    device.write(entry(2))
    audit = audit_device(FACTS, device.changes, {})
    assert [f.code.value for f in audit.violations] == ["entry-chain-broken"]
    assert encode_segment(seal_plan(rows, honest)) != device.changes[1].access_body


def test_the_audit_knows_where_a_device_begins() -> None:
    """A chain that starts at another enrolment is not this device's."""
    device = Device()
    device.write(entry(1))
    facts = DeviceFacts(
        **{
            name: getattr(FACTS, name)
            for name in FACTS.__dataclass_fields__
            if name != "enrolment_hash"
        },
        enrolment_hash=b"o" * 32,
    )
    found = {f.code.value for f in audit_device(facts, device.changes, {}).violations}
    assert {"chain-broken", "entry-chain-broken"} <= found
    assert isinstance(device.changes[0], AuditedChange)
