"""Dates and times as people type them, in Vietnamese and English (model).

Specified in ``protocol/schemas.md``, *Typed values*. A date may lack its day or month and may be
an estimate; a year of the lunar calendar is an estimate of the year. Two-digit years are refused:
of a person born in 58 and one born in 2058 only one can be meant.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from casesync.foundation.errors import UsageError
from casesync.model.folding import exact_key

VIETNAM_OFFSET_MIN: Final = 7 * 60
"""Minutes that Viet Nam is ahead of UTC, the whole year."""

_ABOUT: Final = re.compile(r"^(?:~|khoảng|ước chừng|ước|about|around|circa|c\.)\s*", re.IGNORECASE)
_DAY_UNKNOWN: Final = re.compile(r"^(?:không rõ ngày|day unknown)\s*,?\s*", re.IGNORECASE)
_LUNAR: Final = re.compile(r"\s*\(?(?:âm lịch|lunar)\)?\s*", re.IGNORECASE)
_STEMS: Final = ("canh", "tân", "nhâm", "quý", "giáp", "ất", "bính", "đinh", "mậu", "kỷ")
_BRANCHES: Final = (
    *("thân", "dậu", "tuất", "hợi", "tý", "sửu", "dần", "mão", "thìn", "tỵ", "ngọ", "mùi"),
)
_NAMED_YEAR: Final = re.compile(r"^(?:năm\s+)?(\w+)\s+(\w+)[\s,(]+(\d{4})\)?$", re.IGNORECASE)
_ISO: Final = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", re.ASCII)
_DMY: Final = re.compile(r"(?:(?:ngày\s*)?(\d{1,2})[/.\-])?(\d{1,2})[/.\-](\d{4})", re.IGNORECASE)
_WORDS: Final = re.compile(
    r"(?:(?:ngày\s+)?(\d{1,2})\s+)?tháng\s+(\d{1,2})\s*(?:/|năm\s+|,?\s+)(\d{4})", re.IGNORECASE
)
_YEAR: Final = re.compile(r"(?:năm|year)\s+(\d{4})", re.IGNORECASE)
_TIME: Final = re.compile(r"^(.*?)(?:[\sT]+(\d{1,2})(?::|h|g|giờ)(\d{2})?)?$", re.IGNORECASE)


def read_date(typed: str, name: str) -> str:
    """A date of any precision: ``YYYY-MM-DD``, ``YYYY-MM`` or ``YYYY``, with ``~`` if estimated.

    Raises:
        UsageError: ``value-not-a-date``.
    """
    rest, estimated = _ABOUT.subn("", typed, count=1)
    rest = _DAY_UNKNOWN.sub("", rest, count=1)
    rest, lunar = _LUNAR.subn(" ", rest, count=1)
    rest = rest.strip()
    named = _NAMED_YEAR.fullmatch(rest)
    if named is not None and _year_has_name(*named.groups()):
        rest, lunar = named.group(3), 1
    year, month, day = _date_parts(rest, name)
    if lunar:
        # A lunar day lies in another solar month; only the year can be kept, as an estimate.
        month = day = None
    shown = "-".join([f"{year:04}", *(f"{part:02}" for part in (month, day) if part is not None)])
    return f"~{shown}" if estimated or lunar else shown


def _date_parts(text: str, name: str) -> tuple[int, int | None, int | None]:
    match = _ISO.fullmatch(text)
    if match is not None:
        year, month, day = match.groups()
    else:
        match = _DMY.fullmatch(text) or _WORDS.fullmatch(text)
        if match is not None:
            day, month, year = match.groups()
        else:
            only = _YEAR.fullmatch(text)
            if only is None:
                raise UsageError("value-not-a-date", field=name)
            year, month, day = only.group(1), None, None
    numbers = int(year), _int_or_none(month), _int_or_none(day)
    try:
        date(numbers[0], numbers[1] or 1, numbers[2] or 1)
    except ValueError as error:
        raise UsageError("value-not-a-date", field=name) from error
    if 0 in numbers:
        raise UsageError("value-not-a-date", field=name)
    return numbers


def _int_or_none(digits: str | None) -> int | None:
    return None if digits is None else int(digits)


def _year_has_name(stem: str, branch: str, year: str) -> bool:
    """Whether a year of the sixty-year cycle ("Tân Mùi 1991") has this name."""
    number = int(year)
    right_stem, right_branch = _STEMS[number % 10], _BRANCHES[number % 12]
    return (exact_key(stem), exact_key(branch)) == (exact_key(right_stem), exact_key(right_branch))


def read_day(typed: str, name: str) -> str:
    """A whole day, ``YYYY-MM-DD``.

    Raises:
        UsageError: ``value-not-a-day``.
    """
    try:
        found = read_date(typed, name)
    except UsageError as error:
        raise UsageError("value-not-a-day", field=name) from error
    if len(found) != len("2019-07-05"):
        raise UsageError("value-not-a-day", field=name)
    return found


def read_timestamp(typed: str, name: str, offset_min: int) -> int:
    """Milliseconds since 1970; a time without zone is ``offset_min`` minutes ahead of UTC.

    Raises:
        UsageError: ``value-not-a-time``.
    """
    moment = _iso_moment(typed) or _local_moment(typed)
    if moment is None:
        raise UsageError("value-not-a-time", field=name)
    try:
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC) - timedelta(minutes=offset_min)
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except OverflowError as error:
        raise UsageError("value-not-a-time", field=name) from error
    if since < timedelta(0):
        raise UsageError("value-not-a-time", field=name)
    return since // timedelta(milliseconds=1)


def _iso_moment(typed: str) -> datetime | None:
    try:
        return datetime.fromisoformat(typed) if "T" in typed else None
    except ValueError:
        return None


def _local_moment(typed: str) -> datetime | None:
    match = _TIME.fullmatch(typed)
    if match is None:
        return None
    day, hour, minute = match.groups()
    try:
        whole_day = date.fromisoformat(read_day(day, ""))
        return datetime.combine(whole_day, time(int(hour or 0), int(minute or 0)))
    except (UsageError, ValueError):
        return None
