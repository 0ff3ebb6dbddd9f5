"""Must hold 5: one bad change is quarantined and the rest goes on; a false page is refused whole;
honest work that was on its way is never quarantined for what arrived meanwhile."""

from __future__ import annotations

import pytest

from attack_world import OSSO, SHELTER, AttackWorld
from casesync.access.base_acts import Opening
from casesync.foundation.errors import RelayMisbehaviour
from casesync.foundation.ids import Compartment, RecordId, StreamKind
from casesync.sync.author import own_chain
from casesync.sync.held_log import CHANGE_RANGE, load_range
from casesync.testing.hostile_member import HostileMember
from casesync.testing.hostile_relay import (
    with_byte_flipped,
    with_frame_dropped,
    with_frame_repeated,
    with_frames_swapped,
    with_items,
)
from casesync.translog.unsealed import Statement

IDENTITY = int(Compartment.IDENTITY)


@pytest.fixture
def world() -> AttackWorld:
    return AttackWorld()


# -- one bad change -------------------------------------------------------------------------------


def bad_author(world, stream):
    oanh = HostileMember(world.oanh)
    person = world.person("lan", stream)
    return oanh, oanh.write(
        stream, bodies={IDENTITY: oanh.content(person, {"person.given_name": "X"})}
    )


def bad_body(world, stream):
    mai = HostileMember(world.mai)
    return mai, mai.write(stream, bodies={IDENTITY: b"\xc1 nonsense"})


def bad_opening(world, stream):
    mai = HostileMember(world.mai)
    act = Opening(kind=StreamKind.CASE, owner=mai.engine.unit, record=RecordId(b"r" * 16))
    return mai, mai.write(stream, acts=[act])


def bad_base(world, stream):
    mai = HostileMember(world.mai)
    return mai, mai.write(stream, bodies={int(Compartment.BASE): b"\xc1 nonsense"})


def bad_statement(world, stream):
    """A key that colleagues get no box of."""
    mai = HostileMember(world.mai)
    person = world.person("lan", stream)

    with world.stores["mai"].transaction() as tx:
        number = own_chain(tx, mai.engine)[0] + 1
    key = mai.engine.keys.prepare(stream, IDENTITY, (mai.device, number, 0), b"k" * 32)

    def state(plan) -> None:
        plan.statements.append(Statement(0, IDENTITY, key.commitment, (), None))

    body = mai.content(person, {"person.given_name": "X"})
    return mai, mai.write(stream, bodies={IDENTITY: body}, keys={IDENTITY: key}, change_plan=state)


BAD = {
    "author without a right": (bad_author, "no-grant"),
    "malformed content": (bad_body, "segment-malformed"),
    "second opening": (bad_opening, "opening-invalid"),
    "malformed base": (bad_base, "change-malformed"),
    "key for nobody": (bad_statement, "statement-invalid"),
}


@pytest.mark.parametrize("name", BAD)
def test_one_bad_change_is_quarantined_with_its_reason_and_the_rest_goes_on(world, name):
    make, reason = BAD[name]
    stream = world.case(given_name="Hòa")
    world.share(stream, OSSO, ("identity", "contact"))
    world.sync(rounds=2)
    member, made = make(world, stream)
    member.sync()
    other = world.case("mai", given_name="Lý")
    world.set("mai", stream, "person.family_name", "Lê")
    world.sync("mai")
    report = world.lan.sync()
    assert report.synced
    status = world.lan.status()
    assert (report.quarantined, report.awaiting) == (1, 0)
    assert (status.quarantined, status.awaiting, status.unsettled) == (1, 0, 1)
    [bad] = world.lan.quarantine()
    assert (bad.device, bad.number, bad.reason) == (member.device, made.number, reason)
    assert bad.author
    assert bad.case == world.lan.case_code(stream)
    assert world.values("lan", stream, "person.family_name") == ["Lê"]
    assert world.values("lan", stream, "person.given_name") == ["Hòa"]
    assert world.values("lan", other, "person.given_name") == ["Lý"]
    world.set("lan", stream, "person.given_name", "Hoa")
    world.sync(rounds=2)
    assert world.values("mai", stream, "person.given_name") == ["Hoa"], "work goes on"


# -- a false page ---------------------------------------------------------------------------------


