"""From which index on a grantee opens boxes (``protocol/keys.md``, *Grants*)."""

from __future__ import annotations

import pytest

from casesync.access.stream_facts import NOTHING_OPENS, GrantFact, opens_from

OSSO, OTHER = b"o" * 16, b"u" * 16
CONTACT = 6


def grant(
    index: int,
    *,
    at: int = 0,
    until: int | None = None,
    revoked: int | None = None,
    unit: bytes = OSSO,
    compartment: int = CONTACT,
) -> GrantFact:
    return GrantFact(
        grant=bytes([index]) * 16,
        unit=unit,
        mask=1 << compartment,
        write=False,
        history=False,
        purpose="service",
        expires_ms=until,
        consent=bytes(16),
        device=1,
        number=index,
        log_index=index,
        log_time_ms=at,
        covers={},
        revoked=None if revoked is None else (1, revoked, revoked),
    )


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        pytest.param([], NOTHING_OPENS, id="none"),
        pytest.param([grant(1, unit=OTHER)], NOTHING_OPENS, id="another office's"),
        pytest.param([grant(1, compartment=5)], NOTHING_OPENS, id="another compartment's"),
        pytest.param([grant(1)], 1, id="one"),
        pytest.param([grant(1, revoked=2)], NOTHING_OPENS, id="revoked"),
        pytest.param([grant(1), grant(5)], 1, id="a second beside the first"),
        pytest.param([grant(1, revoked=9), grant(5)], 1, id="the second goes on where it began"),
        pytest.param([grant(1, revoked=3), grant(5)], 5, id="a new beginning"),
        pytest.param([grant(1, revoked=3), grant(5, revoked=7)], NOTHING_OPENS, id="both ended"),
        pytest.param([grant(1, until=100), grant(5, at=50)], 1, id="before the first ran out"),
        pytest.param([grant(1, until=100), grant(5, at=100)], 5, id="after the first ran out"),
        pytest.param([grant(1, until=100)], 1, id="ran out, nothing new"),
    ],
)
def test_boxes_open_from_the_grant_that_found_none_in_force(grants, expected):
    assert opens_from(grants, OSSO, CONTACT) == expected
