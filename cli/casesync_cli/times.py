"""Times and durations as people write and read them, and as other programs do (cli).

Clocks and ends are numbers that other members chose: every function here has an answer for any.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, timezone
from typing import Final

from casesync.foundation.errors import UsageError

_DURATION: Final = re.compile(r"(\d{1,6})\s*([smhd])")
_VIETNAM: Final = timezone(timedelta(hours=7))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)
_END_OF_DAY: Final = time(23, 59, 59, 999000)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def people_time(time_ms: int) -> str:
    """dd/mm/yyyy HH:MM in this computer's time zone; ``> 31/12/9999`` where no calendar goes."""
    try:
        moment = (_EPOCH + timedelta(milliseconds=time_ms)).astimezone()
    except (OverflowError, ValueError, OSError):
        return "> 31/12/9999" if time_ms > 0 else "< 01/01/0001"
    return moment.strftime("%d/%m/%Y %H:%M")


def iso_time(time_ms: int) -> str:
    """ISO 8601 in UTC with milliseconds, for JSON; what it cannot say is its last moment."""
    try:
        moment = _EPOCH + timedelta(milliseconds=time_ms)
    except OverflowError:
        moment = _LAST if time_ms > 0 else _FIRST
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def moment_ms(text: str) -> int | None:
    """The time that ISO 8601 text says, in ms; None if it says none."""
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except (OverflowError, ValueError, OSError):
        return None


def day_ended_by(time_ms: int) -> str | None:
    """The day, as dd/mm/yyyy, that ends with this moment in Vietnam; None if none does."""
    try:
        moment = _EPOCH.astimezone(_VIETNAM) + timedelta(milliseconds=time_ms)
    except OverflowError:
        return None
    return moment.strftime("%d/%m/%Y") if moment.time() == _END_OF_DAY else None


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
        moment = datetime.combine(day, _END_OF_DAY, _VIETNAM)
        return (moment - _EPOCH) // timedelta(milliseconds=1)
    raise UsageError("date-form", text=text)


def duration_s(text: str) -> int:
    """Seconds in ``30s``, ``15m``, ``8h`` or ``7d``.

    Raises: UsageError: ``duration-form``.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None or int(match[1]) == 0:
        raise UsageError("duration-form", text=text)
    return int(match[1]) * _SECONDS[match[2]]
