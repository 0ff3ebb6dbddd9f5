"""``protocol/membership.md``: what the folded control log says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest

from casesync.access import control_acts as acts
from casesync.access.control_opened import state_blobs
from casesync.access.control_state import ControlState, read_voids
from casesync.access.control_writer import EMPTY_POSITION, ControlWriter
from casesync.access.roles import ROLE_TABLE_V1
from casesync.foundation.errors import CannotDecide, RelayMisbehaviour
from casesync.foundation.ids import FEED_ALL, Compartment, UnitId
from casesync.model.schema import schema_from_bytes, schema_to_bytes
from casesync.sync.enrolment import Inviter
from control_world import RELAY_KEY, ControlWorld, shipped_schema

IDENTITY, PROTECTION, HEALTH = Compartment.IDENTITY, Compartment.PROTECTION, Compartment.HEALTH
BASE, OPERATIONS, ACCESS = Compartment.BASE, Compartment.OPERATIONS, Compartment.ACCESS


@pytest.fixture
def world() -> ControlWorld:
    return ControlWorld()


def test_a_new_network_is_six_entries_and_none_is_void(world: ControlWorld) -> None:
    state = world.state
    assert (state.size, state.voids) == (6, ())
    assert state.network == sha256(world.entries[0][2]).digest()
    assert state.network_name == "Mạng lưới Bình Minh"
    assert state.relay_key == RELAY_KEY
    assert [(u.name, u.type) for u in state.units()] == [("Mái ấm", "shelter")]
    founder = state.device(1)
    assert founder is not None
    assert (founder.role, founder.administrator, founder.active) == ("caseworker", True, True)
    assert founder.enrolment_hash == state.network
    assert state.member(founder.member).name == "Lan"
    assert state.roles().to_bytes() == ROLE_TABLE_V1.to_bytes()
    assert schema_to_bytes(state.schema()) == shipped_schema()
    assert state.schema_version(state.schema().version) is state.schema()


def test_the_founders_unit_has_a_key_for_exactly_what_the_founder_reads(
    world: ControlWorld,
) -> None:
    reads = ROLE_TABLE_V1.reads("caseworker")
    keys = {c: world.state.current_unit_key(world.shelter, c) for c in Compartment}
    assert {c for c, key in keys.items() if key is not None} == reads
    assert {k.compartment for k in world.founder.seeds} == reads
    assert world.state.who_lacks_keys() == []


def test_two_people_fold_the_same_log_to_the_same_state(world: ControlWorld) -> None:
    world.join("Hoa", "caseworker")
    other = world.fresh()
    assert other.devices() == world.state.devices()
    assert other.units() == world.state.units()
    assert other.unit_key_publics() == world.state.unit_key_publics()
    assert other.head_hash == world.state.head_hash


def test_refolding_stored_entries_gives_the_same_state_and_keeps_what_was_void(
    world: ControlWorld,
) -> None:
    world.join("Hoa", "caseworker")
    writer = world.writer(world.founder)
    acts.add_unit(writer, name="x", unit_type="shelter", parent=None, unit=world.shelter)
    (applied,) = world.append(writer)
    assert applied.void == "unit-exists"
    voids = world.state.voids_bytes()
    assert read_voids(voids) == {applied.control_index: "unit-exists"}
    again = ControlState.refold(world.entries, world.opener, world.blobs.get, voids)
    assert again.devices() == world.state.devices()
    assert again.voids == world.state.voids
    assert again.unit_key_publics() == world.state.unit_key_publics()


def test_an_entry_found_void_for_its_signature_inside_stays_void_when_refolded(
    world: ControlWorld,
) -> None:
    inviter, _ = world.meet(world.invite("caseworker"), "Hoa")
    proof = inviter.proof()
    forged = proof._replace(signature=bytes(len(proof.signature)))
    writer = world.writer(world.founder)
    acts.enrol(writer, world.state, forged, world.place(inviter), world.founder.seeds)
    (applied,) = world.append(writer)
    assert applied.void == "joiner-signature"
    again = ControlState.refold(
        world.entries, world.opener, world.blobs.get, world.state.voids_bytes()
    )
    assert [d.number for d in again.devices()] == [1]


def test_a_newcomer_gets_rights_keys_and_the_hash_its_chain_starts_with(
    world: ControlWorld,
) -> None:
    hoa = world.join("Hoa", "clinician")
    device = world.state.device(hoa.device)
    assert device is not None
    assert device.number == world.state.size == 7
    assert device.enrolment_hash == sha256(world.entries[6][2]).digest()
    assert world.state.change_key(hoa.device) == hoa.secrets.change_signer().public
    assert world.state.unit_of(hoa.device) == world.shelter
    assert world.state.may_grant(1)
    assert not world.state.may_grant(hoa.device)
    assert world.state.writes_mask(hoa.device) == 1 << HEALTH | 1 << OPERATIONS
    assert {k.compartment for k in hoa.seeds} == ROLE_TABLE_V1.reads("clinician")
    assert world.founder.newest(world.shelter, HEALTH) == 0
    assert world.state.who_lacks_keys() == []


def test_rights_of_an_unknown_device_are_none(world: ControlWorld) -> None:
    state = world.state
    assert (state.reads_mask(9), state.writes_mask(9), state.may_grant(9)) == (0, 0, False)
    assert state.unit_of(9) is None
    assert state.change_key(9) is None
    assert state.suspended_from(9) is None


def test_what_an_author_had_seen_is_a_question_of_control_size(world: ControlWorld) -> None:
    hoa = world.join("Hoa", "clinician")
    key = world.state.current_unit_key(world.shelter, HEALTH)
    assert key is not None
    assert key.control_index == 6
    assert world.state.current_unit_key(world.shelter, HEALTH, at_size=6) is None
    assert world.state.current_unit_key(world.shelter, HEALTH, at_size=7) == key
    assert world.state.unit_key_name_at(world.shelter, HEALTH, 7) == key.name
    assert world.state.unit_key_by_name(key.name) == key
    assert world.state.device_at(hoa.device, 6) is None
    assert world.state.device_at(hoa.device, 7) == world.state.device(hoa.device)
    assert world.state.device_at(1, 5) is None, "the founder's unit is known from found on"
    audit = world.add_unit("Kiểm tra", "audit")
    assert world.state.audit_units_at(7) == []
    assert world.state.audit_units_at(8) == [audit.unit] == world.state.audit_units()


def test_an_auditor_is_served_everything_and_its_unit_has_an_access_key(
    world: ControlWorld,
) -> None:
    audit = world.add_unit("Kiểm tra", "audit")
    tam = world.join("Tâm", "auditor", audit.unit)
    device = world.state.device(tam.device)
    assert device is not None
    assert device.feeds == (FEED_ALL, audit.feed, device.access_feed)
    assert world.state.current_unit_key(audit.unit, ACCESS) is not None
    assert {k.compartment for k in tam.seeds} == {BASE, ACCESS}


def test_an_inviter_passes_on_only_what_it_holds_and_a_colleague_admits_the_rest(
    world: ControlWorld,
) -> None:
    osso = world.add_unit("OSSO", "osso")
    mai = world.join("Mai", "counsellor", osso.unit)
    nga = world.join("Nga", "counsellor", osso.unit)
    assert nga.seeds == {}, "the founder reads nothing of the OSSO"
    waiting = {w.compartment for w in world.state.who_lacks_keys(osso.unit)}
    assert waiting == ROLE_TABLE_V1.reads("counsellor")
    assert world.state.rotation_for(nga.device) == set()
    writer = world.writer(mai)
    acts.admit(writer, world.state, nga.device, mai.seeds)
    (applied,) = world.append(writer, mai)
    assert applied.void == ""
    world.receive(nga, applied.control_index)
    assert nga.seeds == mai.seeds
    assert world.state.who_lacks_keys() == []
    with pytest.raises(CannotDecide):
        acts.admit(world.writer(mai), world.state, nga.device, mai.seeds)


def test_keys_a_newcomer_made_in_vain_do_not_count_and_the_enrolment_does(
    world: ControlWorld,
) -> None:
    osso = world.add_unit("OSSO", "osso")
    first = world.invite("counsellor", osso.unit)
    second = world.invite("counsellor", osso.unit)
    assert second.invitation.new_keys
    seeds = []
    for inviter, name in ((first, "Mai"), (second, "Nga")):
        approved, joiner = world.meet(inviter, name)
        writer = world.writer(world.founder)
        acts.enrol(writer, world.state, approved.proof(), world.place(inviter), world.founder.seeds)
        assert world.append(writer)[0].void == ""
        seeds.append(joiner.counting_seeds(world.state))
        assert len(joiner.own_seeds()) == len(ROLE_TABLE_V1.reads("counsellor"))
    assert [len(kept) for kept in seeds] == [len(ROLE_TABLE_V1.reads("counsellor")), 0]
    partial = [v for v in world.state.voids if v.partial]
    assert {v.reason for v in partial} == {"epoch-not-next"}
    assert all(
        world.state.current_unit_key(osso.unit, c).epoch == 1
        for c in ROLE_TABLE_V1.reads("counsellor")
    )
    waiting = {w.device for w in world.state.who_lacks_keys(osso.unit)}
    assert waiting == {world.state.devices()[-1].number}


def test_a_visitor_is_a_unit_of_one_under_its_office(world: ControlWorld) -> None:
    unit = UnitId(b"v" * 16)
    visitor = world.join("Bà Tư", "visitor", unit, parent=world.shelter)
    one = world.state.unit(unit)
    assert one is not None
    assert (one.type, one.name, one.parent) == ("one", "Bà Tư", world.shelter)
    assert {k.compartment for k in visitor.seeds} == ROLE_TABLE_V1.reads("visitor")
    assert all(k.unit == unit for k in visitor.seeds)


def test_a_suspension_takes_effect_at_its_change_size_and_retires_keys(
    world: ControlWorld,
) -> None:
    hoa = world.join("Hoa", "clinician")
    world.move(40)
    before = world.state.size
    writer = world.writer(world.founder)
    replaced = acts.suspend(writer, world.state, hoa.device, "mất máy", world.founder.seeds)
    (applied,) = world.append(writer, world.founder)
    assert (applied.void, applied.change_size) == ("", 40)
    assert world.state.suspended_from(hoa.device) == 40
    assert world.state.suspensions()[0].reason == "mất máy"
    assert replaced == ROLE_TABLE_V1.reads("clinician") - {HEALTH}
    assert world.state.rotation_due(world.shelter) == {HEALTH}
    assert world.state.current_unit_key(world.shelter, HEALTH) is None
    assert world.state.current_unit_key(world.shelter, HEALTH, at_size=before) is not None
    assert world.state.current_unit_key(world.shelter, OPERATIONS).epoch == 2
    assert world.state.current_unit_key(world.shelter, IDENTITY).epoch == 1
    assert world.founder.newest(world.shelter, OPERATIONS) == 2


def test_a_unit_whose_only_device_is_suspended_starts_anew_with_its_next(
    world: ControlWorld,
) -> None:
    osso = world.add_unit("OSSO", "osso")
    mai = world.join("Mai", "counsellor", osso.unit)
    writer = world.writer(world.founder)
    assert acts.suspend(writer, world.state, mai.device, "", world.founder.seeds) == set()
    world.append(writer)
    reads = ROLE_TABLE_V1.reads("counsellor")
    assert world.state.rotation_due(osso.unit) == reads
    nga = world.join("Nga", "counsellor", osso.unit)
    assert world.state.rotation_for(nga.device) == reads
    writer = world.writer(nga)
    acts.rotate(writer, world.state, world.state.rotation_for(nga.device), nga.seeds)
    assert world.append(writer, nga)[0].void == ""
    assert world.state.rotation_due(osso.unit) == set()
    assert world.state.unit_key(next(iter(nga.seeds))).predecessor is None


def test_a_rotation_reaches_every_colleague_and_opens_the_past(world: ControlWorld) -> None:
    hoa = world.join("Hoa", "caseworker")
    an = world.join("An", "clinician")
    writer = world.writer(world.founder)
    acts.suspend(writer, world.state, hoa.device, "", world.founder.seeds)
    (applied,) = world.append(writer, world.founder)
    opened = world.receive(an, applied.control_index)
    assert opened.missing == frozenset()
    shared = ROLE_TABLE_V1.reads("clinician") & ROLE_TABLE_V1.reads("caseworker")
    for compartment in shared:
        assert an.newest(world.shelter, compartment) == 2
        assert world.founder.newest(world.shelter, compartment) == 2
    assert an.newest(world.shelter, IDENTITY) == 0
    late = world.join("Bình", "caseworker")
    assert late.newest(world.shelter, IDENTITY) == 2
    epochs = {k.epoch for k in late.seeds if k.compartment == IDENTITY}
    assert epochs == {1, 2}, "a late joiner reads history"


def test_acts_of_a_suspended_device_are_void(world: ControlWorld) -> None:
    hoa = world.join("Hoa", "caseworker")
    an = world.join("An", "caseworker")
    writer = world.writer(world.founder)
    acts.suspend(writer, world.state, hoa.device, "", {})
    world.append(writer)
    assert world.state.rotation_due(world.shelter)
    writer = world.writer(hoa)
    acts.rotate(writer, world.state, [OPERATIONS], hoa.seeds)
    assert world.append(writer)[0].void == "signer-suspended"
    writer = world.writer(an)
    acts.rotate(writer, world.state, world.state.rotation_for(an.device), an.seeds)
    assert world.append(writer, an)[0].void == ""


def test_an_act_that_would_take_effect_before_the_last_one_is_void(world: ControlWorld) -> None:
    hoa = world.join("Hoa", "caseworker")
    world.move(10)
    writer = world.writer(world.founder)
    acts.add_unit(writer, name="OSSO", unit_type="osso", parent=None)
    world.append(writer)
    world.position = EMPTY_POSITION
    with pytest.raises(CannotDecide):
        world.writer(world.founder)
    writer = ControlWriter(
        network=world.state.network,
        device=world.founder.device,
        signer=world.founder.secrets.composite_signer(),
        network_keys=world.founder.network_keys,
        position=EMPTY_POSITION,
        entropy=world.entropy,
        index=world.state.size,
        previous=world.state.head_hash,
    )
    acts.suspend(writer, world.state, hoa.device, "", {})
    assert world.append(writer)[0].void == "position-backwards"
    assert world.state.suspended_from(hoa.device) is None


def test_a_missing_blob_stops_the_fold_and_leaves_it_as_it_was(world: ControlWorld) -> None:
    inviter, _ = world.meet(world.invite("clinician"), "Hoa")
    writer = world.writer(world.founder)
    acts.enrol(writer, world.state, inviter.proof(), world.place(inviter), world.founder.seeds)
    (entry,) = writer.entries
    needed = state_blobs(entry)
    blobs = {sha256(b).digest(): b for b in writer.blobs}
    assert set(needed) < set(blobs), "the wrap is nobody else's business"
    state = world.fresh()
    for absent in needed:
        without = {**world.blobs, **blobs}
        del without[absent]
        with pytest.raises(CannotDecide) as error:
            state.apply(6, 0, entry, world.opener, without.get)
        assert error.value.params["blob"] == absent.hex()
        assert state.size == 6
        assert [d.number for d in state.devices()] == [1]
        with pytest.raises(RelayMisbehaviour):
            state.apply(6, 0, entry, world.opener, {**without, absent: b"other"}.get)
        assert state.size == 6
    assert state.apply(6, 0, entry, world.opener, {**world.blobs, **blobs}.get).void == ""


def test_entries_must_come_in_their_order(world: ControlWorld) -> None:
    state = ControlState()
    with pytest.raises(RelayMisbehaviour):
        state.apply(0, 0, world.entries[1][2], world.opener, world.blobs.get)
    with pytest.raises(RelayMisbehaviour):
        state.apply(1, 0, world.entries[0][2], world.opener, world.blobs.get)
    state.apply(0, 0, world.entries[0][2], world.opener, world.blobs.get)
    with pytest.raises(RelayMisbehaviour):
        state.apply(1, 0, world.entries[2][2], world.opener, world.blobs.get)
    with pytest.raises(RelayMisbehaviour):
        state.apply(0, 0, world.entries[0][2], world.opener, world.blobs.get)
    assert state.size == 1


def test_every_changed_byte_of_an_entry_is_refused(world: ControlWorld) -> None:
    hoa = world.join("Hoa", "caseworker")
    assert hoa.device == 7
    entry = world.entries[6][2]
    state = ControlState()
    for index, log_time, kept in world.entries[:6]:
        state.apply(index, log_time, kept, world.opener, world.blobs.get)
    for position in [*range(0, 400), *range(400, len(entry), 97)]:
        changed = bytearray(entry)
        changed[position] ^= 1
        with pytest.raises((RelayMisbehaviour, CannotDecide)):
            state.apply(6, 0, bytes(changed), world.opener, world.blobs.get)
    assert state.size == 6
    assert state.apply(6, 0, entry, world.opener, world.blobs.get).void == ""


def test_a_newer_schema_replaces_and_a_breaking_one_is_void(world: ControlWorld) -> None:
    before = world.state.schema()
    newer = schema_from_bytes(shipped_schema())
    writer = world.writer(world.founder)
    acts.replace_schemas(writer, schema_to_bytes(newer))
    assert world.append(writer)[0].void == "schema-invalid", "its version is not larger"
    assert world.state.schema() is before
    writer = world.writer(world.founder)
    acts.replace_schemas(writer, b"\x94\x02\x01\x90\x90")
    assert world.append(writer)[0].void == ""
    assert world.state.has_newer_schema
    assert world.state.schema() is before


def enrolled(world: ControlWorld, inviter: Inviter, place: acts.Place, name: str = "Hoa") -> str:
    approved, _ = world.meet(inviter, name)
    writer = world.writer(world.founder)
    acts.enrol(writer, world.state, approved.proof(), place, world.founder.seeds)
    return world.append(writer)[-1].void


@pytest.mark.parametrize(
    "feeds",
    [
        lambda unit, own: [own],
        lambda unit, own: [own, unit],
        lambda unit, own: [FEED_ALL, unit, own],
        lambda unit, own: [FEED_ALL, own],
        lambda unit, own: [unit, own, b"x" * 16],
    ],
)
def test_feeds_that_are_not_the_roles_are_void(
    world: ControlWorld, monkeypatch: pytest.MonkeyPatch, feeds: Callable
) -> None:
    """Nobody but an auditor is served everything, and nobody two offices."""
    inviter = world.invite("caseworker")
    monkeypatch.setattr(
        acts, "device_feeds", lambda role, feed, entropy: feeds(feed, entropy.bytes(16))
    )
    assert enrolled(world, inviter, world.place(inviter)) == "feeds-differ"


@pytest.mark.parametrize("taken", ["unit", "device", "all"])
def test_an_access_feed_that_is_somebody_elses_is_void(
    world: ControlWorld, monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    osso = world.add_unit("OSSO", "osso")
    feeds = {"unit": osso.feed, "device": world.state.device(1).access_feed, "all": FEED_ALL}
    inviter = world.invite("caseworker")
    monkeypatch.setattr(acts, "device_feeds", lambda role, feed, entropy: [feed, feeds[taken]])
    assert enrolled(world, inviter, world.place(inviter)) == "feed-taken"


def test_a_second_device_of_a_member_must_leave_the_member_as_it_is(
    world: ControlWorld,
) -> None:
    world.join("Hoa", "caseworker")
    member = world.state.members()[-1].member
    inviter = world.invite("caseworker")
    place = replace(world.place(inviter), member=member)
    assert enrolled(world, inviter, place, "Hoà") == "member-differs"
    inviter = world.invite("caseworker", administrator=True)
    place = replace(world.place(inviter), member=member)
    assert enrolled(world, inviter, place) == "member-differs"
    inviter = world.invite("caseworker")
    place = replace(world.place(inviter), member=member)
    assert enrolled(world, inviter, place) == ""
    assert [d.number for d in world.state.devices() if d.member == member] == [7, 10]
    assert len(world.state.members()) == 2


def test_a_visitor_stands_alone_and_nobody_else_does(world: ControlWorld) -> None:
    inviter = world.invite("visitor")
    assert enrolled(world, inviter, world.place(inviter)) == "role-differs"
    one = UnitId(b"v" * 16)
    world.join("Bà Tư", "visitor", one, parent=world.shelter)
    inviter = world.invite("caseworker", one)
    assert enrolled(world, inviter, world.place(inviter)) == "role-differs"
    inviter = world.invite("visitor", one)
    assert enrolled(world, inviter, world.place(inviter)) == "unit-of-one-taken"


def test_a_void_entry_does_not_move_the_position(world: ControlWorld) -> None:
    """Else a member could push what administrators do out of reach."""
    hoa = world.join("Hoa", "caseworker")
    world.move(1 << 40)
    writer = world.writer(hoa)
    acts.add_unit(writer, name="x", unit_type="osso", parent=None)
    assert world.append(writer)[0].void == "act-not-allowed"
    world.move(10)
    writer = ControlWriter(
        network=world.state.network,
        device=world.founder.device,
        signer=world.founder.secrets.composite_signer(),
        network_keys=world.founder.network_keys,
        position=world.position,
        entropy=world.entropy,
        index=world.state.size,
        previous=world.state.head_hash,
    )
    acts.suspend(writer, world.state, hoa.device, "", world.founder.seeds)
    assert world.append(writer)[0].void == ""
    assert world.state.suspended_from(hoa.device) == 10


def test_a_network_box_is_kept_and_changes_nothing(world: ControlWorld) -> None:
    writer = world.writer(world.founder)
    acts.network_boxes(writer, world.state, [world.shelter])
    assert world.append(writer)[0].void == ""
