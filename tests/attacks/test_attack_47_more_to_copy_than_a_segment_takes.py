"""Attack 47: more in a compartment than one segment takes, shared and copied behind a grant.

Whoever writes much, honest or not, must not stop others from granting or syncing. Handling layer:
``sync/grants.py``, which cuts copies by bytes too.
"""

from __future__ import annotations

from attack_world import OSSO, UNION, AttackWorld
from casesync.foundation.ids import StreamId

NOTES, LETTERS = 70, 15_900


def write_notes(world: AttackWorld, name: str, stream: StreamId) -> None:
    for number in range(NOTES):
        with world.replicas[name].edit(stream) as edit:
            edit.new_record("note", {"text": f"{number}".ljust(LETTERS, ".")})


def test_much_text_behind_a_grant_reaches_the_grantee_and_stops_no_sync() -> None:
    world = AttackWorld(5)
    stream = world.case(given_name="Hoa")
    world.sync(rounds=2)
    write_notes(world, "mai", stream)
    world.share(stream, OSSO, ("contact", "operations"))
    world.sync("lan", "mai", "lan", "oanh")
    assert len(world.values("oanh", stream, "note.text")) == NOTES
    world.share(stream, UNION, ("contact", "operations"))
    world.sync("lan", "uyen")
    assert len(world.values("uyen", stream, "note.text")) == NOTES
