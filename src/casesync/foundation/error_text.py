"""One row of the tables of error texts (foundation)."""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """Message (what, why) and advice (what to do) in both languages."""

    en: str
    en_advice: str
    vi: str
    vi_advice: str
