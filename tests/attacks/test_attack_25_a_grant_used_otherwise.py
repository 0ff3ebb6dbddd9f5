"""Attack 25: a grant used for another stream or compartment, replayed, expired, revoked.

Layer that must refuse: the verdict on a change (``access/stream_rights``), alike on every replica,
the grantee's own included. Keys: whoever is not entitled any more holds none of the next ones.
"""

from __future__ import annotations

import pytest

from attack_world import OSSO, AttackWorld
from casesync.access.base_acts import Grant
from casesync.foundation.ids import Compartment
from casesync.sync.stream_row import StreamRow
from casesync.testing.hostile_member import HostileMember

LIVELIHOOD = int(Compartment.LIVELIHOOD)
OPERATIONS = int(Compartment.OPERATIONS)
CONTACT = int(Compartment.CONTACT)
DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def world() -> AttackWorld:
    return AttackWorld()


def note(member: HostileMember, text: str = "ghi chú") -> bytes:
    """A body for ``operations``: a note of its own."""
    return member.content(b"n" * 16, {"note.text": text})


def verdicts(world: AttackWorld, stream, device: int, number: int) -> set[str | None]:
    world.sync(rounds=2)
    names = ("lan", "mai", "oanh", "phuc", "dung")
    return {world.verdict(name, stream, device, number) for name in names}


def grants(world: AttackWorld, name: str, stream) -> list:
    with world.stores[name].transaction() as tx:
        return StreamRow(tx.stream_rows([stream])[stream]).rights.grants


def test_what_the_grant_names_may_be_written(world):
    stream = world.case()
    world.share(stream, OSSO, ("operations",), write=True)
    world.sync(rounds=2)
    oanh = HostileMember(world.oanh)
    made = oanh.write(stream, bodies={OPERATIONS: note(oanh)})
    assert verdicts(world, stream, oanh.device, made.number) == {""}


def test_a_compartment_that_the_grant_does_not_name_is_refused(world):
    stream = world.case()
    world.share(stream, OSSO, ("operations",), write=True)
    world.sync(rounds=2)
    oanh = HostileMember(world.oanh)
    body = oanh.content(b"n" * 16, {"note.text": "x"})
    made = oanh.write(stream, bodies={LIVELIHOOD: body})
    assert verdicts(world, stream, oanh.device, made.number) == {"compartment-not-allowed"}


def test_a_compartment_that_the_grant_names_and_the_role_does_not_write_is_refused(world):
    stream = world.case()
    world.share(stream, OSSO, ("contact",), write=True)
    world.sync(rounds=2)
    oanh = HostileMember(world.oanh)
    body = oanh.content(b"p" * 16, {"person.safe_to_contact": "yes"})
    made = oanh.write(stream, bodies={CONTACT: body})
    assert verdicts(world, stream, oanh.device, made.number) == {"compartment-not-allowed"}


def test_a_grant_without_write_lets_nothing_be_written(world):
    stream = world.case()
    world.share(stream, OSSO, ("operations",))
    world.sync(rounds=2)
    oanh = HostileMember(world.oanh)
    made = oanh.write(stream, bodies={OPERATIONS: note(oanh)})
    assert verdicts(world, stream, oanh.device, made.number) == {"no-grant"}


def test_a_grant_in_one_case_gives_nothing_in_another(world):
    """The OSSO is served the second case too (read only), and claims the first one's right."""
    first, second = world.case(), world.case()
    world.share(first, OSSO, ("operations",), write=True)
    world.share(second, OSSO, ("operations",))
    world.sync(rounds=2)
    oanh = HostileMember(world.oanh)
    own = grants(world, "oanh", first)[0]
    replayed = Grant(
        grant=own.grant,
        to_unit=own.unit,
        compartments=(Compartment.OPERATIONS,),
        write=True,
        history=False,
        purpose=own.purpose,
        expires_ms=None,
        consent=own.consent,
        revocation=None,
        covers=(),
    )
    made = oanh.write(second, bodies={OPERATIONS: note(oanh)}, acts=[replayed])
    assert verdicts(world, second, oanh.device, made.number) == {"no-grant"}
    assert [g.write for g in grants(world, "lan", second)] == [False]


