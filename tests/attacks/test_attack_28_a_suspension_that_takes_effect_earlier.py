"""Attack 28: what a suspended member wrote at or behind the position of the suspension.

The entry takes effect at the change-log size its signer had verified (membership.md), wherever the
relay puts it: verdicts are revised, and offices that hold copies alone are brought what is live
again (``sync/grants.py``; keys.md, *Grants*).
"""

from __future__ import annotations

from dataclasses import replace

from attack_world import OSSO, AttackWorld
from casesync.foundation.ids import StreamId
from casesync.sync.held_log import CHANGE_RANGE, load_range

NAME = "person.given_name"


def suspended_before(world: AttackWorld, stream: StreamId) -> None:
    """Mai overwrites Lan's word, the case is shared, then comes a suspension signed before."""
    world.sync()
    uyen = int(world.uyen.core.engine.device)
    held = world.relay.answers[-1].change_checkpoint
    with world.stores["uyen"].transaction() as tx:
        size = load_range(tx, CHANGE_RANGE).size
    world.set("mai", stream, NAME, "Hai")
    world.sync("mai", "lan")
    world.share(stream, OSSO)
    world.sync("lan", "oanh")
    assert world.values("oanh", stream, NAME) == ["Hai"]
    world.relay.edit = lambda caller, answer: (
        replace(answer, change_checkpoint=held, page=[size, b"", [], [], b""])
        if caller.device == uyen
        else answer
    )
    world.uyen.suspend_device(int(world.mai.core.engine.device), "mất máy")
    world.relay.edit = None


def test_an_office_with_copies_is_brought_what_the_refusal_makes_live_again() -> None:
    world = AttackWorld(5)
    stream = world.case(given_name="Một")
    suspended_before(world, stream)
    world.sync("lan", "oanh")
    assert set(world.reasons("lan").values()) == {"suspended"}
    assert world.values("lan", stream, NAME) == ["Một"]
    assert world.values("oanh", stream, NAME) == ["Một"]
