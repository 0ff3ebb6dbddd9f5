"""Messages are read strictly (``protocol/sync.md``, ``protocol/relay-http.md``)."""

from __future__ import annotations

import contextlib

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.codec.canonical import ARRAYS, pack
from casesync.foundation.errors import RemoteProtocolError
from casesync.wire.messages import (
    Backfill,
    ControlAppend,
    ControlPage,
    Owed,
    PushRefusal,
    Receipt,
    SyncAnswer,
    SyncRequest,
    decode_appended,
    decode_created,
    decode_expiry,
    decode_key,
    decode_refusal,
    encode_appended,
    encode_created,
    encode_expiry,
    encode_key,
    encode_refusal,
)
from casesync.wire.refusals import Refusal

LINK = b"l" * 32
PAGE = [7, b"s" * 32, [1, 2], [3, b"frame", [0, LINK]], LINK * 2]
SIZES = st.integers(0, 2**48 - 1)

requests = st.builds(
    SyncRequest,
    control_size=SIZES,
    cursor=st.integers(0, 1000),
    target=st.just(0) | st.integers(1000, 2000),
    outbox=st.lists(st.binary(min_size=1, max_size=50), max_size=4).map(tuple),
    newest=st.tuples(SIZES, st.binary(min_size=32, max_size=32)),
    owed=st.just(()),
    answer_bytes_max=SIZES,
)


def answer(**changed: object) -> SyncAnswer:
    parts: dict = {
        "newest": (5, LINK),
        "receipts": (Receipt(5, 9, 1000),),
        "refusal": PushRefusal(6, Refusal.NUMBER_GAP),
        "control": ControlPage(3, (b"leaf",)),
        "control_checkpoint": b"c" * 102,
        "change_checkpoint": b"d" * 102,
        "page": PAGE,
        "backfills": (Backfill(0, PAGE),),
        "more": True,
        "log_time_ms": 1000,
    }
    return SyncAnswer(**{**parts, **changed})


@given(requests)
def test_a_request_comes_back_as_it_was(request: SyncRequest):
    assert SyncRequest.decode(request.encode()) == request


def test_an_answer_comes_back_as_it_was():
    assert SyncAnswer.decode(answer().encode()) == answer()
    bare = answer(receipts=(), refusal=None, backfills=(), more=False)
    assert SyncAnswer.decode(bare.encode()) == bare


MANY = [bytes(300)] * 5000


@pytest.mark.parametrize(
    "large",
    [
        {"page": [7, b"s" * 32, [1, 2], MANY, LINK * 2]},
        {"backfills": (Backfill(0, [7, b"s" * 32, [1, 2], MANY, LINK * 2]),)},
        {"control": ControlPage(3, tuple(MANY))},
    ],
    ids=["page", "back-fill", "control"],
)
def test_of_a_large_answer_only_frames_may_stay_in_the_message(large):
    read = SyncAnswer.decode(answer(**large).encode())
    for page in (read.page, *(backfill.page for backfill in read.backfills)):
        assert type(page[3]) in ARRAYS
        page[3] = list(page[3])
    assert read == answer(**large)


@pytest.mark.parametrize("part", [1, 2, 4])
def test_no_other_part_of_a_page_is_a_long_array(part):
    """It would be met by who expects a list, or bytes."""
    page: list[object] = [7, b"s" * 32, [1, 2], [3], LINK * 2]
    page[part] = MANY
    if part == 2:  # what it holds is checked by who reads the page
        assert type(SyncAnswer.decode(answer(page=page).encode()).page[2]) is list
        return
    with pytest.raises(RemoteProtocolError):
        SyncAnswer.decode(answer(page=page).encode())


def test_owed_backfills_come_back_as_they_were():
    request = SyncRequest(
        control_size=1,
        cursor=10,
        newest=(0, LINK),
        owed=(Owed(0, (b"s" * 16,)), Owed(10, None)),
    )
    assert SyncRequest.decode(request.encode()) == request


