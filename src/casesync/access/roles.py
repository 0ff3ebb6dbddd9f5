"""The role table: what a member may read, write and grant, per compartment (access floor).

``protocol/membership.md``, *Roles*. The table is a signed control entry, so that every replica
judges by the same one; version 1 is built in and is what ``network create`` sends. A role that a
table does not name has no rights. Administrator is a right beside the role and stands elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

from casesync.access.body_shapes import (
    WORD_BYTES_MAX,
    array,
    boolean,
    integer,
    items,
    malformed,
    text,
)
from casesync.codec import canonical
from casesync.foundation.ids import CONTENT_COMPARTMENTS, Compartment

ROLES_MAX: Final = 64
"""A network with more kinds of work than this needs another design of its offices."""


_WRITABLE: Final = frozenset(CONTENT_COMPARTMENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One row. ``reads`` holds what it writes as well, and ``base``."""

    word: str
    reads: frozenset[Compartment]
    writes: frozenset[Compartment]
    may_grant: bool
    purpose: str
    """Default purpose of an access by this role; empty: one must be given."""

    @property
    def reads_mask(self) -> int:
        """Bit c is set if the role reads compartment c."""
        return compartment_mask(self.reads)

    @property
    def writes_mask(self) -> int:
        """Bit c is set if the role writes compartment c."""
        return compartment_mask(self.writes)


class RoleTable:
    """The rights of every role; immutable."""

    __slots__ = ("_roles", "version")

    def __init__(self, version: int, roles: Iterable[Role]) -> None:
        """Args: version: 1 or above; roles: rows, each word once."""
        self.version = version
        self._roles: Mapping[str, Role] = {
            role.word: role for role in sorted(roles, key=lambda r: r.word)
        }

    def known(self, role: str) -> bool:
        """Whether the table has this role."""
        return role in self._roles

    def role(self, role: str) -> Role | None:
        """The row of ``role``."""
        return self._roles.get(role)

    def words(self) -> list[str]:
        """All roles, in alphabetical order."""
        return list(self._roles)

    def reads(self, role: str) -> frozenset[Compartment]:
        """Compartments the role reads, ``base`` included; none for an unknown role."""
        row = self._roles.get(role)
        return frozenset() if row is None else row.reads

    def writes(self, role: str) -> frozenset[Compartment]:
        """Content compartments the role writes; none for an unknown role."""
        row = self._roles.get(role)
        return frozenset() if row is None else row.writes

    def may_grant(self, role: str) -> bool:
        """Whether the role may grant and revoke."""
        row = self._roles.get(role)
        return row is not None and row.may_grant

    def purpose(self, role: str) -> str:
        """Default purpose of an access by ``role``; empty if it has none."""
        row = self._roles.get(role)
        return "" if row is None else row.purpose

    def to_bytes(self) -> bytes:
        """Canonical ``[version, [[role, reads, writes, may grant, purpose], ...]]``."""
        rows = [
            [
                role.word,
                sorted(map(int, role.reads - {Compartment.BASE})),
                sorted(map(int, role.writes)),
                role.may_grant,
                role.purpose,
            ]
            for role in self._roles.values()
        ]
        return canonical.pack([self.version, rows])

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Read a table that somebody else wrote.

        Raises:
            RemoteProtocolError: ``malformed``.
        """
        version, rows = array(canonical.unpack(body), 2, "role table")
        integer(version, 1 << 31, "role table version", smallest=1)
        roles = [_role(row) for row in items(rows, ROLES_MAX, "role table")]
        words = [role.word for role in roles]
        if not words or words != sorted(set(words)):
            raise malformed("order of roles")
        return cls(version, roles)


def compartment_mask(compartments: Iterable[int]) -> int:
    """An integer in which bit c is set for each compartment c."""
    mask = 0
    for compartment in compartments:
        mask |= 1 << compartment
    return mask


def compartment_list(value: object, what: str) -> list[Compartment]:
    """A decoded array of compartment numbers, ascending and each once.

    Raises:
        RemoteProtocolError: ``malformed``.
    """
    numbers = items(value, len(Compartment), what)
    for number in numbers:
        integer(number, max(Compartment), what, smallest=min(Compartment))
    if numbers != sorted(set(numbers)):
        raise malformed(what)
    return [Compartment(number) for number in numbers]


def _role(row: object) -> Role:
    word, reads, writes, may_grant, purpose = array(row, 5, "role")
    read = frozenset(compartment_list(reads, "role reads"))
    written = frozenset(compartment_list(writes, "role writes"))
    if not written <= read or not written <= _WRITABLE or Compartment.BASE in read:
        raise malformed("role writes")
    return Role(
        word=text(word, WORD_BYTES_MAX, "role"),
        reads=read | {Compartment.BASE},
        writes=written,
        may_grant=boolean(may_grant, "role may grant"),
        purpose=text(purpose, WORD_BYTES_MAX, "role purpose", empty=True),
    )


def _row(word: str, writes: str, reads: str, purpose: str, *, may_grant: bool = False) -> Role:
    def parse(words: str) -> frozenset[Compartment]:
        return frozenset(Compartment[w.upper()] for w in words.split())

    return Role(
        word=word,
        reads=parse(writes) | parse(reads) | {Compartment.BASE},
        writes=parse(writes),
        may_grant=may_grant,
        purpose=purpose,
    )


_CASE_WORK: Final = "identity protection livelihood contact operations"

ROLE_TABLE_V1: Final = RoleTable(
    1,
    [
        _row("caseworker", _CASE_WORK, "", "case_work", may_grant=True),
        _row("counsellor", _CASE_WORK, "", "case_work", may_grant=True),
        _row("clinician", "health operations", "protection contact", "health_care"),
        _row(
            "officer",
            "livelihood operations",
            "identity contact",
            "livelihood_support",
            may_grant=True,
        ),
        _row("visitor", "operations", "identity contact", "home_visit"),
        _row("supervisor", "", "livelihood contact operations statistics", "supervision"),
        _row("programme", "", "statistics", "statistics"),
        _row("auditor", "", "access", "audit"),
        _row("provider", "operations", "contact", "service_provision"),
        _row("operator", "", "", ""),
    ],
)
"""The table of ``protocol/membership.md``."""

VISITOR_ROLE: Final = "visitor"
"""Its members each form a unit of one."""
AUDITOR_ROLE: Final = "auditor"
"""Its devices are served the feed ``all``."""
