"""Attack 28: what a suspended member wrote at or behind the position of the suspension.

The entry takes effect at the change-log size its signer had verified (membership.md), wherever the
relay puts it: verdicts are revised, and offices that hold copies alone are brought what is live
again (``sync/grants.py``; keys.md, *Grants*).
"""

from __future__ import annotations

from attack_world import OSSO, AttackWorld
from casesync.foundation.ids import StreamId

NAME = "person.given_name"


def suspended_before(world: AttackWorld, stream: StreamId) -> None:
    """Mai overwrites Lan's word, the case is shared, then comes a suspension signed before."""

    def overwrite_and_share() -> None:
        world.set("mai", stream, NAME, "Hai")
        world.sync("mai", "lan")
        world.share(stream, OSSO)
        world.sync("lan", "oanh")
        assert world.values("oanh", stream, NAME) == ["Hai"]

    world.suspend_before("mai", overwrite_and_share)


def test_an_office_with_copies_is_brought_what_the_refusal_makes_live_again() -> None:
    world = AttackWorld(5)
    stream = world.case(given_name="Một")
    suspended_before(world, stream)
    world.sync("lan", "oanh")
    assert set(world.reasons("lan").values()) == {"suspended"}
    assert world.values("lan", stream, NAME) == ["Một"]
    assert world.values("oanh", stream, NAME) == ["Một"]


def test_a_refused_word_leaves_the_history_of_an_office_that_has_only_a_copy() -> None:
    """The owning office goes on telling it, as what it is: not live, in Mai's own change."""
    world = AttackWorld(5)
    stream = world.case(given_name="Một")
    suspended_before(world, stream)
    world.sync("lan", "oanh")
    told = {
        name: {(row.value, row.live) for row in world.replicas[name].history(stream, NAME)}
        for name in ("lan", "oanh")
    }
    assert told == {"lan": {("Một", True), ("Hai", False)}, "oanh": {("Một", True)}}
