"""Must hold 2: kill -9 of client or relay at any moment loses nothing and leaves nothing half.

Layers: the store's transactions, the anchor that follows them, the relay's transactions and
receipts. One pair of homes goes through all of it, so that every crash happens to what earlier
crashes left.
"""

from __future__ import annotations

import signal
import sys

import pytest

from casesync.client import home as home_module
from casesync.client import opening
from casesync.client.replica import Replica
from casesync.client.system_ports import SystemEntropy
from casesync.client.views import Assignment
from casesync.foundation.errors import CasesyncError, LocalStateError, NetworkError
from casesync.foundation.ids import StreamId
from casesync.storage.sql_store import open_encrypted
from unit.client.real_network import PASSPHRASE, Relay, found, in_child, join, keys_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")


class Office:
    """Lan and Mai of one shelter, a relay, and everything that a returned command wrote."""

    def __init__(self, folder) -> None:
        self.relay = Relay(folder)
        self.relay.start()
        self.lan, self.mai = folder / "lan", folder / "mai"
        found(self.relay, self.lan)
        join(self.lan, self.mai, "Mai")
        self.keys = keys_of(self.lan, self.mai)
        self.acknowledged: list[str] = []
        self._words = 0

    def word(self) -> str:
        """A name nobody has yet."""
        self._words += 1
        return f"tên{self._words}x"

    def run(self, work, killed_before: int = 0):
        return in_child(work, keys=self.keys, killed_before=killed_before)


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    office = Office(tmp_path_factory.mktemp("network"))
    yield office
    if office.relay.alive:
        office.relay.stop()


def name(path: str, text: str) -> Assignment:
    kind, field = path.split(".")
    return Assignment(
        type=kind, field=field, text=text, op="set", record=None, element=None, part=None
    )


def day(office: Office, home, words: list[str]):
    """A day's work: two cases, an edit of two compartments each, syncs; each step acknowledged."""

    def work(say) -> None:
        with Replica.open(home, PASSPHRASE) as replica:
            for word in words:
                view = replica.new_case(["gbv"], [name("person.given_name", word)])
                say(word)
                stream = StreamId(bytes.fromhex(view.stream_hex))
                with replica.edit(stream) as edit:
                    edit.set("person.family_name", f"{word}-họ")
                    edit.set("person.contact_rule", f"{word}-lời")
                say(f"{word}-họ")
                try:
                    replica.sync()
                except NetworkError:
                    say("offline")

    return work


def inventory(home):
    """What stands in a replica: per case its names; and that it is in order."""

    def work(say) -> None:
        with Replica.open(home, PASSPHRASE) as replica:
            assert replica.core.failed is None
            assert replica.sync().synced
            for summary in replica.cases(limit=1000).items:
                view = replica.show(StreamId(bytes.fromhex(summary.stream_hex)))
                fields = {
                    name: field.value
                    for record in view.records
                    if record.type == "person"
                    for name, field in record.fields.items()
                }
                kept = ("given_name", "family_name", "contact_rule")
                say([fields.get(name) for name in kept])
            say(["quarantined", len(replica.quarantine())])

    return work


def check(office: Office) -> None:
    """Both replicas hold everything that was acknowledged, whole, and agree."""
    seen = []
    for home in (office.lan, office.mai, office.lan):
        rows, status = office.run(inventory(home))
        assert status == 0
        assert rows.pop() == ["quarantined", 0]
        seen.append(sorted(rows, key=str))
    assert seen[1] == seen[2], "both show the same"
    held = {value for row in seen[1] for value in row if value}
    assert set(office.acknowledged) <= held, "nothing acknowledged is lost"
    for given, family, rule in seen[1]:
        assert given, "a case that exists has what it was opened with"
        assert (family is None) == (rule is None), "a change is there whole or not at all"
        assert family in (None, f"{given}-họ")


def test_a_client_killed_before_any_statement_loses_nothing(office):
    """A day's work is some hundreds of statements; the kills are spread over all of them."""
    kills, moment = 0, 3
    while True:
        words = [office.word(), office.word()]
        reported, status = office.run(day(office, office.lan, words), killed_before=moment)
        office.acknowledged += [word for word in reported if word != "offline"]
        assert status in (0, -signal.SIGKILL)
        if status == 0:
            break
        kills += 1
        moment += 2 + moment // 3
    assert kills > 9
    check(office)


