"""Attack 64: the power fails while a newcomer takes the control log for the first time.

The log was not held against the invitation yet. Refusing layer: opening a replica
(``client/opening.py``; enrolment.md, step 6). The join goes on where it was; nothing else does.
"""

from __future__ import annotations

import pytest

from casesync.client import joining
from casesync.client.core import Core
from casesync.foundation.errors import LocalStateError
from casesync.storage.sql_store import SqlStore
from casesync.sync.enrolment_joiner import Joiner
from casesync.testing.offices import Offices

UNIT = "Nhà Bình Minh"


def test_a_join_whose_checks_were_not_made_is_no_replica(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is durable between the first page and the checks is what a power loss would leave."""
    offices = Offices("power")
    founder = offices.found(unit=UNIT)
    finish = joining.fetch_and_check
    refused: list[str] = []

    def look_first(core: Core, joiner: Joiner) -> None:
        joining.pull(core)
        assert isinstance(core.store, SqlStore)
        with pytest.raises(LocalStateError) as error:
            offices.reopen(core.store)
        refused.append(error.value.code)
        finish(core, joiner)

    monkeypatch.setattr(joining, "fetch_and_check", look_first)
    mai = offices.enrol(founder, UNIT, "caseworker", "Mai")
    assert refused == ["not-joined"]
    assert mai.whoami().member == "Mai"
