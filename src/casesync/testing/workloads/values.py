"""Invented values as forms hold them, from a seed (testing).

Nobody real: words of forms, numbers, and codes of the shipped schema.
"""

from __future__ import annotations

from random import Random  # noqa: TID251 - seeded; a workload is the same everywhere
from typing import Final

from casesync.testing.workloads.saves import Value

_WORDS: Final = (
    "nhà bạn",
    "đã gọi",
    "hẹn lại",
    "tự lực",
    "an toàn",
    "cần hỗ trợ",
    "học nghề",
    "khám bệnh",
    "pháp lý",
    "vay vốn",
    "giấy khai sinh",
    "tái hôn",
    "trọ",
    "quê",
    "chưa rõ",
    "đồng ý",
)
_CODES: Final[dict[str, tuple[str, ...]]] = {
    "sex_on_file": ("female", "female", "male", "unknown"),
    "gender": ("feminine", "feminine", "masculine", "non_specified_unknown"),
    "marital_status": ("single", "married", "divorced", "separated", "widowed"),
    "marriage_abroad_status": ("registered", "not_registered", "divorced_there", "unknown"),
    "migration_status": ("labour", "marriage", "returnee", "irregular"),
    "ethnicity": ("kinh", "kinh", "kinh", "tay", "thai", "muong", "mong"),
    "language": ("vie", "vie", "tai", "hmn"),
    "education": ("isced_0", "isced_1", "isced_2", "isced_3"),
    "safe_to_contact": ("yes", "only_as_agreed", "no"),
    "risk_level": ("high", "medium", "low"),
    "judgement": ("high", "medium", "low"),
    "legal_basis": ("consent", "vital_interest", "legal_obligation"),
    "mode": ("in_person", "phone", "online", "home"),
    "outcome": ("answered", "continues", "referred", "needs_documents"),
    "purpose": ("service", "share_with_org", "report_nonidentifiable", "later_contact"),
    "recipient_class": ("this_office", "partner_office", "service_provider"),
    "notice_language": ("vie", "vie", "tai", "hmn"),
    "form": ("written", "voice", "e_sign"),
    "given_by": ("self", "self", "legal_rep"),
    "role_in_case": ("client",),
}
_LISTS: Final[dict[str, tuple[str, ...]]] = {
    "topics": ("legal_aid", "psychosocial", "vocational", "livelihood_loan", "health"),
    "compartments": ("contact", "identity", "operations", "protection"),
}
_DAYS: Final = frozenset(
    {"date_of_birth", "held_on", "written_on", "assessed_on", "expires_on"}
) | {
    "next_assessment_due",
    "next_follow_up_due",
}
_COUNTS: Final = {"minutes": 90, "children_count": 5}
_TIMES: Final = frozenset({"opened_at", "given_at"})
_LONG: Final = {"text": 24, "protection_text": 16, "answers": 30, "reason": 6, "notice_text": 20}
"""Texts of entries, in phrases of about twelve characters."""
_FIRST_MS: Final = 1_735_689_600_000
"""2025-01-01T00:00:00Z."""
_YEAR_MS: Final = 365 * 86_400_000


class Values:
    """The values of one workload, in the order in which they are asked for."""

    def __init__(self, seed: int | str) -> None:
        """Args: seed: all values follow from it."""
        self.random = Random(seed)  # noqa: S311 - no secret is made of it

    def phrase(self) -> str:
        """A few words and a number, 8 to 22 bytes."""
        return f"{self.random.choice(_WORDS)} {self.random.randrange(1000)}"

    def of(self, field: str) -> Value:
        """A value that a field of this name can hold."""
        chosen = self.random
        if field in _CODES:
            return chosen.choice(_CODES[field])
        if field in _LISTS:
            return [*sorted(chosen.sample(_LISTS[field], chosen.randint(1, 3)))]
        if field in _COUNTS:
            return chosen.randint(0, _COUNTS[field])
        if field in _TIMES:
            return _FIRST_MS + chosen.randrange(_YEAR_MS)
        return self._text(field)

    def _text(self, field: str) -> str:
        chosen = self.random
        if field in _DAYS:
            year = chosen.randint(1960, 2007) if field == "date_of_birth" else 2025
            return f"{year}-{chosen.randint(1, 12):02}-{chosen.randint(1, 28):02}"
        if field in _LONG:
            return ", ".join(self.phrase() for _ in range(chosen.randint(1, _LONG[field])))
        return self.phrase()

    def all(self, fields: tuple[str, ...]) -> tuple[Value, ...]:
        """A value for each field."""
        return tuple(self.of(field) for field in fields)
