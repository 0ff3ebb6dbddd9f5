"""Chapter 1: a relay, a network, five laptops (cli)."""

from __future__ import annotations

from casesync.foundation.errors import CannotDecide
from casesync_cli.demo.world import (
    CUC,
    HANG,
    LAN,
    MAI,
    NETWORK,
    PEOPLE,
    SHELTER,
    THU,
    UNITS,
    Person,
    World,
)

_NEWCOMERS = (CUC, MAI, HANG, THU)
_TURNS_MAX = 20
"""Turns of a join, both sides asking once per turn; five are enough."""


def tell(world: World) -> None:
    """The relay starts, the shelter founds the network, four people join."""
    narrator = world.narrator
    narrator.chapter("founding")
    for person in PEOPLE:
        world.switch_on(person)  # five interpreters start while the relay does
    world.start_relay()
    narrator.tell("relay", url=world.relay.url, pid=world.relay.pid)
    _found(world)
    narrator.tell("founded", member=LAN.name, unit=SHELTER, network=NETWORK)
    codes = _join_all(world)
    rows = [
        (p.name, p.unit, narrator.role(p.role), str(world.on(p).pid), codes.get(p, "-"))
        for p in PEOPLE
    ]
    narrator.rows(("person", "unit", "role", "process", "code"), rows)
    devices = world.on(LAN).ask("devices")
    expected = {(p.name, p.unit, p.role, "active") for p in PEOPLE}
    found = {(d["member"], d["unit"], d["role"], d["state"]) for d in devices}
    processes = {world.on(p).pid for p in PEOPLE} | {world.relay.pid}
    homes = [world.on(p).home / "replica.db" for p in PEOPLE]
    every = all(home.is_file() for home in homes)
    narrator.check("five-laptops", found == expected and len(processes) == 6 and every)
    narrator.check("codes-compared", set(codes) == set(_NEWCOMERS))
    _plant_words(world)


def _found(world: World) -> None:
    lan = world.on(LAN)
    lan.ask(
        "found",
        passphrase=lan.passphrase,
        relay_url=world.relay.url,
        relay_key=world.relay.key_hex,
        name=NETWORK,
        unit=SHELTER,
        member_name=LAN.name,
        device_label=LAN.folder,
    )
    for unit, unit_type in UNITS[1:]:
        lan.ask("add_unit", name=unit, unit_type=unit_type)


def _join_all(world: World) -> dict[Person, str]:
    """Invite, join, compare codes, approve; returns the code each newcomer's screen showed."""
    lan = world.on(LAN)
    invitations = {}
    for person in _NEWCOMERS:
        invitation = lan.ask("invite", unit=person.unit, role=person.role)
        invitations[person] = invitation["id"]
        joiner = world.on(person)
        joiner.begin(
            "join_start",
            passphrase=joiner.passphrase,
            invitation=invitation["text"],
            name=person.name,
            label=person.folder,
        )
        world.plant("value", invitation["text"])
    for person in _NEWCOMERS:
        world.on(person).answer()
    codes: dict[Person, str] = {}
    waiting = list(_NEWCOMERS)
    with world.narrator.progress("joining") as told:
        for _ in range(_TURNS_MAX):
            told(len(_NEWCOMERS) - len(waiting), len(_NEWCOMERS))
            waiting = _take_turns(world, waiting, invitations, codes)
            if not waiting:
                told(len(_NEWCOMERS), len(_NEWCOMERS))
                return codes
    raise CannotDecide("demo-join-endless")


def _take_turns(
    world: World, waiting: list[Person], invitations: dict[Person, str], codes: dict[Person, str]
) -> list[Person]:
    for person in waiting:
        world.on(person).begin("join_step")
    left = []
    for person in waiting:
        status = world.on(person).answer()
        if status["state"] == "joined":
            continue
        left.append(person)
        asked = world.on(LAN).ask("approve", invitation=invitations[person])
        if asked["state"] == "code" and status["code"]:
            codes[person] = status["code"]
            world.on(LAN).ask("approve", invitation=invitations[person], code=status["code"])
    return left


def _plant_words(world: World) -> None:
    """Names, units, types, roles, fields and codes: none of them may reach the relay readable."""
    words = world.on(LAN).ask("schema_words")
    world.plant("unit", NETWORK, *(unit for unit, _ in UNITS))
    world.plant("type", *(unit_type for _, unit_type in UNITS), *words["types"])
    world.plant("name", *(word for p in PEOPLE for word in (p.name, p.folder)))
    world.plant("value", *(p.role for p in PEOPLE))
    world.plant("field", *words["fields"])
    world.plant("value", *words["values"])
    world.plant("value", *(world.on(p).passphrase for p in PEOPLE))
