"""Must hold 6: no order of crashes shows content without its access entry; an audit turns red when
one byte of an entry, chain, segment or checkpoint is changed at the relay or in the replica."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from attack_world import OSSO, AttackWorld
from casesync.access.access_entry import decode_entry
from casesync.client import look_log
from casesync.client.case_reader import CaseReader
from casesync.foundation.errors import (
    LocalStateError,
    Violation,
)
from simulation.faults import Crash, Trouble, TroubledStore
from simulation.founding import copied


def _edit(replica, stream) -> object:
    with replica.edit(stream) as edit:
        edit.set("person.given_name", "Hoa", resolve=True)
    return "saved"


def _grant(replica, stream) -> object:
    [consent] = replica.consents(stream)
    words = list(consent.compartments)
    return replica.grant(stream, OSSO, words, "share_with_org", consent.id_hex)


LOOKS = {
    "show": (lambda r, s: r.show(s), "read"),
    "history": (lambda r, s: r.history(s), "history"),
    "list": (lambda r, _: r.cases(), "list"),
    "find": (lambda r, _: r.find("Hòa"), "search"),
    "conflicts": (lambda r, _: r.conflicts(), "conflict"),
    "consents": (lambda r, s: r.consents(s), "consent"),
    "grants": (lambda r, s: (r.grants(s),), "list"),
    "edit": (_edit, "update"),
    "grant": (_grant, "grant"),
}


@pytest.fixture(scope="module")
def prepared():
    """A case in conflict with a consent, at Lan's."""
    world = AttackWorld()
    stream = world.case(given_name="Hòa")
    world.lan.give_consent(stream, "share_with_org", OSSO, ["identity", "contact"])
    world.sync()
    world.set("lan", stream, "person.given_name", "Hoa")
    world.set("mai", stream, "person.given_name", "Hà")
    world.sync(rounds=2)
    return world, stream


def actions(store) -> list[str]:
    with store.transaction() as tx:
        return [decode_entry(row.entry).action for row in tx.access_rows()]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("crashes", [True, False], ids=["crash", "full disk"])
def test_whatever_fails_when_nothing_is_shown_without_a_durable_entry(prepared, look, crashes):
    """Trouble at the n-th thing the command asks of its store, for every n."""
    world, stream = prepared
    command, action = LOOKS[look]
    struck = True
    operations = 0
    while struck:
        operations += 1
        store = copied(world.stores["lan"])
        trouble = Trouble()
        replica = world.open("lan", store=TroubledStore(store, trouble))
        before = actions(store)
        trouble.arm(operations, crashes=crashes)
        shown = None
        with suppress(Crash, LocalStateError):
            shown = command(replica, stream)
        struck = trouble.disarm()
        after = actions(store)
        if shown is not None:
            assert action in after[len(before) :]
        assert after[: len(before)] == before
    assert operations > 3


def test_the_entry_is_durable_before_the_first_value_is_opened_for_showing(prepared, monkeypatch):
    world, stream = prepared
    replica = world.open("lan", store=copied(world.stores["lan"]))
    count = len(actions(replica.core.store))
    seen = []
    for name in ("view", "history"):
        honest = getattr(CaseReader, name)

        def watched(self, *given, honest=honest):
            seen.append(len(list(self._tx.access_rows())))
            return honest(self, *given)

        monkeypatch.setattr(CaseReader, name, watched)
    replica.show(stream)
    replica.history(stream)
    assert seen == [count + 1, count + 2]


def _resolve(replica, purpose) -> None:
    [conflict] = replica.conflicts()
    replica.resolve(conflict.id, "Hoa", reason="hỏi lại", purpose=purpose)


def _withdraw(replica, stream, purpose) -> None:
    [consent] = replica.consents(stream)
    replica.withdraw_consent(stream, consent.id_hex, purpose)


def _revoke(replica, stream, purpose) -> None:
    granted = _grant(replica, stream)
    replica.revoke_grant(None, granted.id_hex, purpose=purpose)


WITH_PURPOSE = {
    "conflicts": lambda r, s, p: r.conflicts(p),
    "conflict": lambda r, s, p: r.conflict(r.conflicts()[0].id, p),
    "resolve": lambda r, s, p: _resolve(r, p),
    "consents": lambda r, s, p: r.consents(s, p),
    "withdraw": _withdraw,
    "grants": lambda r, s, p: r.grants(None, p),
    "revoke": _revoke,
    "audit": lambda r, s, p: r.audit_list(purpose=p),
}


@pytest.mark.parametrize("command", WITH_PURPOSE)
def test_an_entry_names_the_purpose_given_else_the_roles_own(prepared, command):
    world, stream = prepared
    for purpose, written in (("research", "research"), (None, "case_work")):
        replica = world.open("lan", store=copied(world.stores["lan"]))
        WITH_PURPOSE[command](replica, stream, purpose)
        assert replica.audit_mine()[-1].purpose == written


