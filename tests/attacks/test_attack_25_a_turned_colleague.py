"""Attack 25: a member of the owning office who may grant turns against her own colleagues.

What she signs as an act of the case may only be opened by whom she likes. Refusing layer: the
verdict (``access/stream_rights.py``; membership.md, *Verdict on a change*): her change waits and is
shown as hers, colleagues who have not seen its acts go on, and nobody reaches another definite
verdict than who can open it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pytest

from attack_world import OSSO, UNION, AttackWorld
from casesync.access.base_acts import BaseAct, Grant, Revocation
from casesync.access.verdicts import VERDICTS, State
from casesync.foundation.ids import Compartment, GrantId, RecordId, StreamId, UnitId
from casesync.model.segment_body import Copy, encode_copies
from casesync.sync.author import own_chain
from casesync.sync.key_plan import KeyPlan
from casesync.sync.stream_merge import load_changes
from casesync.sync.stream_row import StreamRow
from casesync.testing.hostile_member import HostileMember, Made
from casesync.translog.unsealed import Box, MoreBoxes, Statement

KNOWN = bytes(range(32))
BASE = int(Compartment.BASE)
CONTACT, OPERATIONS = Compartment.CONTACT, int(Compartment.OPERATIONS)
UNREADABLE = "base-unreadable"


def hidden_act(
    world: AttackWorld,
    mai: HostileMember,
    stream: StreamId,
    acts: Sequence[BaseAct],
    to: Sequence[str],
) -> Made:
    """Acts under a base key that only the offices of ``to`` can open; every box has its name."""
    engine = mai.engine
    with mai.core.store.transaction() as tx:
        number = own_chain(tx, engine)[0] + 1
    key = engine.keys.prepare(stream, BASE, (mai.device, number, 0), KNOWN)

    def plan(planned: KeyPlan) -> None:
        boxes = []
        for name in ("lan", "oanh", "uyen", "dung"):
            unit = world.replicas[name].core.engine.unit
            box = engine.keys.make_box(engine.control, stream, unit, key)
            assert box is not None
            boxes.append(box if name in to else Box(box.key_name, box.epoch, bytes(48)))
        planned.statements[:] = [Statement(0, BASE, key.commitment, tuple(boxes), None)]
        planned.boxes.clear()

    return mai.write(stream, acts=acts, keys={BASE: key}, change_plan=plan)


def shared_case() -> tuple[AttackWorld, StreamId, GrantId, HostileMember]:
    world = AttackWorld(7)
    stream = world.case(given_name="Hoa")
    shared = world.share(stream, OSSO, ("contact", "operations"), write=True)
    world.sync(rounds=2)
    return world, stream, GrantId(bytes.fromhex(shared.grant)), HostileMember(world.mai)


def line(world: AttackWorld, member: HostileMember, stream: StreamId) -> Made:
    """A change of one field that all of these may write."""
    [case] = [r for r in world.yen.show(stream).records if r.type == "case"]
    body = member.content(bytes.fromhex(case.id_hex), {"case.status": ["", "open"]})
    return member.write(stream, bodies={OPERATIONS: body})


def definite(world: AttackWorld, name: str, stream: StreamId) -> dict[tuple[int, int], State]:
    """Verdicts that do not wait, by change."""
    with world.stores[name].transaction() as tx:
        entries = list(StreamRow(tx.stream_rows([stream]).get(stream)).history())
    states = {(e.device, e.number): VERDICTS[e.verdict].state for e in entries}
    return {dot: state for dot, state in states.items() if state is not State.WAITING}


def granted(unit: UnitId, revocation: tuple[int, int] | None = None) -> Grant:
    return Grant(
        grant=GrantId(bytes(range(16))),
        to_unit=unit,
        compartments=(CONTACT,),
        write=True,
        history=False,
        purpose="share_with_org",
        expires_ms=None,
        consent=RecordId(bytes(16)),
        revocation=revocation,
        covers=(),
    )


def test_an_act_nobody_can_open_stops_no_colleague_and_no_other_case() -> None:
    world, stream, grant, mai = shared_case()
    other = world.case(given_name="Cúc")
    made = hidden_act(world, mai, stream, [Revocation(grant=grant, reason="")], to=())
    world.sync("mai", "lan", "yen")
    for name in ("lan", "yen"):
        assert world.reasons(name) == {(mai.device, made.number): UNREADABLE}
        [shown] = world.replicas[name].quarantine()
        assert (shown.author, shown.state) == (world.mai.whoami().member, "waiting")
    for case in (stream, other):
        world.set("lan", case, "person.family_name", "Trần")
    world.sync("lan", "mai", "lan", "yen")
    for name in ("lan", "mai"):
        assert world.values(name, stream, "person.family_name") == ["Trần"]
        assert world.values(name, other, "person.family_name") == ["Trần"]
        assert world.reasons(name) == {(mai.device, made.number): UNREADABLE}


def test_colleagues_still_grant_and_revoke() -> None:
    world, stream, grant, mai = shared_case()
    made = hidden_act(world, mai, stream, [Revocation(grant=grant, reason="")], to=())
    world.sync("mai", "lan")
    world.share(stream, UNION, ("identity", "contact"))
    world.sync("lan", "uyen")
    assert world.values("uyen", stream, "person.given_name") == ["Hoa"]
    world.lan.revoke_grant(stream, grant.hex())
    world.sync("lan", "oanh", "lan")
    assert world.keys("oanh", stream).get(int(CONTACT)) is None
    assert world.reasons("lan")[mai.device, made.number] == UNREADABLE


def test_what_rests_on_a_grant_waits_behind_it_and_what_she_writes_later_too() -> None:
    """Perhaps she revoked it. Only who can open the act, or a person, can tell."""
    world, stream, grant, mai = shared_case()
    oanh = HostileMember(world.oanh)
    made = hidden_act(world, mai, stream, [Revocation(grant=grant, reason="")], to=())
    world.sync("mai")
    theirs = line(world, oanh, stream)
    later = line(world, mai, stream)
    world.sync("oanh", "mai", "lan")
    assert world.reasons("lan") == {
        (mai.device, made.number): UNREADABLE,
        (oanh.device, theirs.number): "base-missing",
        (mai.device, later.number): "base-missing",
    }


def test_who_can_open_it_and_who_cannot_never_decide_differently() -> None:
    """She revokes and grants where only OSSO and the auditor see it; all go on working."""

    def revoke(world: AttackWorld, grant: GrantId) -> list[BaseAct]:
        return [Revocation(grant=grant, reason="")]

    def grant_more(world: AttackWorld, grant: GrantId) -> list[BaseAct]:
        return [granted(world.uyen.core.engine.unit)]

    acts: list[Callable[[AttackWorld, GrantId], list[BaseAct]]] = [revoke, grant_more]
    for choose in acts:
        world, stream, grant, mai = shared_case()
        made = hidden_act(world, mai, stream, choose(world, grant), to=("oanh", "dung"))
        world.sync("mai", "lan", "oanh", "dung")
        assert world.verdict("dung", stream, mai.device, made.number) == ""
        world.share(stream, UNION, ("contact", "operations"), write=True)
        world.set("lan", stream, "person.family_name", "Trần")
        world.sync("lan", "uyen", "oanh")
        line(world, HostileMember(world.oanh), stream)
        later = line(world, mai, stream)
        world.sync("oanh", "mai", "lan", "uyen", "yen", "dung", "oanh")
        assert world.verdict("dung", stream, mai.device, later.number) == ""
        known = definite(world, "dung", stream)
        for name in ("lan", "yen", "uyen", "oanh"):
            for dot, state in definite(world, name, stream).items():
                assert known.get(dot, state) is state, (name, dot)


def test_it_counts_once_a_box_that_opens_is_here() -> None:
    world, stream, _, mai = shared_case()
    engine = mai.engine
    made = hidden_act(world, mai, stream, [granted(world.uyen.core.engine.unit)], to=("oanh",))
    world.sync("mai", "lan")
    assert world.reasons("lan") == {(mai.device, made.number): UNREADABLE}
    dot = (mai.device, made.number, 0)
    key = engine.keys.prepare(stream, BASE, dot, KNOWN)

    def plan(planned: KeyPlan) -> None:
        box = engine.keys.make_box(engine.control, stream, engine.unit, key)
        assert box is not None
        planned.boxes.append(MoreBoxes(*dot, (box,)))

    mai.write(stream, change_plan=plan)
    world.sync("mai", "lan", "yen")
    for name in ("lan", "yen"):
        assert world.reasons(name) == {}
        assert world.verdict(name, stream, mai.device, made.number) == ""


def forged(
    world: AttackWorld, mai: HostileMember, shared: GrantId, stream: StreamId, copy: Copy
) -> Made:
    """A supplement that puts words into a colleague's mouth, for offices without the original."""
    now_ms = mai.core.clock.now_ms()
    body = encode_copies(now_ms, mai.engine.schema.version, shared, 0, 0, [copy])
    return mai.write(stream, bodies={OPERATIONS: body})


