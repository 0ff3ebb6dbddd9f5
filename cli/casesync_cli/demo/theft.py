"""Chapter 6: a laptop is stolen; the office goes on under new keys (cli)."""

from __future__ import annotations

import json

from casesync_cli.demo.planted import Search
from casesync_cli.demo.world import CUC, LAN, SHELTER, World


def tell(world: World) -> None:
    """Suspended: nothing goes in, nothing comes out, and new keys are in use."""
    narrator = world.narrator
    narrator.chapter("theft")
    lan, thief = world.on(LAN), world.on(CUC)
    device = thief.ask("whoami")["device"]
    held_before = thief.ask("count")
    bad, good = world.typed("thief"), world.typed("after")
    result = lan.ask("suspend", device=device, reason=world.typed("stolen"))
    narrator.tell("suspended", member=CUC.name, device=device, unit=SHELTER)
    # The thief has the laptop switched on and open, the worst case, and writes into the case.
    thief.ask("edit", case=world.case, steps=[["new", "note", {"text": bad}]])
    [fresh] = world.invention.cases(1)
    world.plant_cases([fresh])
    [code] = lan.ask("new_cases", cases=[fresh.request()])
    lan.ask("edit", case=world.case, steps=[["new", "note", {"text": good}]])
    report = lan.ask("sync")
    refusal = thief.refusal("sync")
    answer = "-" if refusal is None else refusal.message(narrator.lang)
    narrator.tell("thief-asks", answer=answer)
    narrator.check("thief-refused", refusal is not None and refusal.exit_code == 5)
    unknown = thief.refusal("show", case=code)
    unseen = good not in json.dumps(thief.ask("show", case=world.case), ensure_ascii=False)
    learns_nothing = unknown is not None and unknown.code == "case-unknown" and unseen
    narrator.check("thief-learns-nothing", learns_nothing and thief.ask("count") == held_before)
    epochs = [lan.ask("boxed_epochs", case=c) for c in (code, world.case)]
    narrator.tell("epochs", member=LAN.name, case=code, epoch=epochs[0][-1])
    only_new = epochs[0] == [2] and 2 in epochs[1]
    rotated = result["unit_rotated"] and not result["sole_device"]
    held = (lan.ask("newest_epoch_held"), thief.ask("newest_epoch_held"))
    narrator.check("new-keys", rotated and only_new and held == (2, 1) and report["synced"])
    world.sync(LAN)
    view = json.dumps(lan.ask("show", case=world.case), ensure_ascii=False)
    narrator.check("thief-writes-nothing", bad not in view and good in view)
    _look_at_the_disk(world)


def _look_at_the_disk(world: World) -> None:
    """Search the stolen laptop's folder, its database open and in use, as a thief would."""
    thief = world.on(CUC)
    files = [path for path in thief.home.rglob("*") if path.is_file()]
    files = [path for path in files if not path.name.endswith(".reserve")]
    hits, size = Search(world.planted).files(files)
    world.narrator.tell("disk", files=len(files), bytes=size)
    world.narrator.check("disk-closed", not hits)