def test_a_stream_that_was_never_shared_is_not_even_taken_by_the_relay(world):
    shared, private = world.case(), world.case()
    world.share(shared, OSSO, ("operations",), write=True)
    world.sync(rounds=2)
    oanh = HostileMember(world.oanh)
    stolen = world.lan.core.engine.keys
    with world.stores["lan"].transaction() as tx:
        stolen.load(tx, [private])
    key = next(k for (c, _), k in stolen.stream(private).items() if c == OPERATIONS)
    body = note(oanh, "chen vào")
    oanh.write(private, bodies={OPERATIONS: body}, keys={OPERATIONS: key})
    oanh.sync()
    assert world.oanh.status().missing, "it stays in the outbox and says so"
    world.sync("lan")
    assert world.reasons("lan") == {}
    assert "chen vào" not in world.texts("lan", private)


@pytest.mark.parametrize("same_id", [True, False])
def test_a_grant_replayed_behind_its_revocation_is_void(world, same_id):
    """A colleague of the owning unit may grant; an old grant's bytes are no new one."""
    stream = world.case()
    shared = world.share(stream, OSSO, ("operations",), write=True)
    world.sync(rounds=2)
    old = grants(world, "mai", stream)[0]
    world.lan.revoke_grant(stream, shared.grant)
    world.sync(rounds=3)
    mai = HostileMember(world.mai)
    again = Grant(
        grant=old.grant if same_id else b"g" * 16,
        to_unit=old.unit,
        compartments=(Compartment.OPERATIONS,),
        write=True,
        history=False,
        purpose=old.purpose,
        expires_ms=None,
        consent=old.consent,
        revocation=None,
        covers=(),
    )
    made = mai.write(stream, acts=[again])
    world.sync(rounds=2)
    assert world.verdict("lan", stream, mai.device, made.number) == ""
    assert [g.revoked is None for g in grants(world, "lan", stream)] == [False]
    assert set(world.keys("oanh", stream)) == set()


def test_an_expired_grant_lets_nothing_in_and_no_new_key_out(world):
    stream = world.case()
    until = world.clock.now_ms() + DAY_MS
    world.share(stream, OSSO, ("operations",), write=True, until_ms=until)
    world.sync(rounds=2)
    oanh = HostileMember(world.oanh)
    before = oanh.write(stream, bodies={OPERATIONS: note(oanh, "trước hạn")})
    world.sync(rounds=2)
    world.clock.advance(2 * DAY_MS)
    late = oanh.write(stream, bodies={OPERATIONS: note(oanh, "sau hạn")})
    assert verdicts(world, stream, oanh.device, late.number) == {"grant-revoked"}
    assert world.verdict("lan", stream, oanh.device, before.number) == ""
    held = world.keys("oanh", stream)
    with world.lan.edit(stream) as edit:
        edit.new_record("note", {"text": "chỉ cho nhà"})
    world.sync(rounds=2)
    assert world.keys("oanh", stream) == held
    assert "chỉ cho nhà" in world.texts("mai", stream)
    assert "chỉ cho nhà" not in world.texts("oanh", stream)


def test_a_clock_set_back_does_not_prolong_a_grant(world):
    """Expiry is judged by the relay's log time, not by what the author says."""
    stream = world.case()
    until = world.clock.now_ms() + DAY_MS
    world.share(stream, OSSO, ("operations",), write=True, until_ms=until)
    world.sync(rounds=2)
    world.clock.advance(2 * DAY_MS)
    oanh = HostileMember(world.oanh)
    body = oanh.content(b"n" * 16, {"note.text": "cũ"}, clock_ms=until - DAY_MS)
    made = oanh.write(stream, bodies={OPERATIONS: body})
    assert verdicts(world, stream, oanh.device, made.number) == {"grant-revoked"}


def test_writing_on_after_a_revocation_is_quarantined_at_everybody(world):
    stream = world.case()
    shared = world.share(stream, OSSO, ("operations",), write=True)
    world.sync(rounds=2)
    oanh = HostileMember(world.oanh)
    late = oanh.write(stream, bodies={OPERATIONS: note(oanh, "muộn")})
    world.lan.revoke_grant(stream, shared.grant)
    world.sync("lan")
    world.sync(rounds=2)
    for name in ("lan", "mai", "dung"):
        assert world.verdict(name, stream, oanh.device, late.number) == "grant-revoked", name
    assert "muộn" not in repr(world.lan.show(stream))
    assert world.lan.quarantine()[0].unit == OSSO
