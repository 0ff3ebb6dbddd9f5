"""Commitments, slots and the code of an enrolment (enrolment.md)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.codec.crockford import check_char, parse_checked_code
from casesync.codec.padding import is_allowed_length
from casesync.crypto.enrolment import (
    check_commitment,
    check_sas_code,
    enrol_commitment,
    invitation_id,
    open_slot,
    rendezvous_key,
    reveal_message,
    sas_code,
    seal_slot,
)
from casesync.foundation.errors import CryptoError, UsageError

SECRET, NETWORK = b"i" * 32, b"n" * 32
INVITATION = invitation_id(SECRET)
KEY = rendezvous_key(SECRET, NETWORK)


def test_a_message_opens_only_in_its_slot_invitation_and_network():
    message = seal_slot(KEY, NETWORK, INVITATION, 2, b"nonce")
    assert is_allowed_length(len(message))
    assert open_slot(KEY, NETWORK, INVITATION, 2, message) == b"nonce"
    for key, network, invitation, slot in [
        (rendezvous_key(b"j" * 32, NETWORK), NETWORK, INVITATION, 2),
        (KEY, b"m" * 32, INVITATION, 2),
        (KEY, NETWORK, b"x" * 16, 2),
        (KEY, NETWORK, INVITATION, 3),
    ]:
        with pytest.raises(CryptoError):
            open_slot(key, network, invitation, slot, message)


def test_the_id_of_an_invitation_tells_nothing_of_its_key():
    assert len(INVITATION) == 16
    assert INVITATION not in KEY
    assert rendezvous_key(SECRET, b"m" * 32) != KEY


@pytest.mark.parametrize("bad", [b"", b"i" * 31, b"i" * 33, bytes(32)])
def test_a_bad_invitation_secret_is_refused(bad):
    for use in (invitation_id, lambda secret: rendezvous_key(secret, NETWORK)):
        with pytest.raises(CryptoError):
            use(bad)


@given(st.binary(max_size=300))
def test_what_the_relay_makes_up_never_opens(data):
    with pytest.raises(CryptoError):
        open_slot(KEY, NETWORK, INVITATION, 1, data)


def test_a_message_beyond_the_limit_is_refused_unopened():
    with pytest.raises(CryptoError):
        open_slot(KEY, NETWORK, INVITATION, 1, bytes(16 * 1024 + 1))


def test_a_reveal_must_be_the_one_committed_to():
    commitment = enrol_commitment(b"r" * 32, b"j" * 32)
    check_commitment(commitment, b"r" * 32, b"j" * 32)
    for reveal_hash, nonce in [(b"q" * 32, b"j" * 32), (b"r" * 32, b"k" * 32), (b"r" * 32, b"j")]:
        with pytest.raises(CryptoError):
            check_commitment(commitment, reveal_hash, nonce)


def test_both_sides_see_one_code_and_every_input_changes_it():
    inputs = [NETWORK, INVITATION, b"c" * 32, b"a" * 32, b"b" * 32, b"r" * 32]
    code = sas_code(*inputs)
    assert len(code) == 7
    assert parse_checked_code(code, 7) == code
    for position, value in enumerate(inputs):
        changed = [*inputs[:position], b"x" * len(value), *inputs[position + 1 :]]
        assert sas_code(*changed) != code


def checked(data: str) -> str:
    return data + check_char(data)


def test_the_typed_code_is_read_leniently_but_compared_whole():
    code = checked("0AB1CD")
    check_sas_code(f" 0ab-1cd {code[-1].lower()} ", code)
    check_sas_code(f"oabicd{code[-1]}", code)
    for data in ("0AB1CE", "1AB1CD", "000000"):
        with pytest.raises(CryptoError) as raised:
            check_sas_code(checked(data), code)
        assert raised.value.code == "enrolment-code-wrong"


def test_a_mistyped_code_is_told_from_a_wrong_one_before_it_counts():
    code = checked("0AB1CD")
    mistyped = ["", "------", "é", code[:-1], code + "D", "0AB1DC" + code[-1]]
    for position in range(len(code)):
        other = "7" if code[position] != "7" else "8"
        mistyped.append(code[:position] + other + code[position + 1 :])
    for typed in mistyped:
        for expected in (code, checked("ZZZZZZ")):
            with pytest.raises(UsageError) as raised:
                check_sas_code(typed, expected)
            assert raised.value.code == "enrolment-code-mistyped"


def test_the_joiner_signs_every_field_of_what_it_accepts():
    fields = [NETWORK, INVITATION, b"a" * 32, b"b" * 32, b"u" * 16, "clinician", b"r" * 32]
    message = reveal_message(*fields)
    assert message.startswith(b"casesync/v1/enrol\x00")
    for position, value in enumerate(fields):
        other = "officer" if isinstance(value, str) else b"x" * len(value)
        assert reveal_message(*fields[:position], other, *fields[position + 1 :]) != message
