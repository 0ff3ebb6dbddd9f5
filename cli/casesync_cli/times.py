"""Times and durations as people write and read them, and as other programs do (cli)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, timezone
from typing import Final

from casesync.foundation.errors import UsageError

_DURATION: Final = re.compile(r"(\d{1,6})\s*([smhd])")
_VIETNAM: Final = timezone(timedelta(hours=7))
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def people_time(time_ms: int) -> str:
    """dd/mm/yyyy HH:MM in this computer's time zone."""
    moment = datetime.fromtimestamp(time_ms / 1000, tz=UTC).astimezone()
    return moment.strftime("%d/%m/%Y %H:%M")


def iso_time(time_ms: int) -> str:
    """ISO 8601 in UTC with milliseconds, for JSON."""
    moment = datetime.fromtimestamp(time_ms / 1000, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def day_ended_by(time_ms: int) -> str | None:
    """The day, as dd/mm/yyyy, that ends with this moment in Vietnam; None if none does."""
    end = datetime.fromtimestamp((time_ms + 1) / 1000, tz=_VIETNAM)
    if end.time() != time():
        return None
    return (end - timedelta(days=1)).strftime("%d/%m/%Y")


def end_of_day_ms(text: str) -> int:
    """The last millisecond of a day given as dd/mm/yyyy or yyyy-mm-dd.

    Of the day in Vietnam, as records hold it, however this computer's clock is set: a consent must
    not last a day longer than was said.

    Raises: UsageError: ``date-form``.
    """
    for form in ("%d/%m/%Y", "%Y-%m-%d"):
        try:
            day = datetime.strptime(text.strip(), form).date()  # noqa: DTZ007 - made local below
        except ValueError:
            continue
        moment = datetime.combine(day, time(23, 59, 59, 999000), _VIETNAM)
        return int(moment.timestamp() * 1000)
    raise UsageError("date-form", text=text)


def duration_s(text: str) -> int:
    """Seconds in ``30s``, ``15m``, ``8h`` or ``7d``.

    Raises: UsageError: ``duration-form``.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None or int(match[1]) == 0:
        raise UsageError("duration-form", text=text)
    return int(match[1]) * _SECONDS[match[2]]
