"""Must hold 4: each failure has its exit code, a line to act on, and changes nothing.

The failures that ``tests/cli/test_failures.py`` plays through the command line are not repeated:
here stand those that need another clock, another member, a broken file or a newer program.
"""

from __future__ import annotations

from ast import literal_eval

import msgpack
import pytest

from attack_world import OSSO, UNION, AttackWorld, dump
from casesync.client import anchor, opening
from casesync.client.home import Home
from casesync.client.replica import Replica
from casesync.foundation.error_texts import TEXTS
from casesync.foundation.errors import CasesyncError
from casesync.foundation.secret_bytes import SecretBytes
from casesync.storage.connection import connect_encrypted
from casesync.storage.sql_store import open_encrypted
from casesync.testing.memory_network import Fault
from simulation.founding import copied

DAY_MS = 24 * 3600 * 1000
KEY = SecretBytes(b"k" * 32)
LOGGED = {"access_entry", "value", "sqlite_sequence", "tail"}
"""Tables that a refused attempt may write: its access entry and the entry's chain, a value."""


@pytest.fixture
def world() -> AttackWorld:
    return AttackWorld()


def refused(act, code: str, exit_code: int) -> None:
    """The error has this code and exit code, and words in both languages."""
    with pytest.raises(CasesyncError) as raised:
        act()
    assert raised.value.code == code
    assert raised.value.exit_code == exit_code
    texts = TEXTS[code]
    assert len([text for text in texts if text.strip()]) == 4, "message and advice, twice"


def unchanged(world: AttackWorld, name: str, act, code: str, exit_code: int) -> None:
    before = world.dump(name)
    refused(act, code, exit_code)
    after = world.dump(name)
    changed = {table for table, rows in after.items() if rows != before[table]}
    assert changed <= LOGGED
    assert left_in_tail(after) == left_in_tail(before)


def left_in_tail(dump) -> list:
    """What saves left in the tail beside values: rows of the outbox, changes, rows of streams."""
    bodies = [literal_eval(row)[1] for row in dump["tail"]]
    contents = [body[4 : 4 + int.from_bytes(body[:4], "big")] for body in bodies]
    return [msgpack.unpackb(content, strict_map_key=False)[1:] for content in contents if content]


def test_an_expired_invitation_lets_nobody_in(world):
    invitation = world.lan.invite(OSSO, "officer", lifetime_ms=DAY_MS)
    world.clock.advance(2 * DAY_MS)
    unchanged(world, "lan", lambda: world.lan.approve_step(invitation.id_hex), "invitation-gone", 5)


def sharing_of_oanh(world):
    stream = world.case()
    world.share(stream, OSSO, ("identity", "contact"))
    world.sync(rounds=2)
    return stream


def test_no_permission_to_write_to_grant_to_invite_or_to_audit(world):
    stream = sharing_of_oanh(world)
    oanh = world.oanh
    unchanged(
        world,
        "oanh",
        lambda: world.set("oanh", stream, "person.given_name", "X"),
        "compartment-not-written",
        5,
    )
    unchanged(world, "oanh", lambda: oanh.invite(OSSO, "officer"), "not-administrator", 5)
    unchanged(world, "oanh", lambda: oanh.suspend_device(1), "not-administrator", 5)
    unchanged(world, "oanh", oanh.audit_verify, "not-auditor", 5)
    assert refused_attempts(oanh) == [
        ("update", "compartment-not-written"),
        ("administer", "not-administrator"),
        ("administer", "not-administrator"),
        ("audit", "not-auditor"),
    ]


def refused_attempts(replica) -> list[tuple[str, str | None]]:
    """Act and reason of every refused attempt in this device's access log."""
    return [(e.action, e.detail) for e in replica.audit_mine() if e.outcome == "refused"]


def test_a_case_or_an_office_that_may_not_be_opened_is_in_the_access_log(world):
    unchanged(world, "oanh", lambda: world.oanh.add_unit("Mới", "osso"), "not-administrator", 5)
    assert refused_attempts(world.oanh) == [("administer", "not-administrator")]
    code = "compartment-not-written"
    unchanged(world, "dung", lambda: world.dung.new_case(["trafficking"]), code, 5)
    assert refused_attempts(world.dung) == [("create", code)]


