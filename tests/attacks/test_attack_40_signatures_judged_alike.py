"""Attack 40: signatures that could be judged differently are judged alike on every replica.

The edge signatures themselves are in attack 10 (one verifier). Here a member leaves bad signatures
in the middle of what it pushes: an honest relay checks the last one only. Layer that must make all
agree: ``sync/run_check`` with ``sync/waiting_leaves``, wherever pages break.
"""

from __future__ import annotations

from itertools import product

import pytest

from attack_world import SHELTER, AttackWorld
from casesync.client import exchange
from casesync.sync import session
from casesync.testing.hostile_member import HostileMember, Made


def pages_of(monkeypatch: pytest.MonkeyPatch, size_bytes: int) -> None:
    """Answers of at most so many bytes; 1 = one leaf each."""
    monkeypatch.setattr(
        exchange, "prepare", lambda engine, tx, *_size: session.prepare(engine, tx, size_bytes)
    )


def pushed(
    world: AttackWorld, stream, signed: tuple[bool, ...], person: bytes | None = None
) -> list[Made]:
    """Mai writes one change for each flag, signed or not, and pushes them in one go."""
    mai = HostileMember(world.mai)
    person = person or world.person("mai", stream)
    made = [
        mai.write(
            stream,
            bodies={2: mai.content(person, {"person.family_name": f"Nguyễn {n}"})},
            signed=flag,
        )
        for n, flag in enumerate(signed)
    ]
    mai.sync()
    return made


def outcome(world: AttackWorld, name: str, stream) -> tuple[object, ...]:
    return (
        world.values(name, stream, "person.family_name"),
        sorted(world.reasons(name).values()),
        [record.fields for record in world.replicas[name].show(stream).records],
    )


@pytest.mark.parametrize("signed", [(*flags, True) for flags in product((True, False), repeat=3)])
def test_every_replica_agrees_wherever_its_pages_break(signed, monkeypatch):
    world = AttackWorld()
    stream = world.case(given_name="Hòa")
    world.sync()
    pushed(world, stream, signed)
    pages_of(monkeypatch, 1)
    world.sync("lan")
    pages_of(monkeypatch, 1 << 20)
    late = world.offices.enrol(world.lan, "Nhà Bình Minh", "caseworker", "Sau")
    late.sync()
    world.replicas["late"] = late
    world.lan.sync()
    assert outcome(world, "lan", stream) == outcome(world, "late", stream)
    assert world.values("lan", stream, "person.family_name") == sorted(
        f"Nguyễn {n}" for n in range(4)
    ), "the last signature proves the whole run"
    assert world.reasons("lan") == {}


def test_what_no_later_signature_proves_waits_and_never_counts(monkeypatch):
    """The relay is the member's friend: it takes a push whose last change is not signed."""
    world = AttackWorld()
    stream = world.case(given_name="Hòa")
    world.sync()
    with monkeypatch.context() as patch:
        patch.setattr("casesync.relay.push.verify_change", lambda *_: None)
        pushed(world, stream, (True, False, False))
    world.sync("lan")
    assert world.values("lan", stream, "person.family_name") == ["Nguyễn 0"]
    assert list(world.reasons("lan").values()) == ["signature-missing"] * 2
    assert {q.state for q in world.lan.quarantine()} == {"waiting"}


def test_a_later_signature_proves_what_waited_and_nothing_waits_any_more(monkeypatch):
    world = AttackWorld()
    stream = world.case(given_name="Hòa")
    person = world.person("lan", stream)
    world.sync()
    with monkeypatch.context() as patch:
        patch.setattr("casesync.relay.push.verify_change", lambda *_: None)
        pushed(world, stream, (False, False), person)
    world.sync("lan")
    assert list(world.reasons("lan").values()) == ["signature-missing"] * 2
    assert world.values("lan", stream, "person.family_name") == []
    pushed(world, stream, (True,), person)
    world.sync("lan")
    assert world.values("lan", stream, "person.family_name") == ["Nguyễn 0", "Nguyễn 0", "Nguyễn 1"]
    assert world.reasons("lan") == {}


def test_what_comes_after_a_change_that_was_not_served_proves_nothing_in_any_page(monkeypatch):
    """Mai's access entries go to the auditor alone: between two pushes others see a hole."""
    world = AttackWorld()
    stream = world.case(given_name="Hòa")
    world.sync()
    with monkeypatch.context() as patch:
        patch.setattr("casesync.relay.push.verify_change", lambda *_: None)
        pushed(world, stream, (False,))
    world.sync("lan")
    pushed(world, stream, (True,))
    late = world.offices.enrol(world.lan, "Nhà Bình Minh", "caseworker", "Sau")
    late.sync()
    world.replicas["late"] = late
    world.sync("lan")
    assert outcome(world, "lan", stream) == outcome(world, "late", stream)
    [shown] = world.lan.quarantine()
    assert (shown.reason, shown.state) == ("author-unproven", "quarantined")
    assert shown.author == world.mai.whoami().member


def test_a_back_fill_agrees_though_the_proof_came_with_another_stream():
    """The proof stands in another case, which the grantee was served long before."""
    world = AttackWorld()
    first, second = world.case(given_name="Hòa"), world.case(given_name="Lý")
    world.share(first)
    world.sync(rounds=2)
    mai = HostileMember(world.mai)
    person = world.person("mai", second)
    mai.write(second, bodies={2: mai.content(person, {"person.family_name": "Trần"})}, signed=False)
    person = world.person("mai", first)
    mai.write(first, bodies={2: mai.content(person, {"person.family_name": "Lê"})})
    mai.sync()
    world.sync(rounds=2)
    world.share(second, history=True)
    world.sync(rounds=2)
    assert world.values("lan", second, "person.family_name") == ["Trần"]
    assert world.values("oanh", second, "person.family_name") == ["Trần"]
    assert world.reasons("oanh") == world.reasons("lan") == {}


