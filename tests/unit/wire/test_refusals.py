"""The closed table of refusals (``protocol/relay-http.md``)."""

from __future__ import annotations

import pytest

from casesync.foundation.error_texts import TEXTS
from casesync.foundation.errors import AccessDenied, LocalStateError, NetworkError
from casesync.wire.refusals import (
    HTTP_STATUS,
    PUSH_REFUSALS,
    TEMPORARY,
    HeadMoved,
    Refusal,
    RequestRefused,
    blob_error_for,
    error_for,
    refusal_of,
    rendezvous_error_for,
)


def test_every_refusal_is_of_a_request_or_of_a_pushed_change():
    assert set(Refusal) == set(HTTP_STATUS) | PUSH_REFUSALS
    assert all(400 <= status < 600 for status in HTTP_STATUS.values())


@pytest.mark.parametrize("refusal", Refusal)
def test_every_refusal_becomes_an_error_people_can_read(refusal: Refusal):
    for error in (error_for(refusal), rendezvous_error_for(refusal), blob_error_for(refusal)):
        assert error.code in TEXTS
        assert error.exit_code in {3, 4, 5, 6}
        assert "?" not in error.message("vi") + error.message("en")


def test_exit_codes_follow_who_has_to_act():
    assert isinstance(error_for(Refusal.HEAD_MOVED), HeadMoved)
    assert isinstance(error_for(Refusal.DEVICE_SUSPENDED), AccessDenied)
    assert isinstance(error_for(Refusal.COUNTER_REPLAYED), LocalStateError)
    assert isinstance(error_for(Refusal.QUOTA), NetworkError)
    assert isinstance(rendezvous_error_for(Refusal.NOT_FOUND), AccessDenied)


@pytest.mark.parametrize("refusal", sorted(PUSH_REFUSALS - set(HTTP_STATUS)))
def test_a_refusal_of_a_pushed_change_says_nothing_in_the_place_of_a_requests(refusal: Refusal):
    error = error_for(refusal)
    assert (type(error), error.code) == (NetworkError, "relay-refused")


def test_only_what_passes_by_itself_is_temporary():
    assert {Refusal.QUOTA} == PUSH_REFUSALS & TEMPORARY


def test_an_unknown_code_is_an_internal_error():
    assert refusal_of("no-such-code") is Refusal.INTERNAL
    assert refusal_of(None) is Refusal.INTERNAL
    assert refusal_of("quota") is Refusal.QUOTA


def test_a_refused_request_names_its_reason():
    assert RequestRefused(Refusal.QUOTA).params == {"reason": "quota"}
