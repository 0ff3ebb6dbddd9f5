"""Invented people for the demo: seeded, and recognisably nobody (cli).

Every family name is "Thử Nghiệm" ("trial"), given names are words for weather and water, telephone
numbers begin with +84 000 and identity numbers with province 000: no operator and no authority can
issue either. The same seed gives the same people.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, TypeVar

Choice = TypeVar("Choice")

FAMILY_NAME: Final = "Thử Nghiệm"
_FIRST: Final = ("Sương", "Nắng", "Mây", "Gió", "Suối", "Biển", "Đồi", "Trăng", "Sao", "Mưa",
                 "Sóng", "Rừng", "Lá", "Nụ", "Hạt", "Bến")  # fmt: skip
_SECOND: Final = ("Mơ", "Lành", "Xanh", "Chiều", "Khuya", "Đầu Hạ", "Cuối Thu", "Êm", "Trong",
                  "Vàng", "Ấm", "Nhẹ", "Xa", "Đợi", "Vui", "Thơm")  # fmt: skip
_HAMLETS: Final = ("Xóm Không Có Thật", "Bản Tưởng Tượng", "Thôn Ví Dụ", "Ấp Làm Mẫu")
_RULES: Final = ("chỉ gọi sau 20 giờ, nói là bạn học cũ", "chỉ nhắn tin, không để lại tên",
                 "không gọi, đợi chị ấy gọi lại", "gọi qua cô ở trạm y tế")  # fmt: skip
_KINDS: Final = (
    ("returning_migrant",) * 62 + ("gbv",) * 24 + ("trafficking",) * 8 + ("at_risk",) * 6
)
_RISKS: Final = ("low", "low", "medium", "medium", "high")
_SAFE: Final = ("no", "only_as_agreed", "yes")
_SCHOOLING: Final = ("isced_1", "isced_2", "isced_3")
_DECOMPOSED_EVERY: Final = 33
"""About three of a hundred names are typed on keyboards that decompose accents (NFD)."""


@dataclass(frozen=True, slots=True)
class InventedCase:
    """One case as it is typed in: kinds, and (path, operation, text) of each field."""

    kinds: tuple[str, ...]
    steps: tuple[tuple[str, str, str], ...]

    @property
    def name(self) -> str:
        """The invented person's names, as people say them."""
        typed = {path: text for path, _, text in self.steps}
        parts = ("person.family_name", "person.middle_name", "person.given_name")
        return unicodedata.normalize("NFC", " ".join(typed[part] for part in parts))

    def typed(self, path: str) -> str:
        """What was typed into one field."""
        return next(text for name, _, text in self.steps if name == path)

    def retyped(self, path: str, text: str) -> InventedCase:
        """The same case with another text typed into one field."""
        steps = tuple((name, op, text if name == path else old) for name, op, old in self.steps)
        return InventedCase(self.kinds, steps)

    def request(self) -> dict[str, object]:
        """As a laptop is told."""
        return {"kinds": list(self.kinds), "steps": [list(step) for step in self.steps]}


class Invention:
    """A seeded source of cases."""

    def __init__(self, seed: str = "casesync") -> None:
        """Args: seed: what everything follows from."""
        self._seed = seed
        self._count = 0

    def cases(self, count: int) -> list[InventedCase]:
        """The next ``count`` cases."""
        return [self._case() for _ in range(count)]

    def _case(self) -> InventedCase:
        number = self._count
        self._count += 1
        first = _FIRST[number % len(_FIRST)]
        second = _SECOND[number // len(_FIRST) % len(_SECOND)]
        given = f"{first} {second}"
        if number % _DECOMPOSED_EVERY == _DECOMPOSED_EVERY - 1:
            given = unicodedata.normalize("NFD", given)
        birth_year = 1970 + self._below(38, number, "birth")
        digits = f"{self._below(10**6, number, 'digits'):06d}"
        steps = (
            ("person.family_name", "set", FAMILY_NAME),
            ("person.middle_name", "set", self._one(("Thị", "Văn", "Ngọc Thử"), number, "middle")),
            ("person.given_name", "set", given),
            (
                "person.date_of_birth",
                "set",
                f"{1 + number % 28:02d}/{1 + number % 12:02d}/{birth_year}",
            ),
            ("person.phones", "add", f"+84000{number:03d}{digits[:3]}"),
            ("person.id_documents", "add", f"0001{birth_year % 100:02d}{digits}"),
            ("person.address", "set", f"{self._one(_HAMLETS, number, 'hamlet')} số {number + 1}"),
            ("person.education", "set", self._one(_SCHOOLING, number, "school")),
            ("person.safe_to_contact", "set", self._one(_SAFE, number, "safe")),
            ("person.contact_rule", "set", self._one(_RULES, number, "rule")),
            ("case.risk_level", "set", self._one(_RISKS, number, "risk")),
        )
        return InventedCase((self._one(_KINDS, number, "kind"),), steps)

    def _below(self, bound: int, number: int, what: str) -> int:
        drawn = sha256(f"{self._seed}/{what}/{number}".encode()).digest()
        return int.from_bytes(drawn[:8], "big") % bound

    def _one(self, choices: Sequence[Choice], number: int, what: str) -> Choice:
        return choices[self._below(len(choices), number, what)]