def test_an_administrator_who_may_not_be_suspended_by_one_person_leaves_the_attempt(world):
    number = next(d.number for d in world.lan.devices() if d.member == world.uyen.whoami().member)
    for attempt in (world.lan.suspend_preview, world.lan.suspend_device):
        refused(lambda attempt=attempt: attempt(number), "suspend-administrator", 5)
    assert refused_attempts(world.lan) == [("administer", "suspend-administrator")] * 2


def test_a_consent_that_was_withdrawn_or_does_not_cover_carries_no_grant(world):
    stream = world.case()
    words = ["contact"]
    consent = world.lan.give_consent(stream, "share_with_org", OSSO, words).hex()

    def grant(compartments):
        return lambda: world.lan.grant(stream, OSSO, compartments, "share_with_org", consent)

    unchanged(world, "lan", grant(["contact", "identity"]), "consent-not-covering", 2)
    other = lambda: world.lan.grant(stream, OSSO, words, "research", consent)  # noqa: E731
    unchanged(world, "lan", other, "consent-other-purpose", 2)
    world.lan.withdraw_consent(stream, consent)
    unchanged(world, "lan", grant(words), "consent-withdrawn", 5)
    unchanged(world, "lan", lambda: world.lan.revoke_grant(stream, "00" * 16), "grant-unknown", 2)
    assert refused_attempts(world.lan) == [
        ("grant", "consent-not-covering"),
        ("grant", "consent-other-purpose"),
        ("grant", "consent-withdrawn"),
    ]
    assert "grant" not in {e.action for e in world.lan.audit_mine() if e.outcome == "success"}


def test_a_grant_that_the_role_does_not_allow_is_a_refused_grant_and_no_other(world):
    stream = world.case()
    world.share(stream, OSSO, ("identity", "contact", "operations"))
    consent = world.lan.give_consent(stream, "share_with_org", UNION, ["contact"]).hex()
    world.sync(rounds=2)
    refused(
        lambda: world.oanh.grant(stream, UNION, ["contact"], "share_with_org", consent),
        "may-not-grant",
        5,
    )
    assert [(e.action, e.outcome, e.detail) for e in world.oanh.audit_mine()][-1:] == [
        ("grant", "refused", "may-not-grant")
    ]
    assert not [
        e
        for e in world.oanh.audit_mine()
        if e.action in ("grant", "consent") and e.outcome == "success"
    ]


@pytest.mark.parametrize("fault", [Fault.DROP_REQUEST, Fault.DROP_ANSWER])
def test_an_unreachable_relay_leaves_the_outbox_as_it_was(world, fault):
    stream = world.case()
    world.sync()
    world.set("lan", stream, "person.given_name", "Hoa")
    world.lan.show(stream)
    outbox = [row.number for row in world.lan.outbox()]
    world.lan.core.channel.fault_of = lambda _: fault
    refused(world.lan.sync, "relay-unreachable", 4)
    assert [row.number for row in world.lan.outbox()][: len(outbox)] == outbox
    assert world.values("lan", stream, "person.given_name") == ["Hoa"]
    refused(lambda: world.lan.add_unit("Mới", "osso"), "relay-unreachable", 4)
    assert "Mới" not in {unit.name for unit in world.mai.units()}


def test_a_relay_of_another_network_is_not_believed(world):
    other = AttackWorld(seed="another relay")
    other.relay = type(world.relay)(other.clock, other.entropy)
    world.network.relay = other.relay
    before = world.dump("lan")["change_block"]
    with pytest.raises(CasesyncError) as raised:
        world.lan.sync()
    assert raised.value.exit_code in {4, 6}
    assert world.dump("lan")["change_block"] == before


# -- files ----------------------------------------------------------------------------------------


@pytest.fixture
def home(world, tmp_path, monkeypatch):
    """Lan's replica in a folder of its own, without Argon2id."""
    stream = world.case()
    world.sync()
    folder = Home(tmp_path / "lan")
    folder.prepare()
    connection = connect_encrypted(folder.database, KEY)
    connection.close()
    store = open_encrypted(folder.database, KEY)
    source = dump_sql(world.stores["lan"])
    for statement, rows in source:
        store._connection.executemany(statement, rows)
    store.close()
    monkeypatch.setattr(opening, "database_key", lambda *_: KEY)
    monkeypatch.setattr(opening, "http_channel", lambda _: lambda *_: world.lan.core.channel)
    core_anchor(folder)
    return folder, stream


