"""Must hold 6: no order of crashes shows content without its access entry; an audit turns red when
one byte of an entry, chain, segment or checkpoint is changed at the relay or in the replica."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace

import pytest

from attack_world import OSSO, AttackWorld
from casesync.access.access_entry import decode_entry
from casesync.client import look_log
from casesync.client.case_reader import CaseReader
from casesync.foundation.errors import AuditFailed, CasesyncError, LocalStateError, Violation
from casesync.testing.entropy import SeededEntropy
from casesync.testing.hostile_relay import HostileRelay
from casesync.wire.messages import SyncAnswer
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


# -- one byte -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def audited():
    """A network that worked; Dung has everything and finds nothing wrong."""
    world = AttackWorld()
    stream = world.case(given_name="Hòa")
    world.share(stream, OSSO, ("identity", "contact"))
    world.sync(rounds=2)
    world.oanh.show(stream)
    world.sync(rounds=2)
    world.dung.audit_verify()
    world.sync("dung")
    return world


def flipped(connection, table: str, column: str, draw: random.Random) -> str:
    """Change one bit of one row's column; says where."""
    rows = connection.execute(
        f'select rowid, "{column}" from "{table}" where length("{column}") > 0'
    ).fetchall()
    row, value = draw.choice(rows)
    data = bytearray(value)
    at = draw.randrange(len(data))
    data[at] ^= 1 << draw.randrange(8)
    connection.execute(f'update "{table}" set "{column}" = ? where rowid = ?', (bytes(data), row))
    return f"{table} {row} byte {at} of {len(data)}"


def blobs_of(connection, table: str) -> list[str]:
    """Columns of a table that hold bytes, and belong to a table with rowids."""
    return [
        column[1]
        for column in connection.execute(f'pragma table_info("{table}")')
        if connection.execute(
            f'select count(*) from "{table}" where typeof("{column[1]}") = \'blob\''
        ).fetchone()[0]
    ]


@pytest.mark.parametrize("table", ["control_entry", "change_block", "access_entry"])
def test_one_changed_bit_in_the_replica_turns_the_audit_red(audited, table):
    draw = random.Random(table)
    for _ in range(40):
        store = copied(audited.stores["dung"])
        column = draw.choice(blobs_of(store._connection, table))
        where = flipped(store._connection, table, column, draw)
        with pytest.raises(CasesyncError) as raised:
            audited.open("dung", store=store).audit_verify(offline=True)
        assert raised.value.exit_code == 6, (where, raised.value.code)


@pytest.mark.parametrize("name", ["control-checkpoint", "change-checkpoint"])
def test_one_changed_bit_of_a_kept_checkpoint_turns_the_audit_red(audited, name):
    for at in range(0, 102, 7):
        store = copied(audited.stores["dung"])
        with store.transaction() as tx:
            stored = bytearray(tx.value(name))
            stored[at] ^= 1
            tx.put_value(name, bytes(stored))
        with pytest.raises(AuditFailed):
            audited.open("dung", store=store).audit_verify(offline=True)


def one_bit(data: bytes, draw: random.Random) -> bytes:
    changed = bytearray(data)
    changed[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def in_control(answer: SyncAnswer, draw: random.Random) -> SyncAnswer:
    leaves = list(answer.control.leaves)
    if not leaves:
        return answer
    at = draw.randrange(len(leaves))
    leaves[at] = one_bit(leaves[at], draw)
    return replace(answer, control=replace_page(answer.control, leaves))


def replace_page(page, leaves):
    return type(page)(page.first, tuple(leaves))


def in_frame(answer: SyncAnswer, draw: random.Random) -> SyncAnswer:
    if not answer.backfills:
        return answer
    first = answer.backfills[0]
    t, streams, devices, items, hashes = first.page
    items = list(items)
    at = draw.choice([i for i, item in enumerate(items) if isinstance(item, bytes)])
    items[at] = one_bit(items[at], draw)
    page = [t, streams, devices, items, hashes]
    return replace(answer, backfills=(first._replace(page=page), *answer.backfills[1:]))


def in_checkpoint(answer: SyncAnswer, draw: random.Random) -> SyncAnswer:
    return replace(answer, control_checkpoint=one_bit(answer.control_checkpoint, draw))


@pytest.mark.parametrize("change", [in_control, in_frame, in_checkpoint])
def test_one_bit_changed_at_the_relay_turns_the_audit_red(audited, change):
    """Entries, links, headers, signatures, segments, log times, checkpoints: all it serves."""
    draw = random.Random(change.__name__)
    dung = audited.open("dung")
    assert dung.audit_verify().entries
    for _ in range(40):
        answered = []

        def edit(_, answer: SyncAnswer, answered=answered) -> SyncAnswer:
            answered.append(change(answer, draw))
            return answered[-1]

        audited.relay.edit = edit
        with pytest.raises(Violation) as raised:
            dung.audit_verify()
        assert raised.value.exit_code == 6
    audited.relay.edit = None
    assert dung.audit_verify().entries


@pytest.mark.parametrize("table", ["control_leaves", "streams", "change_leaves", "blobs"])
def test_one_bit_changed_in_the_relays_own_database_turns_the_audit_red(audited, table):
    """Also where the relay cannot read its own log any more and says so."""
    draw = random.Random(table)
    honest = audited.network.relay
    codes = set()
    for at in range(40):
        store = audited.relay._stores["honest"].copy()
        column = draw.choice(blobs_of(store._connection, table))
        where = flipped(store._connection, table, column, draw)
        entropy = SeededEntropy(f"{table}-{at}")
        audited.network.relay = HostileRelay(audited.clock, entropy, store=store)
        with pytest.raises(Violation) as raised:
            audited.open("dung", store=copied(audited.stores["dung"])).audit_verify()
        assert raised.value.exit_code == 6, where
        codes.add(raised.value.code)
    audited.network.relay = honest
    assert "relay-log-damaged" in codes
    assert ("blob-differs" in codes) == (table == "blobs")
    assert audited.open("dung").audit_verify().entries


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
