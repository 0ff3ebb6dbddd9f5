"""Attack 37: a change that no member made.

Layer that must refuse: ``sync/run_check`` (the author's signature over the chain), behind a relay
that takes anything. The forgery occupies nothing: the number it claims stays free for the honest
change, and the rest of the page is merged.
"""

from __future__ import annotations

import pytest

from attack_world import OSSO, AttackWorld
from casesync.foundation.errors import LocalStateError
from casesync.sync.author import own_chain
from casesync.testing.hostile_member import Claims, HostileMember

IDENTITY = 2


@pytest.fixture
def world(monkeypatch) -> AttackWorld:
    """The relay believes everybody: it checks neither who asks nor any signature."""
    world = AttackWorld()
    monkeypatch.setattr("casesync.relay.push.verify_change", lambda *_: None)
    return world


def forge(world, stream, claimed: str, number_on: int = 1):
    """Mai makes a change in somebody's name, correctly chained, with a signature of her own."""
    victim = world.replicas[claimed]
    with world.stores[claimed].transaction() as tx:
        number, link = own_chain(tx, victim.core.engine)
    mai = HostileMember(world.mai)
    body = mai.content(world.person("mai", stream), {"person.given_name": "Giả"})
    claims = Claims(int(victim.core.engine.device), number + number_on, link, 0, ())
    made = mai.write(stream, bodies={IDENTITY: body}, claims=claims, queued=False)
    return made, victim.core.channel


@pytest.mark.parametrize("signed", [True, False])
def test_a_change_in_a_colleagues_name_never_counts(world, signed):
    stream = world.case(given_name="Hòa")
    world.sync()
    made, channel = forge(world, stream, "lan")
    if not signed:
        made = made._replace(signature=bytes(64))
    answer = HostileMember(world.mai).push(made, channel)
    assert answer.receipts, "the relay took it"
    world.sync("mai", "dung")
    assert world.values("mai", stream, "person.given_name") == ["Hòa"]
    assert list(world.reasons("mai").values()) == ["signature-missing"]
    assert {q.state for q in world.mai.quarantine()} == {"waiting"}
    report, status = world.mai.sync(), world.mai.status()
    assert (report.quarantined, report.awaiting) == (1, 1)
    assert (status.quarantined, status.awaiting, status.unsettled) == (1, 1, 1)


def test_the_rest_of_the_page_is_merged(world):
    stream = world.case(given_name="Hòa")
    world.share(stream, OSSO, ("identity", "contact"))
    world.sync(rounds=2)
    made, channel = forge(world, stream, "lan")
    HostileMember(world.mai).push(made, channel)
    world.set("mai", stream, "person.given_name", "Hoa")
    world.sync("mai", "oanh")
    assert world.values("oanh", stream, "person.given_name") == ["Hoa"]


def test_the_victim_finds_a_copy_of_itself_in_the_log_and_stops(world):
    """Its own number is taken by what it never wrote: it says so and sends nothing."""
    stream = world.case(given_name="Hòa")
    world.sync()
    made, channel = forge(world, stream, "lan")
    HostileMember(world.mai).push(made, channel)
    world.set("lan", stream, "person.given_name", "Hoa")
    with pytest.raises(LocalStateError) as raised:
        world.lan.sync()
    assert raised.value.code in {"device-forked", "device-restored"}
