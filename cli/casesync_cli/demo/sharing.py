"""Chapters 4 and 5: a consent, a grant, its use, its end, and work that came too late (cli)."""

from __future__ import annotations

import json
from typing import Any

from casesync.foundation.errors import CasesyncError
from casesync_cli.demo.planted import Planted, Search
from casesync_cli.demo.world import CUC, LAN, MAI, OSSO, Person, World, field_of, records_of

SHARED = ["contact", "operations"]
"""The two compartments: how to reach her safely, and how her support is coordinated."""
PURPOSE = "service"


def tell_grant(world: World) -> None:
    """A consent is recorded; two compartments are shared and used."""
    narrator = world.narrator
    narrator.chapter("sharing")
    lan = world.on(LAN)
    notice = world.typed("notice")
    world.consent = lan.ask(
        "give_consent",
        case=world.case,
        to=OSSO,
        purpose=PURPOSE,
        compartments=SHARED,
        notice=notice,
    )
    narrator.tell("consent", unit=OSSO, notice=notice, id=world.consent[:8])
    terms: dict[str, Any] = {
        "case": world.case,
        "to": OSSO,
        "purpose": PURPOSE,
        "consent": world.consent,
    }
    beyond = lan.refusal("grant", compartments=[*SHARED, "identity"], **terms)
    narrator.check("consent-limits", beyond is not None and beyond.code == "consent-not-covering")
    granted = lan.ask("grant", compartments=SHARED, **terms)
    world.grant = granted["id"]
    narrator.tell("granted", member=LAN.name, unit=OSSO, id=world.grant[:8])
    world.sync(LAN, MAI)
    _two_compartments(world)
    _use(world)


def _two_compartments(world: World) -> None:
    narrator, mai = world.narrator, world.on(MAI)
    view = mai.ask("show", case=world.case)
    rule = field_of(view, "person.contact_rule")["value"]
    safe = field_of(view, "person.safe_to_contact")["value"]
    narrator.tell("osso-sees", member=MAI.name, rule=rule, safe=narrator.words(f"safe.{safe}"))
    sealed = {"identity", "protection"} <= set(view["sealed"])
    sealed = sealed and all(
        field_of(view, path)["sealed"]
        for path in ("person.given_name", "person.address", "case.risk_level")
    )
    assert world.person is not None
    hidden = Planted()
    hidden.add(
        "name", [world.person.name, "Sương Mơ", "Sương Mở", world.person.typed("person.address")]
    )
    hidden.add("number", ["+84000900111", world.person.typed("person.phones")])
    unseen = not Search(hidden).content(json.dumps(view, ensure_ascii=False).encode())
    unfound = world.case not in mai.ask("find", text=world.person.typed("person.given_name"))
    reads = (rule, safe) == (world.typed("rule-cuc"), "only_as_agreed")
    narrator.check("two-compartments", sealed and reads and unseen and unfound)


def _use(world: World) -> None:
    narrator, mai = world.narrator, world.on(MAI)
    said, new_rule = world.typed("talk"), world.typed("rule-osso")
    talk = {"held_on": "04/03/2026", "mode": "phone", "topics": "vocational", "text": said}
    change: list[list[Any]] = [["new", "consultation", talk]]
    change.append(["set", "person.contact_rule", new_rule])
    mai.ask("edit", case=world.case, steps=change)
    refusal = mai.refusal("edit", case=world.case, steps=[["set", "case.risk_level", "low"]])
    world.sync(MAI, LAN)
    view = world.on(LAN).ask("show", case=world.case)
    rule = field_of(view, "person.contact_rule")
    talks = [r["fields"]["text"] for r in records_of(view, "consultation")]
    arrived = rule["value"] == new_rule and [t["value"] for t in talks] == [said]
    authors = {(v["author"], v["unit"]) for f in (rule, *talks) for v in f["values"]}
    narrator.tell("used", member=MAI.name, text=said)
    narrator.check("grant-used", arrived and authors == {(MAI.name, OSSO)})
    narrator.check("grant-limited", refusal is not None and refusal.exit_code == 5)


def tell_revocation(world: World) -> None:
    """The consent is withdrawn; what the OSSO wrote before it knew arrives in quarantine."""
    narrator = world.narrator
    narrator.chapter("revoking")
    late = [["new", "note", {"text": world.typed("late")}]]
    world.on(MAI).ask("edit", case=world.case, steps=late)
    reason = world.typed("withdrawn")
    lan = world.on(LAN)
    lan.ask("withdraw_consent", case=world.case, consent=world.consent)
    lan.ask("revoke", case=world.case, grant=world.grant, reason=reason)
    world.sync(LAN)
    narrator.tell("revoked", member=LAN.name, reason=reason, other=MAI.name)
    world.sync(MAI, LAN, CUC)
    _late_work(world)
    gone = _gone_from(world, MAI)
    narrator.check("copy-destroyed", gone)


def _late_work(world: World) -> None:
    narrator = world.narrator
    held = True
    for person in (LAN, CUC):
        items = world.on(person).ask("quarantine")
        held = held and [(i["reason"], i["case"], i["author"], i["unit"]) for i in items] == [
            ("grant-revoked", world.case, MAI.name, OSSO)
        ]
        if person is LAN:
            columns = ("change", "person", "unit", "reason")
            rows = [(i["id"], i["author"], i["unit"], narrator.reason(i["reason"])) for i in items]
            narrator.tell("late", member=MAI.name)
            narrator.rows(columns, rows)
    narrator.check("late-quarantined", held)
    view = world.on(LAN).ask("show", case=world.case)
    states = [grant["state"] for grant in world.on(LAN).ask("grants", case=world.case)]
    silent = world.typed("late") not in json.dumps(view, ensure_ascii=False)
    narrator.check("late-not-counted", silent and states == ["revoked"])


def _gone_from(world: World, person: Person) -> bool:
    """Whether a laptop has nothing of the case any more: no code, no hit, no key."""
    laptop = world.on(person)
    error: CasesyncError | None = laptop.refusal("show", case=world.case)
    unknown = error is not None and error.code == "case-unknown"
    stream = world.on(LAN).ask("show", case=world.case)["stream"]
    keys = laptop.ask("keys_held", stream=stream)
    return unknown and not laptop.ask("find", text=world.typed("rule-osso")) and keys == 0
