"""Chapter 2: the line is down, everybody works, then everybody syncs (cli)."""

from __future__ import annotations

import time
from typing import Any

from casesync.model.folding import fold
from casesync_cli.demo.invented import InventedCase
from casesync_cli.demo.world import CUC, HANG, LAN, MAI, PEOPLE, THU, World

_WORKING = (LAN, CUC, MAI, HANG)
_OWN = {CUC: 3, MAI: 2, HANG: 2}
"""Cases the others open meanwhile."""


def tell(world: World) -> None:
    """Cases are written while the relay is down; nothing is lost; then all sync."""
    narrator = world.narrator
    narrator.chapter("offline")
    world.relay.stop()
    narrator.tell("line-down")
    codes = _write(world)
    refusals = {person: world.on(person).refusal("sync") for person in _WORKING}
    unreachable = all(r is not None and r.exit_code == 4 for r in refusals.values())
    narrator.check("offline-unreachable", unreachable)
    kept = [world.on(person).ask("status")["outbox"] for person in _WORKING]
    own = [world.cases, *_OWN.values()]
    narrator.tell("kept", count=sum(kept))
    enough = all(have >= want for have, want in zip(kept, own, strict=True))
    narrator.check("offline-kept", enough and len(codes) == world.cases)
    world.start_relay()
    narrator.tell("line-up")
    reports = _sync_everybody(world)
    narrator.check("all-synced", all(report["synced"] for report in reports))
    _who_has_what(world)
    _find_unaccented(world, codes)


def _write(world: World) -> list[str]:
    """The shelter's first laptop opens all its cases in one go; the others a few."""
    cases = world.invention.cases(world.cases)
    cases[0] = world.person = _of_the_story(cases[0])
    written: list[InventedCase] = list(cases)
    for person, count in _OWN.items():
        more = world.invention.cases(count)
        written += more
        if person is HANG:
            more = [_of_officer(case) for case in more]
        world.on(person).begin("new_cases", cases=[case.request() for case in more])
    world.plant_cases(written)
    begun = time.monotonic()
    with world.narrator.progress("writing") as told:
        request: list[dict[str, Any]] = [case.request() for case in cases]
        codes: list[str] = world.on(LAN).ask("new_cases", told, cases=request)
    seconds = time.monotonic() - begun
    for person in _OWN:
        world.own_case[person] = world.on(person).answer()[0]
    world.case = codes[0]
    world.narrator.tell("written", member=LAN.name, count=len(codes), seconds=f"{seconds:.1f}")
    return codes


def _of_the_story(case: InventedCase) -> InventedCase:
    """The woman the story follows, whatever the seed says of her."""
    known = {
        "person.middle_name": "Thị",
        "person.safe_to_contact": "only_as_agreed",
        "case.risk_level": "low",
    }
    for path, text in known.items():
        case = case.retyped(path, text)
    return case


def _of_officer(case: InventedCase) -> InventedCase:
    """What an officer's role writes: livelihood; identity is the shelter's to write."""
    return InventedCase(case.kinds, tuple(s for s in case.steps if s[0] == "person.education"))


def _sync_everybody(world: World) -> list[dict[str, Any]]:
    with world.narrator.progress("syncing") as told:
        first: dict[str, Any] = world.on(LAN).ask("sync", told)
        others = [person for person in PEOPLE if person is not LAN]
        for person in others:
            world.on(person).begin("sync")
        reports = [first, *(world.on(person).answer() for person in others)]
    # Lan now fetches what the second laptop sent, and everybody's looks are on their way.
    return [*reports, *world.sync(LAN)]


def _who_has_what(world: World) -> None:
    counts = {person: world.on(person).ask("count") for person in PEOPLE}
    narrator = world.narrator
    rows = [(p.name, p.unit, str(counts[p])) for p in PEOPLE if p is not THU]
    narrator.rows(("person", "unit", "cases"), rows)
    shelter = world.cases + _OWN[CUC]
    own = {LAN: shelter, CUC: shelter, MAI: _OWN[MAI], HANG: _OWN[HANG]}
    narrator.check("own-cases-only", all(counts[p] == count for p, count in own.items()))


def _find_unaccented(world: World, codes: list[str]) -> None:
    assert world.person is not None
    typed = fold(world.person.typed("person.given_name"))
    found = world.on(CUC).ask("find", text=typed)
    world.narrator.tell(
        "found", member=CUC.name, typed=typed, name=world.person.name, case=codes[0]
    )
    world.narrator.check("found-unaccented", codes[0] in found)
