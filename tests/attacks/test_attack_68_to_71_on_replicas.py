"""Attacks 68 to 71 on whole replicas: what a change claims to replace, and how it arrives.

Layer that must make them harmless: merging (``model/merge``), whatever path a change took there:
pages one by one, all at once, a back-fill, boxes that come late, a verdict that is revised.
"""

from __future__ import annotations

import pytest

from attack_world import OSSO, AttackWorld
from casesync.foundation.ids import Compartment
from casesync.model.segment_body import Replacement
from casesync.sync.author import own_chain
from casesync.sync.stream_row import StreamRow
from casesync.testing.hostile_member import HostileMember
from casesync.testing.memory_network import Fault
from casesync.translog.chain import link as chain_link

IDENTITY = int(Compartment.IDENTITY)


@pytest.fixture
def world() -> AttackWorld:
    return AttackWorld()


def link8(world: AttackWorld, stream, device: int, number: int) -> bytes:
    with world.stores["lan"].transaction() as tx:
        entry = StreamRow(tx.stream_rows([stream])[stream]).find(device, number)
        [change] = tx.changes_at([entry.location])
    return chain_link(change.previous_link, change.header)[:8]


def test_68_a_write_that_names_what_does_not_exist_yet_deletes_nothing_when_it_comes(world):
    """Mai guesses the number of Lan's next change and names it beforehand, under any link."""
    stream = world.case(given_name="Hòa")
    person = world.person("lan", stream)
    world.sync()
    mai = HostileMember(world.mai)
    with world.stores["lan"].transaction() as tx:
        number = own_chain(tx, world.lan.core.engine)[0] + 1
    guesses = [Replacement(1, n, b"guessed!", 1) for n in range(number, number + 5)]
    mai.write(stream, bodies={IDENTITY: mai.content(person, {"person.given_name": "X"}, guesses)})
    mai.sync()
    world.set("lan", stream, "person.given_name", "Hoa")
    world.sync(rounds=2)
    for name in ("lan", "mai"):
        assert "Hoa" in world.values(name, stream, "person.given_name"), name


def test_69_a_mask_reaches_no_cell_of_another_compartment(world):
    """Lan's first change has cells in both; Mai's segment in one names it with every bit."""
    stream = world.case(given_name="Hòa", safe_to_contact="no")
    person = world.person("lan", stream)
    world.sync()
    mai = HostileMember(world.mai)
    wide = [Replacement(1, 1, link8(world, stream, 1, 1), 2**64 - 1)]
    mai.write(
        stream,
        bodies={IDENTITY: mai.content(person, {"person.family_name": "Lê"}, wide)},
    )
    mai.sync()
    world.sync("lan")
    assert world.values("lan", stream, "person.safe_to_contact") == ["no"]
    assert world.values("lan", stream, "person.given_name") == ["Hòa"], "not written, not replaced"
    assert world.values("lan", stream, "person.family_name") == ["Lê"]


def test_70_an_answer_heard_twice_and_a_page_read_again_change_nothing(world):
    stream = world.case(given_name="Hòa")
    world.sync()
    world.set("mai", stream, "person.given_name", "Hoa")
    world.mai.core.channel.fault_of = lambda _: Fault.DUPLICATE
    world.sync("mai")
    world.lan.core.channel.fault_of = lambda _: Fault.DUPLICATE
    world.sync("lan")
    before = world.dump("lan")["stream_rows"]
    world.sync("lan", "mai", "lan")
    assert world.values("lan", stream, "person.given_name") == ["Hoa"]
    assert world.dump("lan")["stream_rows"] == before


def test_70_segments_of_one_change_that_open_at_different_times_merge_once_each(world):
    """The grantee gets contact first and operations of the same change much later."""
    stream = world.case(given_name="Hòa", safe_to_contact="no")
    with world.lan.edit(stream) as edit:
        edit.new_record("note", {"text": "hẹn gặp"})
        edit.set("person.contact_rule", "chỉ nhắn tin")
    world.sync()
    world.share(stream, OSSO, ("contact",), history=True)
    world.sync(rounds=2)
    assert world.values("oanh", stream, "person.contact_rule") == ["chỉ nhắn tin"]
    assert world.values("oanh", stream, "note.text") == []
    world.share(stream, OSSO, ("operations",), history=True)
    world.sync(rounds=2)
    assert world.values("oanh", stream, "person.contact_rule") == ["chỉ nhắn tin"]
    assert world.values("oanh", stream, "note.text") == ["hẹn gặp"]
    assert world.reasons("oanh") == {}


def test_71_a_refused_change_between_two_others_is_transparent_at_every_replica(world):
    """The OSSO writes without a right; Mai, who replaced its word, replaces Lan's through it."""
    stream = world.case(given_name="Hòa")
    person = world.person("lan", stream)
    world.share(stream, OSSO, ("identity", "contact"))
    world.sync(rounds=2)

    def naming(member: HostileMember, value: str, *of: tuple[int, int, bytes]) -> dict[int, bytes]:
        replaced = [Replacement(*dot, 1) for dot in of]
        return {IDENTITY: member.content(person, {"person.given_name": value}, replaced)}

    oanh, mai = HostileMember(world.oanh), HostileMember(world.mai)
    first = (1, 1, link8(world, stream, 1, 1))
    refused = oanh.write(stream, bodies=naming(oanh, "Giả", first))
    oanh.sync()
    world.sync("lan", "mai")
    assert world.values("lan", stream, "person.given_name") == ["Hòa"], "it deletes nothing"
    through = (oanh.device, refused.number, refused.link[:8])
    mai.write(stream, bodies=naming(mai, "Hoa", through))
    mai.sync()
    world.sync(rounds=2)
    for name in ("lan", "mai", "oanh", "phuc"):
        assert world.values(name, stream, "person.given_name") == ["Hoa"], name
