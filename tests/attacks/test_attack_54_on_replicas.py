"""Attack 54 on replicas: odd access entries stop neither an auditor's sync nor her list.

They are a violation in the audit and nothing else (access-log.md; must hold 5).
"""

from __future__ import annotations

import pytest

from attack_world import AttackWorld
from casesync.access.access_entry import AccessSegment, encode_segment
from casesync.foundation.errors import AuditFailed
from casesync.foundation.ids import Compartment, StreamId
from casesync.sync.access_log import ACCESS_STREAM
from casesync.sync.author import Draft, write_change

NOTHING = b"\xc0"


def seal(world: AttackWorld, name: str, first: int, *entries: bytes) -> None:
    """What a changed program seals into its access stream."""
    core = world.replicas[name].core
    with core.transaction() as tx:
        stream = tx.value(ACCESS_STREAM)
        assert stream is not None
        draft = Draft(stream=StreamId(stream))
        body = encode_segment(
            AccessSegment(first_sequence=first, previous_hash=bytes(32), entries=entries)
        )
        draft.bodies[int(Compartment.ACCESS)] = body
        write_change(core.engine, tx, draft)


@pytest.mark.parametrize(
    ("first", "entries", "found"),
    [
        (1, [NOTHING], "entries-repeated"),
        (1, [NOTHING * 40_000, NOTHING], "entries-repeated"),
        (2, [NOTHING], "entry-chain-broken"),
        (50, [NOTHING, NOTHING], "entries-missing"),
        (2**48 - 1, [NOTHING], "entries-missing"),
    ],
)
def test_the_rest_is_synced_and_listed_and_the_audit_is_red(first, entries, found):
    world = AttackWorld()
    world.mai.cases()
    world.sync(rounds=2)
    device = world.mai.whoami().device
    before = {(e.device, e.sequence, e.action) for e in world.dung.audit_list()}
    seal(world, "mai", first, *entries)
    world.lan.cases(purpose="sau đó")
    for name in ("mai", "lan", "dung"):
        assert world.replicas[name].sync().synced
    after = world.dung.audit_list()
    assert before <= {(e.device, e.sequence, e.action) for e in after}
    assert "sau đó" in {e.purpose for e in after}
    assert {e.device for e in after if e.action == "malformed"} <= {device}
    assert all(e.time_ms > 0 for e in after)
    with pytest.raises(AuditFailed) as error:
        world.dung.audit_verify()
    assert (error.value.code, error.value.params["device"]) == ("audit-device-failed", device)
    assert error.value.params["what"] == found
