"""Networks founded once per process; every simulated world begins with copies of one.

Founding and enrolling cost a hundred times what a day's work costs. Networks grow in one order, and
after each newcomer everything is copied: a world of n desks begins as the network was then.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from casesync.access import control_opened
from casesync.client.replica import Replica
from casesync.relay.sqlite_store import SqliteStore
from casesync.storage.connection import connect_plain
from casesync.storage.sql_store import SqlStore
from casesync.testing.offices import Offices

SHELTER: Final = "Nhà Bình Minh"
OSSO: Final = "Văn phòng OSSO"
UNION: Final = "Hội Phụ nữ"
AUDIT: Final = "Kiểm tra"
ADMINISTRATORS: Final = (1, 5)
"""Places in the order of enrolment, from 1; the founder is the first."""

_NEWCOMERS: Final = (
    (SHELTER, "caseworker"),
    (OSSO, "officer"),
    (OSSO, "officer"),
    (UNION, "caseworker"),
    (AUDIT, "auditor"),
    (SHELTER, "clinician"),
    (UNION, "counsellor"),
)
DESKS_MAX: Final = len(_NEWCOMERS) + 1
AUDITED_FROM: Final = 6
"""A world of fewer desks has no audit unit at first."""


@dataclass(frozen=True, slots=True)
class Founded:
    """Everything there is of a network at one moment; never written, only copied."""

    relay: SqliteStore
    stores: tuple[SqlStore, ...]
    """In the order of enrolment, the founder's first."""
    now_ms: int


def copied(store: SqlStore) -> SqlStore:
    """A second replica store with everything that is committed in the first."""
    connection = connect_plain(None)
    store._connection.backup(connection)
    return SqlStore(connection)


def founded(desks: int) -> Founded:
    """The network with this many desks (2 to 8)."""
    return _networks()[desks]


def found_again() -> None:
    """Forget the networks: the next ones have other keys and ids (for tests of replaying)."""
    _networks.cache_clear()


def share_schemas() -> None:
    """Decode each schema once per process: it is a pure function of bytes, and most of opening."""
    if not hasattr(control_opened.schema_from_bytes, "cache_info"):
        control_opened.schema_from_bytes = lru_cache(8)(control_opened.schema_from_bytes)


@lru_cache(1)
def _networks() -> dict[int, Founded]:
    share_schemas()
    offices = Offices("simulated worlds")
    replicas = [offices.found(unit=SHELTER)]
    founder = replicas[0]
    for name, kind in ((OSSO, "osso"), (UNION, "union")):
        founder.add_unit(name, kind)
    networks: dict[int, Founded] = {}
    for number, (unit, role) in enumerate(_NEWCOMERS, 2):
        if unit == AUDIT:
            founder.add_unit(AUDIT, "audit")
        replicas.append(_enrol(offices, replicas, number, unit, role))
        for replica in replicas:
            replica.sync()
        networks[number] = Founded(
            offices.network.relay._store.copy(),
            tuple(copied(store) for store in offices.stores.values()),
            offices.clock.now_ms(),
        )
    return networks


def _enrol(offices: Offices, replicas: list[Replica], number: int, unit: str, role: str) -> Replica:
    administrator = number in ADMINISTRATORS
    name = f"Người {number}"
    newcomer = offices.enrol(replicas[0], unit, role, name, as_administrator=administrator)
    for colleague in replicas:
        if colleague.whoami().unit == unit and waits_for_keys(newcomer):
            colleague.approve_step(str(newcomer.whoami().device))
            newcomer.sync()
    assert not waits_for_keys(newcomer), newcomer.status().missing
    return newcomer


def waits_for_keys(replica: Replica) -> bool:
    """Whether a colleague has to admit this newcomer."""
    return any(fact.code == "colleague-needed" for fact in replica.status().missing)
