"""Checkpoints in both forms (protocol/transparency-log.md, *Checkpoint*; attack 52)."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.crypto.signatures import Ed25519Signer
from casesync.foundation.errors import RelayMisbehaviour
from casesync.foundation.secret_bytes import SecretBytes
from casesync.merkle.hashing import EMPTY_ROOT
from casesync.translog.checkpoint import Checkpoint, LogName, key_id

SIGNER = Ed25519Signer(SecretBytes(bytes(31) + b"\x01"))
OTHER = Ed25519Signer(SecretBytes(bytes(31) + b"\x02"))
NAME = LogName(bytes(range(32)), "change")
ROOT = b"r" * 32
MADE = Checkpoint.make(NAME, 1234, ROOT, SIGNER.sign)
NOTE = MADE.to_note(SIGNER.public)


@given(st.integers(1, 2**48 - 1), st.binary(min_size=32, max_size=32))
def test_both_forms_come_back(size, root):
    made = Checkpoint.make(NAME, size, root, SIGNER.sign)
    assert len(made.to_binary()) == 102
    assert Checkpoint.from_binary(NAME, made.to_binary(), SIGNER.public) == made
    assert Checkpoint.from_note(NAME, made.to_note(SIGNER.public), SIGNER.public) == made


def test_the_empty_log_has_a_checkpoint():
    made = Checkpoint.make(NAME, 0, EMPTY_ROOT, SIGNER.sign)
    assert Checkpoint.from_note(NAME, made.to_note(SIGNER.public), SIGNER.public).size == 0
    lie = Checkpoint.make(NAME, 0, ROOT, SIGNER.sign)
    with pytest.raises(RelayMisbehaviour):
        Checkpoint.from_binary(NAME, lie.to_binary(), SIGNER.public)


def test_the_note_is_the_one_of_c2sp():
    origin = "casesync/v1/" + bytes(range(32)).hex() + "/change"
    text = f"{origin}\n1234\n{b64encode(ROOT).decode()}\n"
    assert MADE.signature == SIGNER.sign(text.encode())
    key = sha256(origin.encode() + b"\n\x01" + SIGNER.public).digest()[:4]
    line = f"\u2014 {origin} {b64encode(key + MADE.signature).decode()}\n"
    assert f"{text}\n{line}".encode() == NOTE


def _line(name, blob):
    return b"\xe2\x80\x94 " + name + b" " + b64encode(blob) + b"\n"


OUR_ID = key_id(NAME, SIGNER.public)
BODY, _, LINE = NOTE.partition(b"\n\n")


def _resigned(text):
    """A note over any text with a genuine signature: only the format can refuse it."""
    return text + b"\n" + _line(NAME.origin, OUR_ID + SIGNER.sign(text))


ROWS = BODY.split(b"\n")
BAD_NOTES = {
    "empty": b"",
    "CRLF": NOTE.replace(b"\n", b"\r\n"),
    "CRLF and signed so": _resigned((BODY + b"\n").replace(b"\n", b"\r\n")),
    "leading zero": _resigned(b"\n".join([ROWS[0], b"0" + ROWS[1], ROWS[2], b""])),
    "plus sign": _resigned(b"\n".join([ROWS[0], b"+" + ROWS[1], ROWS[2], b""])),
    "negative size": _resigned(b"\n".join([ROWS[0], b"-1", ROWS[2], b""])),
    "size with space": _resigned(b"\n".join([ROWS[0], b" 1234", ROWS[2], b""])),
    "size with underscore": _resigned(b"\n".join([ROWS[0], b"1_234", ROWS[2], b""])),
    "empty size": _resigned(b"\n".join([ROWS[0], b"", ROWS[2], b""])),
    "size beyond 48 bits": _resigned(b"\n".join([ROWS[0], b"281474976710656", ROWS[2], b""])),
    "size of 5,000 digits": _resigned(b"\n".join([ROWS[0], b"1" * 5000, ROWS[2], b""])),
    "Arabic digits": _resigned(b"\n".join([ROWS[0], "١٢".encode(), ROWS[2], b""])),
    "extension line": _resigned(BODY + b"\nextra\n"),
    "two lines": _resigned(b"\n".join([ROWS[0], ROWS[1], b""])),
    "blank line inside": _resigned(b"\n".join([ROWS[0], ROWS[1], b"", ROWS[2], b""])),
    "root of 31 bytes": _resigned(b"\n".join([ROWS[0], ROWS[1], b64encode(ROOT[1:]), b""])),
    "root without padding": _resigned(b"\n".join([ROWS[0], ROWS[1], ROWS[2].rstrip(b"="), b""])),
    "root in another base64 form": _resigned(
        b"\n".join([ROWS[0], ROWS[1], ROWS[2][:-2] + b"J=", b""])
    ),
    "root url-safe": _resigned(
        b"\n".join([ROWS[0], ROWS[1], b64encode(b"\xff" * 32).replace(b"/", b"_"), b""])
    ),
    "another log": _resigned((BODY + b"\n").replace(b"/change", b"/control")),
    "another network": _resigned((BODY + b"\n").replace(b"0001", b"0002")),
    "repeated signature": NOTE + LINE,
    "no signature": BODY + b"\n\n",
    "no separator": BODY + b"\n" + LINE,
    "signature without newline": NOTE[:-1],
    "text behind the signature": NOTE + b"more\n",
    "blank line behind the signature": NOTE + b"\n",
    "hyphen in the place of the dash": NOTE.replace(b"\xe2\x80\x94", b"-"),
    "only an unknown key": BODY + b"\n\n" + _line(b"witness", bytes(4) + MADE.signature),
    "our name, another key": BODY + b"\n\n" + _line(NAME.origin, bytes(4) + MADE.signature),
    "signature of another key": BODY
    + b"\n\n"
    + _line(NAME.origin, OUR_ID + OTHER.sign(BODY + b"\n")),
    "signature too short": BODY + b"\n\n" + _line(NAME.origin, OUR_ID + MADE.signature[:-1]),
    "signature too long": BODY + b"\n\n" + _line(NAME.origin, OUR_ID + MADE.signature + b"x"),
    "signature of nothing": BODY + b"\n\n" + _line(NAME.origin, OUR_ID),
    "a witness line that is no base64": NOTE + b"\xe2\x80\x94 witness %%%\n",
    "a witness line without a name": NOTE + _line(b"", bytes(68)),
    "seventeen lines": NOTE + _line(b"witness", bytes(68)) * 16,
    "a huge note": NOTE + _line(b"w" * 17000, bytes(68)),
}


@pytest.mark.parametrize("note", BAD_NOTES.values(), ids=BAD_NOTES)
def test_a_note_that_deviates_is_refused(note):
    with pytest.raises(RelayMisbehaviour) as caught:
        Checkpoint.from_note(NAME, note, SIGNER.public)
    assert caught.value.code == "checkpoint-invalid"


def test_lines_of_unknown_keys_are_passed_over():
    """C2SP: a witness nobody here knows does not spoil the note."""
    cosigned = BODY + b"\n\n" + _line(b"witness.example/w1", bytes(4) + bytes(72)) + LINE
    assert Checkpoint.from_note(NAME, cosigned, SIGNER.public) == MADE


def test_fifteen_witnesses_fit_beside_the_relay():
    witnesses = _line(b"witness.example/w1", bytes(4) + bytes(72)) * 15
    assert Checkpoint.from_note(NAME, NOTE + witnesses, SIGNER.public) == MADE


@given(st.binary(max_size=300), st.integers(0, len(NOTE)))
def test_junk_in_a_note_is_refused_with_our_own_error(junk, at):
    note = NOTE[:at] + junk + NOTE[at:]
    if junk:
        with pytest.raises(RelayMisbehaviour):
            Checkpoint.from_note(NAME, note, SIGNER.public)


def test_the_short_form_is_bound_to_log_network_key_and_every_byte():
    data = MADE.to_binary()
    wrong = [
        (LogName(NAME.network, "control"), data, SIGNER.public),
        (LogName(bytes(32), "change"), data, SIGNER.public),
        (NAME, data, OTHER.public),
        (NAME, data[:-1], SIGNER.public),
        (NAME, data + b"\x00", SIGNER.public),
        (NAME, b"", SIGNER.public),
        *(
            (NAME, data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], SIGNER.public)
            for at in range(len(data))
        ),
    ]
    for case in wrong:
        with pytest.raises(RelayMisbehaviour):
            Checkpoint.from_binary(*case)
