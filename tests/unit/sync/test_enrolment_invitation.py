"""``protocol/enrolment.md``: the text of an invitation."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.codec import canonical
from casesync.crypto.key_schedule import H
from casesync.foundation.errors import AccessDenied, UsageError
from casesync.foundation.ids import Compartment, DeviceNumber, NetworkId, UnitId
from casesync.sync.invitation import (
    PREFIX,
    Invitation,
    check_open,
    encode_invitation,
    invitation_bytes,
    parse_invitation,
)

INVITATION = Invitation(
    network=NetworkId(b"n" * 32),
    relay_url="https://relay.example:8443/casesync",
    relay_key=b"k" * 32,
    inviter=DeviceNumber(1),
    inviter_request_key=b"q" * 32,
    control_size=9,
    control_root=b"r" * 32,
    secret=b"s" * 32,
    unit=UnitId(b"u" * 16),
    role="counsellor",
    administrator=False,
    expires_ms=1_800_000_000_000,
    network_name="Mạng lưới",
    unit_name="Văn phòng OSSO",
    new_keys=(Compartment.BASE, Compartment.IDENTITY),
)
TEXT = encode_invitation(INVITATION)


def code(text: str) -> str:
    with pytest.raises(UsageError) as error:
        parse_invitation(text)
    return error.value.code


def test_an_invitation_survives_its_text() -> None:
    assert parse_invitation(TEXT) == INVITATION
    assert TEXT.startswith(PREFIX)
    assert TEXT.isascii()
    assert len(TEXT) < 700


def test_line_breaks_and_spaces_of_a_mail_do_no_harm() -> None:
    wrapped = "\n  ".join(TEXT[i : i + 60] for i in range(0, len(TEXT), 60)) + " \r\n"
    assert parse_invitation(wrapped) == INVITATION


def test_the_rendezvous_does_not_give_away_the_secret() -> None:
    assert INVITATION.id == H("invitation-id", INVITATION.secret)[:16]
    assert INVITATION.secret.hex() not in repr(INVITATION)
    assert repr(INVITATION.secret) not in repr(INVITATION)


def test_half_an_invitation_is_refused() -> None:
    for length in range(len(TEXT)):
        assert code(TEXT[:length]) == "invitation-malformed"


def test_something_else_is_refused() -> None:
    for text in ("", "xin chào", "casesync", PREFIX, PREFIX + "====", PREFIX + "ế", "x" * 9000):
        assert code(text) == "invitation-malformed"


def test_an_invitation_of_a_later_version_says_so() -> None:
    assert code(TEXT.replace(PREFIX, "casesync-invite-2.")) == "invitation-newer"


def test_an_invitation_is_over_at_its_time() -> None:
    check_open(INVITATION, INVITATION.expires_ms - 1)
    with pytest.raises(AccessDenied) as error:
        check_open(INVITATION, INVITATION.expires_ms)
    assert error.value.code == "invitation-expired"


@pytest.mark.parametrize(
    "url", ["", "ftp://x", "https://a b", "https://x\x1b[2J", "javascript:alert(1)", "h" * 2000]
)
def test_a_relay_address_that_is_none_is_refused(url: str) -> None:
    assert code(encode_invitation(replace(INVITATION, relay_url=url))) == "invitation-malformed"


WRONG = [None, -1, b"", "", [], True, 2**63, [99], b"x" * 33]
RIGHT = [(10, True), (14, [])]


@pytest.mark.parametrize("position", range(15))
def test_a_field_of_the_wrong_shape_is_refused(position: int) -> None:
    for value in WRONG:
        if (position, value) in RIGHT:
            continue
        fields = canonical.unpack(invitation_bytes(INVITATION))
        fields[position] = value
        body = base64.urlsafe_b64encode(canonical.pack(fields)).rstrip(b"=").decode()
        assert code(PREFIX + body) == "invitation-malformed", value


def test_a_secret_of_zeros_is_refused() -> None:
    fields = canonical.unpack(invitation_bytes(INVITATION))
    fields[7] = bytes(32)
    body = base64.urlsafe_b64encode(canonical.pack(fields)).rstrip(b"=").decode()
    assert code(PREFIX + body) == "invitation-malformed"


@given(st.text(max_size=60) | st.text(alphabet=TEXT, max_size=60).map(lambda t: PREFIX + t))
def test_whatever_is_typed_gives_a_usage_error(typed: str) -> None:
    assert code(typed).startswith("invitation-")