def status_copy(world: AttackWorld, mai: HostileMember, stream: StreamId) -> Copy:
    """A true copy of what Lan wrote as the status."""
    [case] = [r for r in world.lan.show(stream).records if r.type == "case"]
    [value] = case.fields["status"].values
    device, number, position = map(int, value.dot.split("."))
    cell, code = mai.cell(bytes.fromhex(case.id_hex), "case.status")
    with world.stores["lan"].transaction() as tx:
        row = StreamRow(tx.stream_rows([stream])[stream])
        entry = row.find(device, number)
        assert entry is not None
        [change] = load_changes(tx, [entry])
    return Copy(
        device, number, change.link[:8], position, cell, code, value.time_ms, [None, "open"], ()
    )


@pytest.mark.parametrize(
    ("lie", "told"),
    [
        (Copy._replace, False),
        (partial(Copy._replace, value=["open", "closed"]), True),
        (partial(Copy._replace, clock_ms=5), True),
        (partial(Copy._replace, link8=b"no link!"), True),
        (partial(Copy._replace, position=77), True),
        (partial(Copy._replace, number=999, value=["open", "closed"]), True),
    ],
    ids=["true", "value", "clock", "link", "position", "a change that never was"],
)
def test_a_forged_copy_is_reported_by_whoever_holds_the_original(lie, told: bool) -> None:
    world, stream, grant, mai = shared_case()
    before = world.values("lan", stream, "case.status")
    made = forged(world, mai, grant, stream, lie(status_copy(world, mai, stream)))
    world.sync("mai", "lan", "yen")
    for name in ("lan", "mai", "yen"):
        expected = {(mai.device, made.number): "copy-differs"} if told else {}
        assert world.reasons(name) == expected
        assert world.values(name, stream, "case.status") == before


def test_a_colleague_takes_forged_words_from_an_office_by_granting_again() -> None:
    """The office holds nothing but copies; it gives all of them up with the grant."""
    world, stream, grant, mai = shared_case()
    lie = status_copy(world, mai, stream)._replace(number=999, value=["open", "closed"])
    forged(world, mai, grant, stream, lie)
    world.sync("mai", "oanh", "lan")
    assert "closed" in str(world.values("oanh", stream, "case.status"))
    world.lan.revoke_grant(stream, grant.hex())
    world.sync("lan", "oanh", "lan")
    world.share(stream, OSSO, ("contact", "operations"), write=True)
    world.sync("lan", "oanh")
    assert world.values("oanh", stream, "case.status") == world.values("lan", stream, "case.status")
