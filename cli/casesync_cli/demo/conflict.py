"""Chapter 3: two colleagues edit the same fields at the same time (cli)."""

from __future__ import annotations

from typing import Any

from casesync_cli.demo.world import CUC, HANG, LAN, MAI, Person, World, field_of, records_of

_RISK = "case.risk_level"
_RULE = "person.contact_rule"
_NAME = "person.given_name"
_PHONE = "person.phones"
_TYPED: dict[Person, dict[str, str]] = {
    LAN: {_RISK: "medium", _NAME: "Sương Mờ", _PHONE: "+84000900111"},
    CUC: {_RISK: "high", _NAME: "Sương Mở", _PHONE: "+84000900222"},
}
"""What both type; contact rule and reason are in the story's language (``_typed``)."""
_REASON = "reason"


def _typed(world: World, person: Person) -> dict[str, str]:
    who = "lan" if person is LAN else "cuc"
    rule, reason = world.typed(f"rule-{who}"), world.typed(f"reason-{who}")
    return {**_TYPED[person], _RULE: rule, _REASON: reason}


def tell(world: World) -> None:
    """Both write offline, both keep their words, and a person decides."""
    narrator = world.narrator
    narrator.chapter("conflict")
    world.relay.stop()
    _edit_offline(world)
    narrator.tell("edited", one=LAN.name, other=CUC.name, case=world.case)
    world.start_relay()
    world.sync(LAN, CUC, LAN, MAI, HANG)
    shown = {person: world.on(person).ask("show", case=world.case) for person in (LAN, CUC)}
    _both_words(world, shown)
    _protective(world, shown)
    _no_silent_overwrite(world)
    _decide(world)


def _edit_offline(world: World) -> None:
    for person in _TYPED:
        typed = _typed(world, person)
        steps: list[list[Any]] = [
            ["set", _RISK, typed[_RISK]],
            ["set", _RULE, typed[_RULE]],
            ["set", _NAME, typed[_NAME]],
            ["add", _PHONE, typed[_PHONE]],
            [
                "new",
                "risk_assessment",
                {
                    "assessed_on": "02/03/2026",
                    "judgement": typed[_RISK],
                    "reason": typed[_REASON],
                    "assessed_by": person.name,
                },
            ],
        ]
        world.on(person).ask("edit", case=world.case, steps=steps)
        world.plant("number", typed[_PHONE])
        world.plant("name", typed[_NAME])
    for person, key in ((MAI, "note-osso"), (HANG, "note-union")):
        note = ["new", "note", {"text": world.typed(key)}]
        world.on(person).ask("edit", case=world.own_case[person], steps=[note])


def _both_words(world: World, shown: dict[Person, dict[str, Any]]) -> None:
    held = True
    both = [_typed(world, person) for person in _TYPED]
    for view in shown.values():
        phones = {item["element"] for item in field_of(view, _PHONE)}
        reasons = {r["fields"]["reason"]["value"] for r in records_of(view, "risk_assessment")}
        for typed in both:
            held = held and typed[_PHONE] in phones and typed[_REASON] in reasons
        for path in (_RISK, _RULE, _NAME):
            values = {value["value"] for value in field_of(view, path)["values"]}
            held = held and values == {typed[path] for typed in both}
    world.narrator.check("both-words", held)


def _protective(world: World, shown: dict[Person, dict[str, Any]]) -> None:
    narrator = world.narrator
    risk = field_of(shown[LAN], _RISK)
    rows = [
        (narrator.words(f"risk.{v['value']}"), v["author"], v["unit"], v["dot"])
        for v in risk["values"]
    ]
    narrator.tell("disputed", case=world.case)
    narrator.rows(("value", "person", "unit", "change"), rows)
    narrator.tell("counts", value=narrator.words(f"risk.{risk['value']}"))
    held = all(
        field_of(view, _RISK)["conflict"] and field_of(view, _RISK)["value"] == "high"
        for view in shown.values()
    )
    authors = {(value["author"], value["unit"]) for value in risk["values"]}
    named = authors == {(LAN.name, LAN.unit), (CUC.name, CUC.unit)}
    narrator.check("protective-value", held and named)


def _no_silent_overwrite(world: World) -> None:
    before = world.on(LAN).ask("status")["changes"]
    refusal = world.on(LAN).refusal("edit", case=world.case, steps=[["set", _RISK, "low"]])
    after = world.on(LAN).ask("status")["changes"]
    stopped = refusal is not None and refusal.exit_code == 7
    world.narrator.check("no-silent-overwrite", stopped and before == after)


def _decide(world: World) -> None:
    narrator = world.narrator
    rule, reason = world.typed("rule-cuc"), world.typed("decision")
    values = {"risk_level": "high", "contact_rule": rule, "given_name": "Sương Mơ"}
    for conflict in world.on(LAN).ask("conflicts", case=world.case):
        world.on(LAN).ask(
            "resolve",
            conflict=conflict["id"],
            value=values[conflict["field"]],
            reason=reason,
            shown=[value["dot"] for value in conflict["values"]],
        )
    world.plant("name", "Sương Mơ")
    narrator.tell("decided", member=LAN.name, reason=reason)
    world.sync(LAN, CUC, LAN)
    views = {person: world.on(person).ask("show", case=world.case) for person in (LAN, CUC)}
    fields = [field_of(view, path) for view in views.values() for path in (_RISK, _RULE, _NAME)]
    risks = [field_of(view, _RISK) for view in views.values()]
    settled = not any(f["conflict"] for f in fields) and all(r["value"] == "high" for r in risks)
    by_name = all([v["author"] for v in risk["values"]] == [LAN.name] for risk in risks)
    history = world.on(CUC).ask("history", case=world.case, field=_RISK)
    kept = {"low", "medium", "high"} == {write["value"] for write in history}
    narrator.check("decided-by-name", settled and by_name and kept)
    narrator.check("same-everywhere", views[LAN]["records"] == views[CUC]["records"])