EDITS = {
    "a byte of a segment": with_byte_flipped,
    "a byte of a signature": lambda answer: with_byte_flipped(answer, 0, -128 - 64),
    "two frames swapped": with_frames_swapped,
    "a frame twice": with_frame_repeated,
    "a frame missing": with_frame_dropped,
    "nothing served": lambda answer: with_items(answer, lambda _: []),
    "all skipped": lambda answer: with_items(answer, lambda items: [len(items)]),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_page_that_contradicts_its_leaves_is_refused_whole_and_the_cursor_stays(world, name):
    stream = world.case(given_name="Hòa")
    world.sync()
    for value in ("Hoa", "Hà"):
        world.set("lan", stream, "person.given_name", value)
    world.case(given_name="Lý")
    world.sync("lan")
    mai = int(world.mai.core.engine.device)
    world.relay.edit = lambda caller, answer: (
        EDITS[name](answer) if caller.device == mai else answer
    )

    def held() -> tuple[object, ...]:
        with world.stores["mai"].transaction() as tx:
            position = load_range(tx, CHANGE_RANGE)
        dump = world.dump("mai")
        return position.size, position.root(), dump["stream_rows"], dump["change_block"]

    before = held()
    with pytest.raises(RelayMisbehaviour) as raised:
        world.mai.sync()
    assert raised.value.exit_code == 6
    assert held() == before
    world.relay.edit = None
    assert world.mai.sync().synced
    assert world.values("mai", stream, "person.given_name") == ["Hà"]
    assert world.reasons("mai") == {}


# -- honest work on its way ----------------------------------------------------------------------


def work_of_mai(world, stream) -> None:
    """Edits of several compartments, offline."""
    world.set("mai", stream, "person.given_name", "Hoa")
    world.set("mai", stream, "person.contact_rule", "gọi trước")
    with world.mai.edit(stream) as edit:
        edit.new_record("note", {"text": "hẹn", "protection_text": "chỗ ở"})


def grant_arrives(world, stream):
    world.share(stream, OSSO, ("identity", "contact"), write=True)


def revocation_arrives(world, stream):
    shared = world.share(stream, OSSO, ("identity", "contact"))
    world.sync("lan")
    world.lan.revoke_grant(stream, shared.grant)


def rotation_arrives(world, stream):
    """A third laptop of the office is stolen: every unit key is replaced."""
    third = world.offices.enrol(world.lan, SHELTER, "caseworker", "Ba")
    world.lan.suspend_device(int(third.core.engine.device), reason="mất")
    world.sync("lan")
    world.set("lan", stream, "person.address", "ngõ 5")


def audit_unit_arrives(world, stream):
    world.lan.add_unit("Kiểm tra hai", "audit")
    auditor = world.offices.enrol(world.lan, "Kiểm tra hai", "auditor", "Hai")
    auditor.sync()
    world.sync("lan")
    world.set("lan", stream, "person.address", "ngõ 5")


def colleague_arrives(world, stream):
    world.offices.enrol(world.lan, SHELTER, "caseworker", "Tư").sync()


MEANWHILE = {
    "grant": grant_arrives,
    "revocation": revocation_arrives,
    "rotation": rotation_arrives,
    "audit unit": audit_unit_arrives,
    "colleague": colleague_arrives,
    "everything": lambda world, stream: [
        arrives(world, stream)
        for arrives in (colleague_arrives, grant_arrives, audit_unit_arrives, rotation_arrives)
    ],
}


@pytest.mark.parametrize("first", ["lan", "mai"])
@pytest.mark.parametrize("name", MEANWHILE)
def test_honest_work_written_offline_is_never_quarantined_for_what_arrived(world, name, first):
    """Whoever pushes first: Mai's work counts, everywhere, with every word."""
    stream = world.case(given_name="Hòa", safe_to_contact="no")
    world.sync()
    work_of_mai(world, stream)
    if first == "mai":
        world.sync("mai")
    MEANWHILE[name](world, stream)
    world.sync("lan", "mai")
    work_of_mai(world, stream)
    world.sync(rounds=3)
    for desk in world.replicas:
        assert world.reasons(desk) == {}, desk
    for desk in ("lan", "mai"):
        assert world.values(desk, stream, "person.given_name") == ["Hoa"], desk
        assert world.values(desk, stream, "note.protection_text") == ["chỗ ở", "chỗ ở"], desk
    assert world.dung.audit_verify().entries > 0
