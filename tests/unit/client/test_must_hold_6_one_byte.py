"""Must hold 6: an audit turns red when one byte of an entry, chain, segment or checkpoint changed.

At the relay or in the replica, and also when the relay withholds what an auditor is to read.
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from attack_world import OSSO, AttackWorld
from casesync.foundation.errors import AuditFailed, CasesyncError, RelayMisbehaviour, Violation
from casesync.relay import pages
from casesync.testing.entropy import SeededEntropy
from casesync.testing.hostile_relay import HostileRelay
from casesync.translog.checkpoint import Checkpoint, LogName
from casesync.wire.messages import SyncAnswer
from simulation.founding import copied


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


@pytest.mark.parametrize("table", ["control_entry", "change_block", "access_entry", "blob"])
def test_one_changed_bit_in_the_replica_turns_the_audit_red(audited, table):
    draw = random.Random(table)
    for _ in range(40):
        store = copied(audited.stores["dung"])
        columns = blobs_of(store._connection, table)
        # Without a blob that is named nothing opens, audit or not: "cannot decide".
        column = draw.choice([name for name in columns if (table, name) != ("blob", "name")])
        where = flipped(store._connection, table, column, draw)
        with pytest.raises(CasesyncError) as raised:
            audited.open("dung", store=store).audit_verify(offline=True)
        assert raised.value.exit_code == 6, (where, raised.value.code)


def test_one_changed_bit_of_any_blob_in_the_replica_turns_the_audit_red(audited):
    """Each one, the device's own wrap, too, which was opened long ago."""
    count = len(copied(audited.stores["dung"])._connection.execute("select 1 from blob").fetchall())
    for at in range(count):
        store = copied(audited.stores["dung"])
        row, body = store._connection.execute(
            "select rowid, body from blob order by rowid limit 1 offset ?", (at,)
        ).fetchone()
        changed = bytes((body[0] ^ 1,)) + body[1:]
        store._connection.execute("update blob set body = ? where rowid = ?", (changed, row))
        with pytest.raises(CasesyncError) as raised:
            audited.open("dung", store=store).audit_verify(offline=True)
        assert raised.value.exit_code == 6, (at, raised.value.code)


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


HEADS = ["checked-checkpoint", "pushed-checkpoint", "own-chain", "access-head", "access-sealed"]


@pytest.mark.parametrize("name", HEADS)
def test_one_changed_bit_of_a_kept_head_turns_the_audit_red(audited, name):
    """What the next change or entry would follow, or would tell others of the log."""
    for at in range(36):
        store = copied(audited.stores["dung"])
        with store.transaction() as tx:
            stored = bytearray(tx.value(name))
            if at >= len(stored):
                return
            stored[at] ^= 1
            tx.put_value(name, bytes(stored))
        with pytest.raises(CasesyncError) as raised:
            audited.open("dung", store=store).audit_verify(offline=True)
        assert raised.value.exit_code == 6, (at, raised.value.code)


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


@pytest.fixture
def relays_copy(audited):
    """The honest relay on a copy of its database, which may be changed."""
    honest = audited.network.relay
    store = audited.relay._stores["honest"].copy()
    audited.network.relay = HostileRelay(audited.clock, SeededEntropy("copy"), store=store)
    yield store
    audited.network.relay = honest


@pytest.mark.parametrize("leaf", range(6))
def test_a_leaf_that_is_gone_at_the_relay_turns_the_audit_red(audited, relays_copy, leaf):
    """A page may show a leaf as a hash, but not to who is to read it."""
    [place] = relays_copy._connection.execute(
        "select place from change_leaves order by place limit 1 offset ?", (leaf,)
    ).fetchone()
    relays_copy._connection.execute("delete from change_leaves where place = ?", (place,))
    with pytest.raises(CasesyncError) as raised:
        audited.open("dung", store=copied(audited.stores["dung"])).audit_verify()
    assert raised.value.code in {"page-contradicts-log", "relay-log-damaged", "relay-store-damaged"}


def test_an_access_segment_that_is_withheld_turns_the_audit_red(audited, relays_copy, monkeypatch):
    """A hostile relay may keep its digest and serve no entry."""
    monkeypatch.setattr(pages, "WITHHELD_FROM_AUDIT", frozenset(range(1, 256)))
    with pytest.raises(RelayMisbehaviour) as raised:
        audited.open("dung", store=copied(audited.stores["dung"])).audit_verify()
    assert raised.value.params == {"what": "segment withheld"}


def without_control(answer: SyncAnswer) -> SyncAnswer:
    return replace(answer, control=replace_page(answer.control, []))


def without_leaves(answer: SyncAnswer) -> SyncAnswer:
    return replace(answer, backfills=())


def other_checkpoint(answer: SyncAnswer) -> SyncAnswer:
    return replace(answer, change_checkpoint=answer.control_checkpoint)


@pytest.mark.parametrize("change", [without_control, without_leaves, other_checkpoint])
def test_a_relay_that_brings_an_audit_no_further_is_not_asked_for_ever(audited, change):
    asked = []

    def edit(_, answer: SyncAnswer) -> SyncAnswer:
        asked.append(answer)
        return change(answer)

    dung = audited.open("dung")
    audited.relay.edit = edit
    with pytest.raises(RelayMisbehaviour):
        dung.audit_verify()
    audited.relay.edit = None
    assert len(asked) <= 3


def test_a_signed_checkpoint_of_another_change_log_turns_the_audit_red(audited):
    """The relay holds the key: it may sign what it likes, but not what this auditor holds."""
    dung = audited.open("dung")
    [view] = audited.relay._views.values()
    name = LogName(dung.core.identity.network, "change")
    other = Checkpoint.make(name, 1, bytes(32), view._control._signer.sign).to_binary()
    audited.relay.edit = lambda _, answer: replace(answer, change_checkpoint=other)
    with pytest.raises(RelayMisbehaviour) as raised:
        dung.audit_verify()
    audited.relay.edit = None
    assert raised.value.code == "relay-forked"


def test_one_bit_of_the_change_checkpoint_turns_the_audit_red(audited):
    dung = audited.open("dung")
    for at in range(102):

        def edit(_, answer: SyncAnswer, at=at) -> SyncAnswer:
            changed = bytearray(answer.change_checkpoint)
            changed[at] ^= 1
            return replace(answer, change_checkpoint=bytes(changed))

        audited.relay.edit = edit
        with pytest.raises(RelayMisbehaviour):
            dung.audit_verify()
    audited.relay.edit = None
