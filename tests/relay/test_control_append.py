"""Networks and control logs at the relay (``protocol/membership.md``, *Entry*)."""

from __future__ import annotations

from hashlib import sha256

import pytest

from casesync.foundation.errors import CasesyncError, NetworkError
from casesync.foundation.ids import BlobHash
from casesync.merkle.hashing import EMPTY_ROOT
from casesync.relay import control_append
from casesync.relay.mailbox import Mailbox
from casesync.relay.sqlite_store import SqliteStore
from casesync.testing.blind_device import NO_WRAP, BlindKeys, BlindNetwork
from casesync.testing.clock import FakeClock
from casesync.testing.entropy import SeededEntropy
from casesync.testing.memory_network import MemoryNetwork
from casesync.translog.checkpoint import Checkpoint, LogName
from casesync.translog.control_acts import (
    ACTS_STAFF,
    AdmitPublic,
    EmptyPublic,
    EnrolPublic,
    SuspendPublic,
)
from casesync.translog.control_entry import Act
from casesync.wire.refusals import HeadMoved
from relay.blind_worlds import World, make_world


@pytest.fixture
def world() -> World:
    return make_world()


def code_of(act) -> tuple[str, str]:
    with pytest.raises(CasesyncError) as caught:
        act()
    return caught.value.code, str(caught.value.params.get("reason"))


ENTRY_REFUSED = ("relay-refused", "entry-refused")


def enrol(keys: BlindKeys, **changed) -> EnrolPublic:
    public = EnrolPublic(
        1,
        keys.change.public,
        keys.request.public,
        sha256(keys.blob).digest(),
        ACTS_STAFF,
        (b"f" * 16,),
        sha256(NO_WRAP).digest(),
        None,
    )
    return public._replace(**changed)


def test_creating_a_network_answers_with_both_checkpoints(world: World):
    created = world.network.created
    key = world.relays.relay.relay_key
    control = Checkpoint.from_binary(LogName(world.network.id, "control"), created[0], key)
    change = Checkpoint.from_binary(LogName(world.network.id, "change"), created[1], key)
    assert (control.size, change.size, change.root) == (1, 0, EMPTY_ROOT)
    assert created[2] == [world.clock.now_ms()]


def test_creating_it_again_answers_alike_while_nothing_followed():
    relays = MemoryNetwork(FakeClock(), SeededEntropy(1))
    network = BlindNetwork(relays.channel())
    blobs = [network.founder.keys.blob]
    assert relays.channel().create_network(network.entries, blobs) == network.created


def test_a_network_that_names_another_relays_key_is_not_created(world: World):
    """Otherwise its members would pin a key this relay does not sign with."""
    other = MemoryNetwork(FakeClock(), SeededEntropy("other"))
    network = BlindNetwork(other.channel(), seed="other")
    blobs = [network.founder.keys.blob]
    assert (
        code_of(lambda: world.relays.channel().create_network(network.entries, blobs))
        == ENTRY_REFUSED
    )


def test_only_the_first_of_two_appends_over_one_head_is_taken(world: World):
    """Compare and set: the second signs again over the new head."""
    one = world.network.entry(Act.UNIT, EmptyPublic())
    two = world.network.entry(Act.UNIT, EmptyPublic())
    channel = world.channels[1]
    channel.append_control([one], [])
    with pytest.raises(HeadMoved):
        channel.append_control([two], [])
    world.network.entries.append(one)
    channel.append_control([world.network.entry(Act.UNIT, EmptyPublic())], [])


def test_a_repeated_append_answers_alike_and_appends_nothing(world: World):
    entry = world.network.entry(Act.UNIT, EmptyPublic())
    channel = world.channels[1]
    assert channel.append_control([entry], []) == channel.append_control([entry], [])
    world.sync(world.first)
    assert len(world.first.control) == len(world.network.entries) + 1


def test_several_entries_stand_or_fall_together(world: World):
    good = world.network.entry(Act.UNIT, EmptyPublic())
    channel = world.channels[1]
    assert code_of(lambda: channel.append_control([good, good], [])) == ENTRY_REFUSED
    world.sync(world.first)
    assert len(world.first.control) == len(world.network.entries)


@pytest.mark.parametrize("position", [0, 40, 60, 90, 130, -1, -3000])
def test_an_entry_with_one_byte_changed_is_refused(world: World, position: int):
    entry = bytearray(world.network.entry(Act.UNIT, EmptyPublic()))
    entry[position] ^= 1
    code = code_of(lambda: world.channels[1].append_control([bytes(entry)], []))
    assert code in {ENTRY_REFUSED, ("head-moved", "None")}


