"""A case whose earlier changes are still to be fetched (``protocol/keys.md``, *Entitled units*).

Who may read a case stands in its base segments. An office that got a grant, and whose sync was cut
off before the back-fill, does not know all of them; what it writes is never refused for that.
"""

from __future__ import annotations

from contextlib import suppress

import pytest

from casesync.client import page_size
from casesync.client.replica import Replica
from casesync.foundation.errors import CannotDecide, NetworkError, UsageError
from casesync.foundation.ids import StreamId
from casesync.relay import sync_answer
from casesync.testing.memory_network import Fault
from casesync.testing.offices import Offices

SHARED = ["operations", "protection", "contact"]


class CutOff:
    """A line that breaks after so many exchanges of a sync."""

    def __init__(self) -> None:
        self.left: int | None = None

    def __call__(self, method: str) -> Fault:
        if self.left is None or method != "sync":
            return Fault.NONE
        self.left -= 1
        return Fault.NONE if self.left >= 0 else Fault.DROP_REQUEST


def share(owner: Replica, case: str, unit: str) -> None:
    """With everything it takes, for writing."""
    found = owner.resolve_case(case)
    consent = owner.give_consent(found, "service", unit, SHARED)
    owner.grant(found, unit, SHARED, "service", consent.hex(), write=True)
    owner.sync()


def fetched_in_part(replica: Replica, line: CutOff, case: str) -> StreamId:
    """The case as soon as it can be seen; the line breaks after every exchange."""
    for _ in range(50):
        line.left = 1
        with suppress(NetworkError):
            replica.sync()
        with suppress(UsageError):
            return replica.resolve_case(case)
    raise AssertionError("the case never comes")


def test_no_key_is_started_before_all_grants_are_here(monkeypatch):
    line = CutOff()
    offices = Offices("incomplete case")
    owner = offices.found()
    for name, kind in (("OSSO", "osso"), ("Hội", "union")):
        owner.add_unit(name, kind)
    osso = offices.enrol(owner, "OSSO", "counsellor", "Mai")
    union = offices.enrol(owner, "Hội", "counsellor", "Hạnh", fault_of=line)
    for replica in (owner, osso, union):
        replica.sync()
    case = owner.new_case(["trafficking"]).case
    share(owner, case, "OSSO")
    union.sync()  # so that what came before its grant lies behind its cursor
    share(owner, case, "Hội")

    monkeypatch.setattr(page_size, "PAGE_BYTES_DEFAULT", 1_500)
    monkeypatch.setattr(sync_answer, "_ROOM_MIN", 1_500)
    found = fetched_in_part(union, line, case)
    before = union.outbox()
    with pytest.raises(CannotDecide) as caught, union.edit(found) as edit:
        edit.set("case.risk_level", "high")
    assert caught.value.code == "case-incomplete"
    assert [row.number for row in union.outbox()] == [row.number for row in before]

    line.left = None
    union.sync()
    with union.edit(found) as edit:
        edit.set("case.risk_level", "high")
    for replica in (union, osso, owner, osso, union):
        replica.sync()
    assert [replica.quarantine() for replica in (owner, osso, union)] == [[], [], []]
    for replica in (owner, osso):
        record = next(
            r for r in replica.show(replica.resolve_case(case)).records if r.type == "case"
        )
        assert record.fields["risk_level"].value == "high"
