"""Attack 67 on the screens: a clock or an end in the year 10889 is shown and stops nobody.

A clock is any number up to 2^48 - 1, and the calendar of the programming language ends before that.
Layer: ``casesync_cli/times.py``, under every screen of the command line, for people and programs.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from itertools import product

import pytest

from attack_world import OSSO, AttackWorld
from casesync.access.base_acts import Grant
from casesync.foundation.ids import Compartment, GrantId, RecordId
from casesync.testing.clock import FakeClock
from casesync.testing.hostile_member import HostileMember
from casesync_cli import app

FAR_MS = (1 << 48) - 1
FAR = {"people": "> 31/12/9999", "json": "9999-12-31T23:59:59.999Z"}
SCREENS = (
    ("case", "show", "CASE"),
    ("case", "history", "CASE"),
    ("case", "list"),
    ("case", "find", "Hòa"),
    ("record", "list", "CASE", "person"),
    ("conflict", "list"),
    ("consent", "show", "CASE"),
    ("grant", "list"),
    ("audit", "list"),
    ("audit", "mine"),
    ("quarantine", "list"),
    ("status",),
)
TIMES = (FAR_MS, 1 << 62, -(1 << 62), "0001-01-01", "9999-12-31T23:59:59-23:59")
"""Values of a field that holds a time: the latest it may hold, and such as it may not."""
MODULES = {screen[0] for screen in SCREENS} - {"status"} | {"sync"}


@pytest.fixture
def screens(monkeypatch, capsys):
    """What every screen shows at a desk, by its name and form; each must end well."""

    def shown(replica, case: str) -> dict[tuple[str, str], str]:
        @contextmanager
        def opened(_settings):
            yield replica

        for module in MODULES:
            monkeypatch.setattr(f"casesync_cli.commands.{module}.open_replica", opened)
        found = {}
        for screen, (form, options), lang in product(
            SCREENS, (("people", []), ("json", ["--json"])), ("vi", "en")
        ):
            words = [case if word == "CASE" else word for word in screen]
            assert app.run([*words, *options, "--lang", lang]) == 0, (screen, form)
            text = capsys.readouterr().out
            if options:
                json.loads(text)
            found[" ".join(screen[:2]), form] = text
        return found

    return shown


@pytest.fixture
def world() -> AttackWorld:
    return AttackWorld()


@pytest.fixture
def stream(world):
    stream = world.case(given_name="Hòa")
    world.sync()
    return stream


def says_so(found: dict[tuple[str, str], str], *names: str) -> None:
    for name, form in product(names, FAR):
        assert FAR[form] in found[name, form], (name, form)


def test_words_with_a_clock_behind_every_calendar_stop_no_screen(world, stream, screens):
    mai = HostileMember(world.mai)
    person = world.person("lan", stream)
    body = mai.content(person, {"person.given_name": "Cúc"}, clock_ms=FAR_MS)
    mai.write(stream, bodies={int(Compartment.IDENTITY): body})
    mai.sync()
    world.sync("lan", "dung")
    found = screens(world.lan, world.lan.case_code(stream))
    says_so(found, "case show", "case history", "case list", "conflict list")
    assert "Hòa" in found["case show", "people"]


def test_a_time_behind_every_calendar_as_a_value_stops_no_screen(world, stream, screens):
    mai = HostileMember(world.mai)
    for at, value in enumerate(TIMES):
        body = mai.content(bytes([at + 1]) * 16, {"consent.given_at": value})
        mai.write(stream, bodies={int(Compartment.OPERATIONS): body})
    mai.sync()
    world.sync("lan")
    found = screens(world.lan, world.lan.case_code(stream))
    for screen in ("case show", "case history"):
        assert found[screen, "people"].count("> 31/12/9999") >= 2, screen
        assert str(FAR_MS) in found[screen, "json"], screen
    assert json.loads(found["consent show", "json"])["count"] == len(TIMES)


def test_a_look_with_a_clock_behind_every_calendar_stops_no_auditor(world, stream, screens):
    world.open("mai", clock=FakeClock(FAR_MS)).core.log("read", stream=stream)
    world.open("mai").sync()
    world.sync("lan", "dung")
    found = screens(world.dung, world.lan.case_code(stream))
    says_so(found, "audit list")


def test_a_grant_that_ends_behind_every_calendar_stops_no_screen(world, stream, screens):
    world.share(stream, OSSO, ("contact",))
    turned = HostileMember(world.lan)
    act = Grant(
        grant=GrantId(bytes(range(16))),
        to_unit=world.oanh.core.engine.unit,
        compartments=(Compartment.CONTACT,),
        write=True,
        history=False,
        purpose="share_with_org",
        expires_ms=FAR_MS,
        consent=RecordId(bytes(16)),
        revocation=None,
        covers=(),
    )
    turned.write(world.case(given_name="Cúc"), acts=[act])
    turned.sync()
    world.sync("mai", "oanh")
    found = screens(world.mai, world.mai.case_code(stream))
    says_so(found, "grant list")