def dump_sql(store) -> list[tuple[str, list]]:
    """Rows of the plain tables, as statements for another database of the same schema."""
    connection = store._connection
    names = [
        row[0]
        for row in connection.execute("select name, sql from sqlite_master where type = 'table'")
        if not row[0].startswith(("sqlite_", "case_index"))
    ]
    found = []
    for name in names:
        rows = connection.execute(f'select * from "{name}"').fetchall()
        if rows:
            marks = ",".join("?" * len(rows[0]))
            found.append((f'insert or replace into "{name}" values ({marks})', rows))
    return found


def core_anchor(folder: Home) -> None:
    """Write the anchor that the database deserves, by opening it once without a check."""
    anchor.write(folder.folder, anchor.EMPTY)
    with Replica.open(folder.folder, "x") as replica, replica.core.transaction():
        pass


def test_a_rolled_back_database_opens_sends_nothing_and_says_so(home):
    folder, stream = home
    with Replica.open(folder.folder, "x") as replica:
        backup = folder.database.read_bytes()
        with replica.edit(stream) as edit:
            edit.set("person.family_name", "Lê")
    for path in folder.folder.glob("replica.db-*"):
        path.unlink()
    folder.database.write_bytes(backup)
    with Replica.open(folder.folder, "x") as replica:
        assert replica.core.failed is not None
        before = dump(replica.core.store)
        refused(replica.sync, "database-rolled-back", 3)
        refused(lambda: replica.show(stream), "database-rolled-back", 3)
        refused(lambda: replica.new_case(["gbv"]), "database-rolled-back", 3)
        assert dump(replica.core.store) == before


def test_a_database_without_its_anchor_is_a_copy_and_sends_nothing(home):
    folder, _ = home
    folder.anchor.unlink()
    with Replica.open(folder.folder, "x") as replica:
        refused(replica.sync, "database-rolled-back", 3)


def test_a_database_of_a_newer_program_is_left_alone(home):
    folder, _ = home
    store = open_encrypted(folder.database, KEY)
    store._connection.execute("PRAGMA user_version = 999")
    store.close()
    before = folder.database.read_bytes()
    refused(lambda: Replica.open(folder.folder, "x"), "database-newer", 3)
    assert folder.database.read_bytes() == before


@pytest.mark.parametrize("at", [0, 20, 5000, 20000])
def test_a_damaged_file_is_said_to_be_damaged_and_is_not_written(home, at):
    folder, _ = home
    content = bytearray(folder.database.read_bytes())
    content[at : at + 64] = bytes(64)
    folder.database.write_bytes(content)
    for path in folder.folder.glob("replica.db-*"):
        path.unlink()
    with pytest.raises(CasesyncError) as raised, Replica.open(folder.folder, "x") as replica:
        replica.core.store.check()
    assert raised.value.code in {"database-corrupt", "database-does-not-open"}
    assert raised.value.exit_code == 3


def test_a_full_disk_changes_nothing(world):
    stream = world.case()
    world.sync()
    store = copied(world.stores["lan"])
    replica = world.open("lan", store=store)
    (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
    store._connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    before = dump(store)

    def much() -> None:
        with replica.edit(stream) as edit:
            for _ in range(60):
                edit.new_record("note", {"text": "dài " * 900})

    refused(much, "disk-full", 3)
    assert dump(store) == before
    store._connection.execute("PRAGMA max_page_count = 1000000").fetchall()
    much()
    assert len(replica.outbox()) >= 1


def test_an_office_is_told_apart_that_had_devices_and_one_that_never_had_any(world):
    world.lan.add_unit("Hội Cát Hải", "union")
    stream = world.case()
    for unit, code in (("Hội Cát Hải", "unit-without-device"), (OSSO, "unit-suspended")):
        words = ["contact"]
        consent = world.lan.give_consent(stream, "share_with_org", unit, words).hex()
        if unit == OSSO:
            for device in world.lan.devices():
                if device.unit == OSSO:
                    world.lan.suspend_device(device.number)
        with pytest.raises(CasesyncError) as raised:
            world.lan.grant(stream, unit, words, "share_with_org", consent)
        assert (raised.value.code, raised.value.exit_code) == (code, 8)
