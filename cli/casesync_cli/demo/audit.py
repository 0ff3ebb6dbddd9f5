"""Chapter 7: the auditor verifies the access log and asks who saw the case (cli)."""

from __future__ import annotations

from collections import Counter

from casesync_cli.demo.world import CUC, HANG, LAN, MAI, THU, World


def tell(world: World) -> None:
    """Everybody has synced; the auditor reads what was looked at, and nothing else."""
    narrator = world.narrator
    narrator.chapter("audit")
    world.sync(LAN, MAI, HANG, THU)
    thu = world.on(THU)
    report = thu.ask("audit_verify")
    narrator.tell(
        "verified",
        member=THU.name,
        entries=report["entries"],
        changes=report["change_checkpoint"].split()[0],
        checkpoint=report["change_checkpoint"][:24],
    )
    devices = {device["member"]: device for device in report["devices"]}
    working = all(devices[p.name]["state"] == "verified" for p in (LAN, CUC, MAI, HANG))
    whole = all(device["problem"] is None for device in report["devices"])
    narrator.check("audit-verified", report["entries"] > world.cases and working and whole)
    _who_saw(world)
    view = thu.refusal("show", case=world.case)
    blind = view is not None or _nothing_readable(world)
    narrator.check("auditor-blind", blind and not thu.ask("find", text="Thử Nghiệm"))


def _who_saw(world: World) -> None:
    narrator = world.narrator
    entries = world.on(THU).ask("audit_list", case=world.case)
    looks = [entry for entry in entries if entry["member"] != THU.name]
    by_person = Counter((entry["member"], entry["unit"]) for entry in looks)
    rows = [
        (
            member,
            unit,
            str(count),
            ", ".join(sorted({narrator.done(e) for e in looks if e["member"] == member})),
        )
        for (member, unit), count in by_person.items()
    ]
    narrator.tell("who-saw", case=world.case)
    narrator.rows(("person", "unit", "entries", "actions"), rows)
    mai = [entry for entry in looks if entry["member"] == MAI.name]
    based = any(entry["basis"] == world.grant for entry in mai)
    people = {member for member, _ in by_person}
    narrator.check("who-saw", people == {LAN.name, CUC.name, MAI.name} and based)
    refused = [entry for entry in mai if entry["outcome"] == "refused"]
    narrator.check("refusal-logged", len(refused) == 1)


def _nothing_readable(world: World) -> bool:
    view = world.on(THU).ask("show", case=world.case)
    fields = [f for record in view["records"] for f in record["fields"].values()]
    return all(isinstance(f, dict) and f["sealed"] for f in fields)