def test_an_act_the_signer_may_not_sign_is_refused(world: World):
    """Staff devices admit, rotate and box; they do not suspend or make units."""
    for act, public in (
        (Act.UNIT, EmptyPublic()),
        (Act.SUSPEND, SuspendPublic(world.other.number, None, ())),
    ):
        entry = world.network.entry(act, public, signer=world.second)
        assert code_of(lambda e=entry: world.channels[2].append_control([e], [])) == ENTRY_REFUSED


def test_an_act_in_anothers_name_is_refused(world: World):
    world.second.number, number = 1, world.second.number
    entry = world.network.entry(Act.UNIT, EmptyPublic(), signer=world.second)
    world.second.number = number
    assert code_of(lambda: world.channels[2].append_control([entry], [])) == ENTRY_REFUSED


def test_a_suspended_device_signs_nothing_any_more(world: World):
    channel = world.channels[1]
    world.network.suspend(channel, world.second.number)
    entry = world.network.entry(Act.NETWORK_BOX, EmptyPublic(), signer=world.second)
    assert code_of(lambda: channel.append_control([entry], [])) == ENTRY_REFUSED


def test_an_entry_whose_blobs_are_missing_is_refused(world: World):
    keys = BlindKeys.generate(SeededEntropy("new"))
    entry = world.network.entry(Act.ENROL, enrol(keys))
    channel = world.channels[1]
    for blobs in ([], [NO_WRAP], [keys.blob[:-1] + b"x", NO_WRAP]):
        assert code_of(lambda b=blobs: channel.append_control([entry], b)) == ENTRY_REFUSED
    channel.append_control([entry], [keys.blob, NO_WRAP])
    assert channel.blob(BlobHash(sha256(keys.blob).digest())) == keys.blob


def test_a_blob_nobody_names_is_not_stored(world: World):
    """The relay is no file store."""
    entry = world.network.entry(Act.UNIT, EmptyPublic())
    assert (
        code_of(lambda: world.channels[1].append_control([entry], [b"something"])) == ENTRY_REFUSED
    )


def test_an_entry_may_name_a_blob_the_relay_has_already(world: World):
    wrap = AdmitPublic(world.second.number, sha256(NO_WRAP).digest())
    entry = world.network.entry(Act.ADMIT, wrap)
    world.channels[1].append_control([entry], [])


def test_an_entry_cannot_take_effect_in_a_future_the_relay_does_not_know(world: World):
    entry = world.network.entry(Act.UNIT, EmptyPublic(), change_size=1, change_root=b"r" * 32)
    assert code_of(lambda: world.channels[1].append_control([entry], [])) == ENTRY_REFUSED


def test_an_entry_over_another_change_log_is_refused(world: World):
    world.first.open_stream()
    world.sync(world.first)
    network = world.network
    wrong = network.entry(Act.UNIT, EmptyPublic(), change_size=1, change_root=b"r" * 32)
    assert code_of(lambda: world.channels[1].append_control([wrong], [])) == ENTRY_REFUSED
    right = network.entry(
        Act.UNIT, EmptyPublic(), change_size=1, change_root=world.first.seen.root()
    )
    world.channels[1].append_control([right], [])


def test_a_network_that_is_full_takes_no_entry(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(control_append, "QUOTA_BYTES_PER_NETWORK", 0)
    with pytest.raises(NetworkError) as caught:
        world.network.append(world.channels[1], Act.UNIT, EmptyPublic(), [])
    assert caught.value.code == "relay-quota"


def test_a_restarted_relay_knows_its_members_without_verifying_them_again():
    """The directory is folded again from what was verified when it was appended."""
    store, clock = SqliteStore(":memory:"), FakeClock()
    world = make_world(Mailbox(store, clock, SeededEntropy("relay")), clock)
    world.network.suspend(world.channels[1], world.second.number)
    world.relays.relay = Mailbox(store, clock, SeededEntropy("unused"))
    world.first.open_stream()
    assert world.sync(world.first).refusal is None
    assert code_of(lambda: world.sync(world.second))[0] == "device-suspended"


def test_a_request_that_failed_in_the_store_leaves_no_member_behind(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """The directory at hand must not run ahead of the store."""
    entry = world.network.entry(Act.SUSPEND, SuspendPublic(world.second.number, None, ()))
    monkeypatch.setattr(control_append, "QUOTA_BYTES_PER_NETWORK", 0)
    assert code_of(lambda: world.channels[1].append_control([entry], []))[0] == "relay-quota"
    assert world.sync(world.second).refusal is None
