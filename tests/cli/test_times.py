"""Times: dd/mm/yyyy HH:MM local for people, ISO 8601 for programs."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from casesync.foundation.errors import UsageError
from casesync_cli.times import day_ended_by, duration_s, end_of_day_ms, iso_time, people_time

MOMENT_MS = 1_767_225_600_123
"""2026-01-01T00:00:00.123Z."""
FAR_MS = (1 << 48) - 1
"""The latest time that a clock, an end or a field may hold: in the year 10889."""
ZONES = ["UTC", "Asia/Ho_Chi_Minh", "America/New_York"]


def in_zone(zone: str, expression: str) -> object:
    program = f"import json; from casesync_cli.times import *; print(json.dumps({expression}))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"TZ": zone, "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)


def test_programs_read_utc_with_milliseconds():
    assert iso_time(MOMENT_MS) == "2026-01-01T00:00:00.123Z"
    assert iso_time(0) == "1970-01-01T00:00:00.000Z"


def test_people_read_local_time():
    assert in_zone("Asia/Ho_Chi_Minh", f"people_time({MOMENT_MS})") == "01/01/2026 07:00"
    assert in_zone("UTC", f"people_time({MOMENT_MS})") == "01/01/2026 00:00"
    assert re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d", people_time(MOMENT_MS))


@pytest.mark.parametrize("zone", ZONES)
def test_a_day_ends_when_it_ends_in_vietnam(zone):
    ends = 1_767_311_999_999 - 7 * 3_600_000
    assert in_zone(zone, "end_of_day_ms('01/01/2026')") == ends
    assert in_zone(zone, "end_of_day_ms('2026-01-01')") == ends


@pytest.mark.parametrize("zone", ZONES)
def test_the_end_of_a_day_in_vietnam_is_shown_as_that_day_everywhere(zone):
    assert in_zone(zone, "day_ended_by(end_of_day_ms('01/01/2026'))") == "01/01/2026"
    assert in_zone(zone, f"day_ended_by({MOMENT_MS})") is None


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("time_ms", [FAR_MS, 253_402_300_800_000, 1 << 63, 10**30])
def test_a_time_that_no_calendar_has_is_shown_as_that(zone, time_ms):
    assert in_zone(zone, f"people_time({time_ms})") == "> 31/12/9999"
    assert in_zone(zone, f"iso_time({time_ms})") == "9999-12-31T23:59:59.999Z"
    assert in_zone(zone, f"day_ended_by({time_ms})") is None
    assert in_zone(zone, f"people_time(-{time_ms})") == "< 01/01/0001"
    assert in_zone(zone, f"iso_time(-{time_ms})") == "0001-01-01T00:00:00.000Z"


@pytest.mark.parametrize("zone", ZONES)
def test_the_last_hours_of_the_calendar_are_shown_in_every_zone(zone):
    last = 253_402_300_799_999
    for said in in_zone(zone, f"[people_time({last} - 3_600_000 * n) for n in range(30)]"):
        assert said == "> 31/12/9999" or re.fullmatch(r"3[01]/12/9999 \d\d:59", said)


def test_the_last_and_the_first_day_that_can_be_written_are_ends_and_shown():
    assert day_ended_by(end_of_day_ms("31/12/9999")) == "31/12/9999"
    assert iso_time(end_of_day_ms("31/12/9999")) == "9999-12-31T16:59:59.999Z"
    assert day_ended_by(end_of_day_ms("02/01/0001")) is not None
    assert end_of_day_ms("01/01/0001") < 0
    for text in ("31/12/10000", "10000-01-01", "01/01/0000"):
        with pytest.raises(UsageError):
            end_of_day_ms(text)


@pytest.mark.parametrize("text", ["", "31/02/2026", "1.1.2026", "01/01", "tomorrow", "2026-13-01"])
def test_what_is_no_day_is_refused(text):
    with pytest.raises(UsageError) as refused:
        end_of_day_ms(text)
    assert refused.value.code == "date-form"


def test_lengths_of_time_have_a_unit():
    assert [duration_s(t) for t in ("30s", "15m", "8h", "7d")] == [30, 900, 28_800, 604_800]
    for text in ("", "15", "m", "0m", "-5m", "1w", "1.5h"):
        with pytest.raises(UsageError):
            duration_s(text)