def test_a_back_fill_proves_what_was_quarantined_since_nothing_continued_it():
    """What OSSO is not served stands between an unsigned change and the next one it is served."""
    world = AttackWorld()
    first, second = world.case(given_name="Hòa"), world.case(given_name="Lý")
    world.share(first)
    world.sync(rounds=2)
    mai = HostileMember(world.mai)
    for case, name, signed in ((first, "Lê", False), (second, "Trần", True), (first, "Hồ", True)):
        person = world.person("mai", case)
        body = mai.content(person, {"person.family_name": name})
        mai.write(case, bodies={2: body}, signed=signed)
    mai.sync()
    world.sync("lan", "oanh")
    assert world.values("lan", first, "person.family_name") == ["Hồ", "Lê"]
    assert world.values("oanh", first, "person.family_name") == ["Hồ"]
    assert list(world.reasons("oanh").values()) == ["author-unproven"]
    world.share(second, history=True)
    world.sync(rounds=2)
    assert world.values("oanh", first, "person.family_name") == ["Hồ", "Lê"]
    assert world.reasons("oanh") == world.reasons("lan") == {}


@pytest.mark.parametrize("newcomer", [False, True], ids=["known", "newcomer"])
@pytest.mark.parametrize("proven", [True, False], ids=["signed behind", "not signed"])
def test_who_saw_the_control_log_later_judges_a_run_like_everybody_else(
    newcomer, proven, monkeypatch
):
    """The relay keeps control entries from Lan while it serves what was written knowing them."""
    world = AttackWorld()
    first, second = world.case(given_name="Hòa"), world.case(given_name="Lý")
    world.sync()
    people = {case: world.person("lan", case) for case in (first, second)}
    world.relay.keep_control_from(int(world.lan.core.engine.device))
    if newcomer:
        writer = world.offices.enrol(world.uyen, SHELTER, "caseworker", "Bạn")
        world.sync("mai")
        world.mai.approve_step(str(writer.whoami().device))
    else:
        writer = world.mai
        world.uyen.add_unit("Trạm", "provider")
    writer.sync()
    member = HostileMember(writer)
    with monkeypatch.context() as patch:
        patch.setattr("casesync.relay.push.verify_change", lambda *_: None)
        for case, signed in ((first, False), (second, proven)):
            body = member.content(people[case], {"person.family_name": "Lê"})
            member.write(case, bodies={2: body}, signed=signed)
        member.sync()
    world.sync("lan", "mai")
    unproven = not proven and not newcomer  # nobody's signature can be checked without a key
    waits = "signature-missing" if unproven else "control-missing"
    assert list(world.reasons("lan").values()) == [waits] * 2
    world.relay.keep_control_from(int(world.lan.core.engine.device), on=False)
    world.sync("lan")
    world.replicas["late"] = world.offices.enrol(world.lan, SHELTER, "caseworker", "Sau")
    world.sync("late", "lan")
    for case in (first, second):
        assert world.values("lan", case, "person.family_name") == ["Lê"] * proven
        assert outcome(world, "lan", case) == outcome(world, "late", case)
    assert list(world.reasons("lan").values()) == [] if proven else ["signature-missing"] * 2
    body = member.content(people[first], {"person.family_name": "Hồ"})
    member.write(first, bodies={2: body})
    member.sync()
    world.sync("lan", "late")
    for case in (first, second):
        assert outcome(world, "lan", case) == outcome(world, "late", case)
    assert world.values("lan", second, "person.family_name") == ["Lê"]
    assert world.reasons("lan") == {}


def test_what_waits_for_control_entries_is_proven_by_the_page_that_comes_with_them(monkeypatch):
    """Lan is served a newcomer's bad signature first, then its author's key and the proof at once.

    Before the proof a colleague states a key: the stream is judged before the proof is merged.
    """
    world = AttackWorld()
    case = world.case(given_name="Hòa")
    world.sync()
    person = world.person("lan", case)
    world.relay.keep_control_from(int(world.lan.core.engine.device))
    writer = world.offices.enrol(world.uyen, SHELTER, "caseworker", "Bạn")
    world.sync("mai")
    world.mai.approve_step(str(writer.whoami().device))
    writer.sync()
    member, mai = HostileMember(writer), HostileMember(world.mai)
    body = member.content(person, {"person.family_name": "Lê"})
    with monkeypatch.context() as patch:
        patch.setattr("casesync.relay.push.verify_change", lambda *_: None)
        member.write(case, bodies={2: body}, signed=False)
        member.sync()
    world.sync("lan", "mai")
    assert list(world.reasons("lan").values()) == ["control-missing"]
    mai.write(case, bodies={5: mai.content(person, {"person.education": "primary"})})
    mai.sync()
    member.write(case, bodies={2: body})
    member.sync()
    world.relay.keep_control_from(int(world.lan.core.engine.device), on=False)
    world.sync("lan")
    world.replicas["late"] = world.offices.enrol(world.lan, SHELTER, "caseworker", "Sau")
    world.sync("late", "lan")
    assert outcome(world, "lan", case) == outcome(world, "late", case)
    assert world.values("lan", case, "person.family_name") == ["Lê", "Lê"]
    assert world.reasons("lan") == {}
