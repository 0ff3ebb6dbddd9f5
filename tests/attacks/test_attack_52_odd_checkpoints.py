"""Attack 52: checkpoints with CRLF, leading zeros, extra lines, repeated signatures, unknown keys.

Layer: ``translog.checkpoint``. Each odd note is signed by the relay's genuine key, so that only
the format can refuse it: two readers of one note must not see two checkpoints.
"""

from __future__ import annotations

from base64 import b64encode

import pytest

from casesync.crypto.signatures import Ed25519Signer
from casesync.foundation.errors import RelayMisbehaviour
from casesync.foundation.secret_bytes import SecretBytes
from casesync.translog.checkpoint import Checkpoint, LogName, key_id

RELAY = Ed25519Signer(SecretBytes(b"\x07" * 32))
STRANGER = Ed25519Signer(SecretBytes(b"\x08" * 32))
NAME = LogName(b"\xab" * 32, "change")
ROOT = b64encode(b"r" * 32)


def _line(signer, text, name=NAME.origin, key=None):
    blob = (key or key_id(NAME, signer.public)) + signer.sign(text)
    return b"\xe2\x80\x94 " + name + b" " + b64encode(blob) + b"\n"


def _note(*lines, end=b"\n"):
    text = end.join(lines) + end
    return text + b"\n" + _line(RELAY, text)


HONEST = _note(NAME.origin, b"10", ROOT)
TEXT = HONEST.partition(b"\n\n")[0] + b"\n"

ODD = {
    "CRLF": _note(NAME.origin, b"10", ROOT, end=b"\r\n"),
    "one CR": _note(NAME.origin, b"10\r", ROOT),
    "leading zero": _note(NAME.origin, b"010", ROOT),
    "only zeros": _note(NAME.origin, b"00", ROOT),
    "a sign": _note(NAME.origin, b"+10", ROOT),
    "an extension line": _note(NAME.origin, b"10", ROOT, b"2024-01-01"),
    "an empty line more": _note(NAME.origin, b"10", ROOT, b""),
    "a line less": _note(NAME.origin, b"10"),
    "a space behind": _note(NAME.origin, b"10", ROOT + b" "),
    "a byte order mark": _note(b"\xef\xbb\xbf" + NAME.origin, b"10", ROOT),
    "upper-case network": _note(NAME.origin.upper(), b"10", ROOT),
    "repeated signature": HONEST + _line(RELAY, TEXT),
    "repeated and other": TEXT + b"\n" + _line(RELAY, b"other") + _line(RELAY, TEXT),
    "only an unknown key": TEXT + b"\n" + _line(STRANGER, TEXT, b"witness"),
    "an unknown key of our name": TEXT + b"\n" + _line(STRANGER, TEXT),
    "another key under our id": TEXT
    + b"\n"
    + _line(STRANGER, TEXT, key=key_id(NAME, RELAY.public)),
    "our key under another name": TEXT + b"\n" + _line(RELAY, TEXT, b"relay"),
}


def test_the_honest_note_is_read():
    assert Checkpoint.from_note(NAME, HONEST, RELAY.public).size == 10


@pytest.mark.parametrize("note", ODD.values(), ids=ODD)
def test_an_odd_note_is_refused(note):
    with pytest.raises(RelayMisbehaviour) as caught:
        Checkpoint.from_note(NAME, note, RELAY.public)
    assert caught.value.code == "checkpoint-invalid"


def test_a_checkpoint_of_one_log_says_nothing_about_the_other():
    """The control log's signature is no change log's, nor another network's."""
    made = Checkpoint.make(NAME, 10, b"r" * 32, RELAY.sign)
    for other in (LogName(NAME.network, "control"), LogName(b"\xac" * 32, "change")):
        with pytest.raises(RelayMisbehaviour):
            Checkpoint.from_binary(other, made.to_binary(), RELAY.public)
        with pytest.raises(RelayMisbehaviour):
            Checkpoint.from_note(other, made.to_note(RELAY.public), RELAY.public)
