"""Attack 60: a rolled-back or cloned database writes nothing under the old identity.

Layers: the anchor at once (``client/anchor``, tested beside a real home), and where the whole disk
was restored the relay's first answer (``sync/session``). From then on no change is written and
nothing is sent. The relay cannot prove what it says, so what is here can still be read, and every
look is logged.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from attack_world import AttackWorld
from casesync.foundation.errors import CasesyncError, LocalStateError, NetworkError
from casesync.testing.memory_network import Fault
from casesync.wire.refusals import Refusal, RequestRefused
from simulation.founding import copied


@pytest.fixture
def world() -> AttackWorld:
    return AttackWorld()


def relay_size(world: AttackWorld) -> str:
    world.sync("dung")
    return world.dung.status().change_checkpoint.split()[0]


def refuses_everything(world: AttackWorld, name: str, stream) -> None:
    """Every way to write or send fails, and of the database only the access log changes."""
    before = without_looks(world, name)
    replica = world.replicas[name]
    for attempt in (
        replica.sync,
        lambda: world.set(name, stream, "person.given_name", "X"),
        lambda: world.case(name),
        lambda: replica.give_consent(stream, "share_with_org", "Hội Phụ nữ", ["contact"]),
    ):
        with pytest.raises(LocalStateError):
            attempt()
    entries = len(replica.audit_mine())
    replica.show(stream)
    assert len(replica.audit_mine()) == entries + 1
    assert without_looks(world, name) == before


def without_looks(world: AttackWorld, name: str):
    """The database but for the access log and the counter of signed requests, which only grow."""
    dump = world.dump(name)
    del dump["access_entry"]
    grow = ("'request-counter'", "'access-head'")
    dump["value"] = [row for row in dump["value"] if not any(key in row for key in grow)]
    return dump


@pytest.mark.parametrize("unsent", [0, 1, 3])
def test_a_restored_database_stops_at_the_first_answer(world, unsent):
    stream = world.case()
    world.sync()
    backup = copied(world.stores["mai"])
    world.set("mai", stream, "person.given_name", "Hoa")
    world.sync()
    world.stores["mai"] = backup
    restored = world.open("mai")
    for number in range(unsent):
        world.set("mai", stream, "person.family_name", f"Lê {number}")
    size = relay_size(world)
    with pytest.raises(LocalStateError) as raised:
        restored.sync()
    assert raised.value.code in {"device-restored", "device-forked"}
    refuses_everything(world, "mai", stream)
    world.open("mai")
    refuses_everything(world, "mai", stream)
    assert relay_size(world) == size, "nothing of the fork reached the log"


def test_of_two_clones_the_second_to_sync_stops_and_nothing_of_it_is_sent(world):
    stream = world.case()
    world.sync()
    clone = copied(world.stores["mai"])
    world.set("mai", stream, "person.given_name", "Hoa")
    world.sync("mai")
    world.stores["clone"] = clone
    world.open("clone")
    world.set("clone", stream, "person.given_name", "Hà")
    with pytest.raises(LocalStateError):
        world.clone.sync()
    refuses_everything(world, "clone", stream)
    world.sync("lan", "dung")
    assert world.values("lan", stream, "person.given_name") == ["Hoa"]
    with suppress(LocalStateError):  # "restored or copied": the clone used up its counters
        world.mai.sync()
    assert world.values("mai", stream, "person.given_name") == ["Hoa"]


def test_clones_that_push_alternately_never_share_a_number(world):
    """Neither knows of the other until the relay answers; what it took has one author's chain."""
    stream = world.case()
    world.sync()
    world.stores["clone"] = copied(world.stores["mai"])
    world.open("clone")
    for name in ("clone", "mai"):
        try:
            world.set(name, stream, "person.given_name", name)
            world.replicas[name].sync()
        except LocalStateError:
            continue
    world.sync("lan", "dung")
    assert world.dung.audit_verify().entries > 0
    numbers = [d for d in world.reasons("lan").values() if d == "copied-device"]
    assert numbers == []


def test_a_lying_answer_stops_a_device_only_until_the_relay_answers_honestly(world):
    stream = world.case()
    world.sync()
    world.set("mai", stream, "person.given_name", "Hoa")
    world.mai.core.fail(LocalStateError("device-restored"))
    with pytest.raises(LocalStateError):
        world.set("mai", stream, "person.given_name", "Hà")
    assert world.mai.sync().synced
    world.set("mai", stream, "person.family_name", "Lê")


def one_too_many(_caller, answer):
    """The relay claims that the device wrote a change which nobody can show."""
    return replace(answer, newest=(answer.newest[0] + 1, b"x" * 32))


def offline(world: AttackWorld, name: str) -> None:
    world.replicas[name].core.channel.fault_of = lambda _method: Fault.DROP_REQUEST