def test_a_decision_is_one_entry_with_its_reason_and_is_told_from_looks(prepared):
    world, _ = prepared
    replica = world.open("lan", store=copied(world.stores["lan"]))
    _resolve(replica, None)
    [listed, decided] = replica.audit_mine()[-2:]
    assert (listed.action, listed.look, listed.hits, listed.detail) == ("conflict", True, 1, None)
    assert (decided.action, decided.look, decided.detail) == ("conflict", False, "hỏi lại")


def test_a_list_of_grants_names_in_its_entry_the_cases_shown(prepared):
    world, stream = prepared
    replica = world.open("lan", store=copied(world.stores["lan"]))
    other = replica.new_case(["gbv"])
    _grant(replica, stream)
    [shown] = replica.grants()
    assert shown.case == replica.case_code(stream) != other.case
    entry = replica.audit_mine()[-1]
    assert (entry.action, entry.hits, len(entry.records)) == ("list", 1, 1)


MANY = {
    "list": lambda r, s: r.cases(),
    "find": lambda r, s: r.find("Hòa"),
    "conflicts": lambda r, s: r.conflicts(),
    "grants": lambda r, s: r.grants(),
    "show": lambda r, s: r.show(s),
    "history": lambda r, s: r.history(s),
    "consents": lambda r, s: r.consents(s),
}


def named(store, after: int) -> list[tuple[bytes, ...]]:
    """Records that each entry behind the first ``after`` names."""
    with store.transaction() as tx:
        entries = [decode_entry(row.entry) for row in tx.access_rows()][after:]
    return [entry.records or getattr(entry.detail, "records", ()) for entry in entries]


@pytest.fixture(scope="module")
def many():
    """Five cases in conflict and shared, with more records than two; the one that is shown."""
    world = AttackWorld()
    for _ in range(5):
        stream = world.case(given_name="Hòa")
        world.share(stream, OSSO, ("contact",))
    world.sync("lan", "mai")
    for line in world.lan.cases().items:
        case = bytes.fromhex(line.stream_hex)
        world.set("lan", case, "person.given_name", "Hòa Bình")
        world.set("mai", case, "person.given_name", "Hòa An")
    world.sync("lan", "mai", rounds=2)
    return world, stream


@pytest.mark.parametrize("look", MANY)
def test_a_look_at_more_records_than_an_entry_names_takes_several(many, look, monkeypatch):
    world, stream = many
    store = copied(world.stores["lan"])
    replica = world.open("lan", store=store)
    count = len(actions(store))
    MANY[look](replica, stream)
    [whole] = named(store, count)
    assert len(whole) >= 3
    monkeypatch.setattr(look_log, "NAMED_MAX", 2)
    MANY[look](replica, stream)
    parts = named(store, count + 1)
    assert [len(part) for part in parts[:-1]] == [2] * (len(whole) // 2 + len(whole) % 2 - 1)
    assert [record for part in parts for record in part] == list(whole)


@pytest.mark.parametrize("look", MANY)
def test_whatever_fails_when_nothing_is_shown_before_all_its_entries(many, look, monkeypatch):
    world, stream = many
    monkeypatch.setattr(look_log, "NAMED_MAX", 1)
    struck, operations = True, 0
    shown = None
    while struck:
        operations += 1
        store = copied(world.stores["lan"])
        trouble = Trouble()
        replica = world.open("lan", store=TroubledStore(store, trouble))
        count = len(actions(store))
        trouble.arm(operations, crashes=True)
        shown = None
        with suppress(Crash, LocalStateError):
            shown = MANY[look](replica, stream)
        struck = trouble.disarm()
        if shown is not None:
            assert len(named(store, count)) >= 3
    assert shown is not None


def test_after_a_refused_page_status_says_so_until_a_sync_goes_well():
    world = AttackWorld()
    stream = world.case(given_name="Hòa")
    world.sync(rounds=2)
    assert world.mai.status().synced
    world.set("lan", stream, "person.given_name", "Hoa")
    world.sync("lan")
    checkpoint = world.relay.answers[-1].change_checkpoint
    changed = checkpoint[:-1] + bytes([checkpoint[-1] ^ 1])
    world.relay.edit = lambda _, answer: replace(answer, change_checkpoint=changed)
    with pytest.raises(Violation) as raised:
        world.mai.sync()
    status = world.open("mai").status()
    assert not status.synced
    assert [(f.code, f.params["reason"]) for f in status.missing] == [
        ("relay-contradicted", raised.value.code)
    ]
    world.relay.edit = None
    report = world.mai.sync()
    assert report.synced
    assert world.mai.status().synced
    assert world.values("mai", stream, "person.given_name") == ["Hoa"]
