"""Attack 32, public side: malformed acts of every kind are refused alike, never a foreign error.

Layer: ``translog.control_acts`` behind a genuine signature, so that nothing earlier refuses. The
directory is unchanged, and the next honest entry still extends the log.
"""

from __future__ import annotations

import pytest

from casesync.codec.canonical import pack
from casesync.foundation.errors import RemoteProtocolError
from casesync.translog.control_acts import EmptyPublic
from casesync.translog.control_entry import Act
from casesync.translog.control_public import PublicDirectory
from unit.translog.control_world import BLOBS, GENESIS, enrol_public, entry_of

LENGTHS = {1: 7, 2: 0, 3: 1, 4: 1, 5: 0, 6: 8, 7: 2, 8: 3, 9: 2, 10: 2, 11: 0}
NAN = b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"
ODD_VALUES = {
    "nil": b"\xc0",
    "true": b"\xc3",
    "huge integer": b"\xcf" + b"\xff" * 8,
    "negative integer": b"\xd3\x80" + bytes(7),
    "NaN": NAN,
    "text": b"\xa5admin",
    "text that is no UTF-8": b"\xa1\xff",
    "map": b"\x81\x01\x02",
    "map with text keys": b"\x81\xa9__class__\x01",
    "extension": b"\xd4\x01\x00",
    "timestamp": b"\xd6\xff" + bytes(4),
    "long form": b"\xc6\x00\x00\x00\x01x",
    "nested": b"\x91" * 300 + b"\xc0",
    "array of 4 billion": b"\xdd\xff\xff\xff\xff",
}


def _directory():
    directory = PublicDirectory()
    directory.apply(GENESIS, BLOBS.get)
    return directory


DIRECTORY = _directory()


def _refused(act, public):
    entry = entry_of(DIRECTORY, act, public)
    with pytest.raises(RemoteProtocolError) as caught:
        DIRECTORY.apply(entry, BLOBS.get)
    assert caught.value.code == "malformed"
    assert DIRECTORY.size == 1


@pytest.mark.parametrize("odd", ODD_VALUES.values(), ids=ODD_VALUES)
@pytest.mark.parametrize("act", [act for act in Act if act != Act.GENESIS])
def test_an_odd_value_in_any_act_is_refused(act, odd):
    length = LENGTHS[act]
    _refused(act, odd)
    _refused(act, bytes([0x90 | length + 1]) + odd * (length + 1))
    if length:
        _refused(act, bytes([0x90 | length]) + odd * length)


@pytest.mark.parametrize("act", [act for act in Act if act != Act.GENESIS])
def test_missing_and_further_fields_are_refused(act):
    length = LENGTHS[act]
    for count in {0, 1, 2, 3, 7, 8, 9} - {length}:
        _refused(act, pack([b"h" * 32] * count))
    _refused(act, b"")
    _refused(act, pack([b"h" * 32] * length)[:-1] if length else b"\x90\x90")


def test_each_odd_field_of_an_enrolment_is_refused():
    row = list(enrol_public())
    fields = [pack(value) for value in row]
    for at in range(len(row)):
        for name, odd in ODD_VALUES.items():
            if (at, name) in {(7, "nil"), (4, "huge integer")}:
                continue  # allowed there by the shape; rights refuse the integer
            bent = b"".join([*fields[:at], odd, *fields[at + 1 :]])
            _refused(Act.ENROL, b"\x98" + bent)


def test_after_all_of_it_an_honest_entry_is_taken():
    directory = _directory()
    entry = entry_of(directory, Act.ENROL, pack([1, None]))
    with pytest.raises(RemoteProtocolError):
        directory.apply(entry, BLOBS.get)
    directory.apply(entry_of(directory, Act.CHARTER, EmptyPublic()), BLOBS.get)
    assert directory.size == 2