@pytest.fixture
def stopped(world):
    """Mai's replica after one lying answer, and a case with a word of hers that is not sent."""
    stream = world.case()
    world.sync()
    world.set("mai", stream, "person.given_name", "Hoa")
    world.relay.edit = one_too_many
    with pytest.raises(LocalStateError) as raised:
        world.mai.sync()
    assert raised.value.code == "device-restored"
    return stream


@pytest.mark.parametrize("restarted", [False, True])
def test_after_a_lying_answer_the_office_reads_its_records_without_the_relay(
    world, stopped, restarted
):
    if restarted:
        world.open("mai")
    offline(world, "mai")
    mai = world.mai
    entries = len(mai.audit_mine())
    assert world.values("mai", stopped, "person.given_name") == ["Hoa"]
    assert mai.cases().count == 1
    assert mai.find("Hoa").count == 1
    assert mai.history(stopped)
    mai.conflicts()
    mai.grants()
    assert [e.action for e in mai.audit_mine()[entries:]] == [
        *("read", "list", "search", "history", "conflict", "list"),
    ]
    for attempt in (
        lambda: world.set("mai", stopped, "person.given_name", "Hà"),
        lambda: world.case("mai"),
        lambda: mai.give_consent(stopped, "share_with_org", "Hội Phụ nữ", ["contact"]),
    ):
        with pytest.raises(LocalStateError) as raised:
            attempt()
        assert raised.value.code == "device-restored"
    assert "create" not in [e.action for e in mai.audit_mine()[entries:]], "nothing was opened"


def test_looks_of_a_stopped_device_reach_the_auditor_once_the_relay_answers_honestly(
    world, stopped
):
    world.mai.show(stopped, purpose="đọc khi bị dừng")
    world.relay.edit = None
    assert world.mai.sync().synced
    world.sync("dung")
    assert world.dung.audit_verify().entries > 0
    device = int(world.mai.core.engine.device)
    assert "đọc khi bị dừng" in [e.purpose for e in world.dung.audit_list(device=device)]
    world.sync("lan")
    assert world.values("lan", stopped, "person.given_name") == ["Hoa"]


def test_a_stopped_device_says_so_in_its_status_and_its_check(world, stopped):
    offline(world, "mai")
    status = world.mai.status()
    assert not status.synced
    assert ("push-stopped", {"reason": "device-restored"}) in [
        (fact.code, fact.params) for fact in status.missing
    ]
    assert ("error", "device-restored") in [(f.level, f.code) for f in world.mai.doctor()]


def test_nothing_of_a_stopped_device_is_sent_with_an_act_of_its_administrator(world):
    stream = world.case()
    world.sync()
    world.set("lan", stream, "person.given_name", "Hoa")
    world.lan.core.fail(LocalStateError("device-restored"))
    asked = len(world.relay.answers)
    for act in (
        lambda: world.lan.add_unit("Nhà Mới", "shelter"),
        lambda: world.lan.invite("Nhà Bình Minh", "counsellor"),
    ):
        with pytest.raises(LocalStateError):
            act()
    assert len(world.relay.answers) == asked


@pytest.mark.parametrize("reason", [Refusal.DEVICE_FORKED, Refusal.NUMBER_GAP])
def test_a_request_refused_with_the_reason_of_a_pushed_change_stops_nothing(world, reason):
    stream = world.case()
    world.sync()

    def refuse(_caller, _answer):
        raise RequestRefused(reason)

    world.relay.edit = refuse
    with pytest.raises(CasesyncError) as raised:
        world.mai.sync()
    assert (type(raised.value), raised.value.code) == (NetworkError, "relay-refused")
    world.set("mai", stream, "person.given_name", "Hà")
    world.relay.edit = None
    assert world.mai.sync().synced


def test_a_stopped_device_still_shows_what_needs_a_person(world):
    stream = world.case()
    world.sync()
    world.set("lan", stream, "person.given_name", "Hoa")
    world.set("mai", stream, "person.given_name", "Hà")
    world.sync("lan", "mai")
    world.mai.core.fail(LocalStateError("device-restored"))
    offline(world, "mai")
    [conflict] = world.mai.conflicts()
    assert {value.value for value in conflict.values} == {"Hoa", "Hà"}
    with pytest.raises(LocalStateError):
        world.mai.resolve(conflict.id, "Hoa")
    assert len(world.mai.conflicts()) == 1


def test_a_stopped_device_ends_no_grant_and_logs_none_as_ended(world):
    stream = world.case()
    shared = world.share(stream)
    world.sync()
    world.lan.core.fail(LocalStateError("device-restored"))
    with pytest.raises(LocalStateError):
        world.lan.revoke_grant(stream, shared.grant)
    assert [grant.state for grant in world.lan.grants(stream)] == ["active"]
    assert "revoke" not in [entry.action for entry in world.lan.audit_mine()]
