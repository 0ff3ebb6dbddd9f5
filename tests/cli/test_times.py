"""Times: dd/mm/yyyy HH:MM local for people, ISO 8601 for programs."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from casesync.foundation.errors import UsageError
from casesync_cli.times import duration_s, end_of_day_ms, iso_time, people_time

MOMENT_MS = 1_767_225_600_123
"""2026-01-01T00:00:00.123Z."""


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


@pytest.mark.parametrize("zone", ["UTC", "Asia/Ho_Chi_Minh", "America/New_York"])
def test_a_day_ends_when_it_ends_in_vietnam(zone):
    ends = 1_767_311_999_999 - 7 * 3_600_000
    assert in_zone(zone, "end_of_day_ms('01/01/2026')") == ends
    assert in_zone(zone, "end_of_day_ms('2026-01-01')") == ends


@pytest.mark.parametrize("zone", ["UTC", "Asia/Ho_Chi_Minh", "America/New_York"])
def test_the_end_of_a_day_in_vietnam_is_shown_as_that_day_everywhere(zone):
    assert in_zone(zone, "day_ended_by(end_of_day_ms('01/01/2026'))") == "01/01/2026"
    assert in_zone(zone, f"day_ended_by({MOMENT_MS})") is None


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