def test_an_idle_request_is_small():
    """DESIGN.md 10: idle sync has bodies under 400 bytes each way."""
    idle = SyncRequest(control_size=40, cursor=100_000, newest=(90, LINK))
    assert len(idle.encode()) < 64
    page = [100_000, b"", [], [], b""]
    served = answer(receipts=(), refusal=None, backfills=(), page=page, control=ControlPage(40, ()))
    assert len(served.encode()) < 300


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (0, -1),
        (0, 2**48),
        (0, True),
        (0, None),
        (1, "1"),
        (2, 3),  # target below cursor
        (3, [b""]),
        (3, ["text"]),
        (3, {}),
        (4, [1]),
        (4, [1, b"short"]),
        (4, [1, LINK, 0]),
        (5, [[0, [b"short"]]]),
        (5, [[11, None]]),  # behind the cursor
        (5, [[0]]),
        (5, [[0, None]] * 65),
        (6, 1.5),
        (7, 0),  # an unknown key
    ],
)
def test_a_request_with_a_wrong_part_is_malformed(key: int, value: object):
    good = {0: 1, 1: 10, 2: 0, 3: [], 4: [0, LINK], 5: [], 6: 1000}
    SyncRequest.decode(pack(good))
    bad = dict(sorted({**good, key: value}.items()))
    with pytest.raises(RemoteProtocolError):
        SyncRequest.decode(msgpack.packb(bad))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (0, [1]),
        (1, [[1, 2]]),
        (1, [[1, 2, -3]]),
        (2, [1, "not-a-push-refusal"]),
        (2, [1, "not-found"]),
        (2, [1]),
        (3, [0]),
        (3, [0, [b""]]),
        (4, b"short"),
        (5, b"d" * 103),
        (6, [7, b"", [], []]),
        (6, [7, b"", [], [], "text"]),
        (6, [-1, b"", [], [], b""]),
        (7, [[0]]),
        (8, 1),
        (9, None),
    ],
)
def test_an_answer_with_a_wrong_part_is_malformed(key: int, value: object):
    good = msgpack.unpackb(answer().encode(), strict_map_key=False)
    with pytest.raises(RemoteProtocolError):
        SyncAnswer.decode(msgpack.packb({**good, key: value}))


def test_a_longer_form_of_the_same_request_is_malformed():
    """Canonical means one encoding: 1 as a 64-bit integer is refused."""
    good = SyncRequest(control_size=1, cursor=0, newest=(0, LINK)).encode()
    assert good[:3] == b"\x86\x00\x01"
    with pytest.raises(RemoteProtocolError):
        SyncRequest.decode(good[:2] + b"\xcf" + bytes(7) + b"\x01" + good[3:])


@given(st.binary(max_size=300))
def test_noise_is_malformed_and_nothing_else(noise: bytes):
    for decode in (
        SyncRequest.decode,
        SyncAnswer.decode,
        ControlAppend.decode,
        decode_created,
        decode_appended,
        decode_key,
        decode_expiry,
    ):
        with pytest.raises(RemoteProtocolError):
            decode(noise)


@given(st.data())
def test_a_message_with_a_flipped_bit_is_read_or_malformed(data: st.DataObject):
    body = bytearray(answer().encode())
    bit = data.draw(st.integers(0, len(body) * 8 - 1))
    body[bit // 8] ^= 1 << bit % 8
    with contextlib.suppress(RemoteProtocolError):
        assert SyncAnswer.decode(bytes(body)) != answer()


def test_an_append_needs_an_entry():
    with pytest.raises(RemoteProtocolError):
        ControlAppend.decode(pack({0: [], 1: []}))
    good = ControlAppend(entries=(b"e",), blobs=(b"b",))
    assert ControlAppend.decode(good.encode()) == good


def test_small_answers_come_back_as_they_were():
    created = decode_created(encode_created(b"c" * 102, b"d" * 102, [1, 2]))
    assert created == {0: b"c" * 102, 1: b"d" * 102, 2: [1, 2]}
    assert decode_appended(encode_appended(b"c" * 102, [1])) == {0: b"c" * 102, 1: [1]}
    assert decode_expiry(encode_expiry(99)) == 99
    assert decode_key(encode_key(b"k" * 32)) == b"k" * 32
    assert decode_refusal(encode_refusal(Refusal.QUOTA)) is Refusal.QUOTA


def test_another_protocol_version_is_refused():
    with pytest.raises(RemoteProtocolError):
        decode_key(pack({0: b"k" * 32, 1: 2}))


@pytest.mark.parametrize("body", [b"", b"\x80", b"<html>", pack({0: "unheard-of"}), pack({0: 1})])
def test_a_refusal_nobody_knows_is_an_internal_error(body: bytes):
    assert decode_refusal(body) is Refusal.INTERNAL
