"""``protocol/membership.md``, *Roles*."""

from __future__ import annotations

import pytest

from casesync.access.roles import ROLE_TABLE_V1, RoleTable
from casesync.codec import canonical
from casesync.foundation.errors import RemoteProtocolError
from casesync.foundation.ids import Compartment

MATRIX = {
    # role: (reads and writes, reads only, may grant)
    "caseworker": ("identity protection livelihood contact operations", "", True),
    "counsellor": ("identity protection livelihood contact operations", "", True),
    "clinician": ("health operations", "protection contact", False),
    "officer": ("livelihood operations", "identity contact", True),
    "visitor": ("operations", "identity contact", False),
    "supervisor": ("", "livelihood contact operations statistics", False),
    "programme": ("", "statistics", False),
    "auditor": ("", "access", False),
    "provider": ("operations", "contact", False),
    "operator": ("", "", False),
}


def words(text: str) -> set[Compartment]:
    return {Compartment[word.upper()] for word in text.split()}


def test_the_table_has_exactly_the_specified_roles() -> None:
    assert set(ROLE_TABLE_V1.words()) == set(MATRIX)


@pytest.mark.parametrize("role", MATRIX)
@pytest.mark.parametrize("compartment", list(Compartment))
def test_every_right_is_the_specified_one(role: str, compartment: Compartment) -> None:
    both, reads, may_grant = MATRIX[role]
    written = words(both)
    read = written | words(reads) | {Compartment.BASE}
    assert (compartment in ROLE_TABLE_V1.writes(role)) == (compartment in written)
    assert (compartment in ROLE_TABLE_V1.reads(role)) == (compartment in read)
    row = ROLE_TABLE_V1.role(role)
    assert row is not None
    assert bool(row.reads_mask >> compartment & 1) == (compartment in read)
    assert bool(row.writes_mask >> compartment & 1) == (compartment in written)
    assert ROLE_TABLE_V1.may_grant(role) == may_grant


def test_every_role_that_reads_content_has_a_default_purpose() -> None:
    for role in MATRIX:
        reads_something = ROLE_TABLE_V1.reads(role) > {Compartment.BASE}
        assert bool(ROLE_TABLE_V1.purpose(role)) == reads_something


def test_an_unknown_role_has_no_rights() -> None:
    assert not ROLE_TABLE_V1.known("director")
    assert not ROLE_TABLE_V1.reads("director")
    assert not ROLE_TABLE_V1.writes("director")
    assert not ROLE_TABLE_V1.may_grant("director")
    assert ROLE_TABLE_V1.purpose("director") == ""


def test_a_table_survives_its_bytes() -> None:
    body = ROLE_TABLE_V1.to_bytes()
    again = RoleTable.from_bytes(body)
    assert again.to_bytes() == body
    assert again.version == 1
    assert [again.role(w) for w in again.words()] == [
        ROLE_TABLE_V1.role(w) for w in ROLE_TABLE_V1.words()
    ]


GOOD = ["r", [6, 7], [7], False, "p"]


@pytest.mark.parametrize(
    "table",
    [
        None,
        [],
        [1],
        [0, [GOOD]],
        [1, []],
        [1, [GOOD, GOOD]],
        [1, [["z", [], [], False, ""], GOOD]],
        [1, [["r", [7], [6], False, ""]]],
        [1, [["r", [7, 6], [], False, ""]]],
        [1, [["r", [1, 7], [], False, ""]]],
        [1, [["r", [9], [9], False, ""]]],
        [1, [["r", [10], [], False, ""]]],
        [1, [["r", [True], [], False, ""]]],
        [1, [["r", [], [], 1, ""]]],
        [1, [["r", [], [], False, None]]],
        [1, [["", [], [], False, ""]]],
        [1, [["r" * 65, [], [], False, ""]]],
        [True, [GOOD]],
        [1, [["r", [], [], False]]],
    ],
)
def test_a_table_of_the_wrong_shape_is_refused(table: object) -> None:
    with pytest.raises(RemoteProtocolError):
        RoleTable.from_bytes(canonical.pack(table))