def test_a_start_killed_before_any_statement_is_made_anew(tmp_path):
    """There is a whole replica or none: another start is never told that one is there."""
    passphrase = "hoa sen ven hồ Tây"
    home = home_module.Home(tmp_path / "home")

    def start(_=None) -> None:
        opening.create_folder(
            home.folder, passphrase, SystemEntropy(), lambda tx: tx.put_value("whole", b"1")
        )

    moment = 1
    while in_child(start, killed_before=moment)[1] == -signal.SIGKILL:
        assert not home.exists()
        with pytest.raises(LocalStateError) as refused:
            opening.database_key(home.folder, passphrase)
        assert refused.value.code == "home-missing"
        moment += 1
    assert moment > 4
    key = opening.database_key(home.folder, passphrase)
    store = open_encrypted(home.database, key, create=False)
    with store.transaction() as tx:
        assert tx.value("whole") == b"1"
    store.close()
    assert {path.name for path in home.folder.iterdir()} == {
        "anchor", "lock", "replica.db", "replica.db.reserve", "vault"
    }  # fmt: skip


def test_a_client_killed_while_taking_in_pages_loses_nothing(office):
    """Mai receives what Lan wrote."""
    kills, moment = 0, 2
    while True:
        words = [office.word()]
        office.acknowledged += [
            word for word in office.run(day(office, office.lan, words))[0] if word != "offline"
        ]

        def receive(say) -> None:
            with Replica.open(office.mai, PASSPHRASE) as replica:
                say(replica.sync().received)

        _, status = office.run(receive, killed_before=moment)
        assert status in (0, -signal.SIGKILL)
        if status == 0:
            break
        kills += 1
        moment += 3 + moment // 2
    assert kills > 4
    check(office)


def test_a_relay_killed_before_any_statement_loses_nothing_it_gave_a_receipt_for(office):
    kills = 0
    for moment in (2, 7, 15, 27, 44):
        office.relay.stop(signal.SIGKILL)
        office.relay.start(killed_before=moment)
        words = [office.word()]
        reported, status = office.run(day(office, office.lan, words))
        assert status == 0
        office.acknowledged += [word for word in reported if word != "offline"]
        kills += not office.relay.alive
    assert kills > 2
    office.relay.stop(signal.SIGKILL)
    office.relay.start()
    check(office)


def test_a_second_process_waits_briefly_and_then_says_what_holds_the_home(office, monkeypatch):
    monkeypatch.setattr(home_module, "LOCK_PAUSE_S", 0.001)

    def holder(say) -> None:
        with Replica.open(office.lan, PASSPHRASE, command="sync") as replica:
            inner, status = in_child(second, keys=office.keys)
            say([*inner, status, replica.cases().count > 0])

    def second(say) -> None:
        try:
            Replica.open(office.lan, PASSPHRASE, command="case list")
        except LocalStateError as error:
            say([error.code, error.params["command"], error.exit_code])

    reported, status = office.run(holder)
    assert status == 0
    assert reported == [[["database-locked", "sync", 3], 0, True]]


def test_a_full_disk_refuses_whole_commands_and_loses_nothing(office):
    """SQLite's own limit stands for the disk: so many pages and no more."""

    def work(say) -> None:
        with Replica.open(office.lan, PASSPHRASE) as replica:
            connection = replica.core.store._connection
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            stream = StreamId(bytes.fromhex(replica.cases().items[0].stream_hex))
            outcomes = []
            for room in range(0, 12, 2):
                connection.execute(f"PRAGMA max_page_count = {pages + room}").fetchall()
                before = len(replica.outbox())
                try:
                    with replica.edit(stream) as edit:
                        for _ in range(40):
                            edit.new_record("note", {"text": "dài " * 900})
                    outcomes.append("ok")
                except CasesyncError as error:
                    outcomes.append(error.code)
                    assert len(replica.outbox()) == before, "nothing half-written"
            connection.execute("PRAGMA max_page_count = 1000000").fetchall()
            say(outcomes)
            assert replica.sync().synced

    reported, status = office.run(work)
    assert status == 0
    assert "disk-full" in reported[0]
    assert set(reported[0]) <= {"ok", "disk-full"}
    check(office)
