"""The compiled twins of what opens a case and its keys do what their Python does.

``translog/_unsealed.pyx`` beside ``unsealed.decode_unsealed``, ``crypto/_boxes.pyx`` beside
``key_wrap.open_box_symmetric``, and the usual opening beside all other base acts. Where the twins
were not compiled there is nothing to compare.
"""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from casesync.access import base_acts
from casesync.access.base_acts import Opening, decode_acts, encode_acts
from casesync.codec import canonical
from casesync.crypto.aead import NONCE_BYTES, siv_seal
from casesync.crypto.key_schedule import H
from casesync.crypto.key_wrap import (
    StatementId,
    UnitKeyId,
    box_cipher,
    box_context,
    box_symmetric,
    open_box_symmetric,
)
from casesync.crypto.sealing import segment_keys
from casesync.foundation.errors import CasesyncError, CryptoError
from casesync.foundation.ids import StreamKind
from casesync.sync.keyring import box_kernel
from casesync.translog import unsealed
from casesync.translog.unsealed import (
    Box,
    FeedLink,
    MoreBoxes,
    Predecessor,
    Statement,
    UnsealedItems,
    decode_unsealed,
    encode_unsealed,
)
from plain_changes import changed, scalars

reads = unsealed.unsealed_kernel
needs_reads = pytest.mark.skipif(reads is None, reason="not compiled here")
needs_boxes = pytest.mark.skipif(box_kernel is None, reason="not compiled here")

ids = st.sampled_from([b"\x00", b"i", b"\xff"]).map(lambda byte: byte * 16)
numbers = st.sampled_from([1, 127, 128, 255, 256, 65535, 65536, (1 << 32) - 1])
boxes = st.lists(
    st.builds(
        Box,
        st.binary(min_size=8, max_size=8),
        numbers,
        st.sampled_from([48, 1168]).map(lambda size: b"b" * size),
    ),
    max_size=17,
).map(tuple)
predecessors = st.builds(Predecessor, numbers, numbers, st.integers(0, 255), st.just(b"p" * 48))


@st.composite
def segments(draw: st.DrawFn) -> bytes:
    """What an honest author says, all that there is."""
    random16 = draw(st.none() | ids)
    first = unsealed.first_statement_position(random16)
    statements = []
    for at in range(draw(st.integers(0, 5))):
        earlier = draw(st.none() | st.none() | predecessors)
        compartment = 1 if earlier else draw(st.integers(1, 9))
        statements.append(Statement(first + at, compartment, b"c" * 32, draw(boxes), earlier))
    more = draw(st.just([]) | st.lists(st.builds(MoreBoxes, numbers, numbers, st.just(3), boxes)))
    links = draw(st.lists(st.builds(FeedLink, ids, st.booleans()), max_size=12))
    return encode_unsealed(random16, statements, more, links)


def by_python(data: bytes) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unsealed, "unsealed_kernel", None)
        try:
            return decode_unsealed(data)
        except CasesyncError:
            return None


def by_twin(data: bytes) -> Any:
    return reads.decode(data, UnsealedItems, Statement, Box, FeedLink)


def assert_alike(data: bytes) -> None:
    """What the twin reads, down to the types of its parts, is what Python reads."""
    found = by_twin(data)
    assert found is None or repr(found) == repr(by_python(data))


@needs_reads
@given(segment=segments(), data=st.data())
def test_an_unsealed_segment_is_read_alike_compiled_or_not(segment, data):
    assert_alike(segment)
    assert_alike(data.draw(changed(segment)))


ODD = [
    b"\xcc\x01",
    b"\xcd\x00\x01",
    b"\xcd\x00\xff",
    b"\xce\x00\x00\xff\xff",
    b"\xcf\x00\x00\x00\x00\xff\xff\xff\xff",
    b"\xd0\x01",
    b"\xc3",
    b"\xca\x00\x00\x00\x00",
]
"""Numbers in longer forms than they need, and what only looks like one."""


@needs_reads
@given(value=st.recursive(scalars, lambda inner: st.lists(inner, max_size=6), max_leaves=20))
@example(value=[[1, b"r" * 16], [1, b"r" * 16]])
@example(value=[[2, 10, b"c" * 32, [], None]])
@example(value=[[2, 1, b"c" * 32, [[b"n" * 8, 0, b"s" * 48]], None]])
@example(value=[[2, 1, b"c" * 32, [[b"n" * 8, 1 << 32, b"s" * 48]], None]])
@example(value=[[2, 1, b"c" * 31, [], None]])
@example(value=[[4, b"f" * 16, None]])
@example(value=[])
def test_what_says_nothing_known_is_not_read_by_the_twin(value):
    assert_alike(msgpack.packb(value))
    for odd in ODD:
        assert_alike(b"\x91\x95\x02" + odd + msgpack.packb(b"c" * 32) + b"\x90\xc0")
        assert_alike(b"\x91\x92" + odd + msgpack.packb(b"r" * 16))
        box = b"\x93" + msgpack.packb(b"n" * 8) + odd + msgpack.packb(b"s" * 48)
        assert_alike(b"\x91\x95\x02\x01" + msgpack.packb(b"c" * 32) + b"\x91" + box + b"\xc0")


@needs_reads
def test_the_usual_segments_are_read_by_the_twin():
    """Else the properties above would hold without saying anything."""
    box = Box(b"n" * 8, 70_000, b"s" * 48)
    usual = [Statement(1 + at, 1 + at, b"c" * 32, (box, box), None) for at in range(9)]
    public = Statement(0, 3, b"c" * 32, (box._replace(sealed=b"s" * 1168),), None)
    for segment in (
        encode_unsealed(b"r" * 16, usual, (), [FeedLink(b"f" * 16, False)]),
        encode_unsealed(None, [public]),
    ):
        assert by_twin(segment) == by_python(segment) is not None


NETWORK, UNIT_KEY = b"n" * 32, UnitKeyId(b"u" * 16, 2, 1)
STATEMENT = StatementId(NETWORK, b"s" * 16, 2, 1, 1, 0)
CIPHER = box_cipher(b"s" * 32, NETWORK, UNIT_KEY)


@needs_boxes
@given(
    key=st.binary(min_size=32, max_size=32).filter(any),
    device=st.sampled_from([1, (1 << 32) - 1]),
    number=st.sampled_from([1, (1 << 48) - 1]),
    position=st.sampled_from([0, 255]),
    epoch=st.sampled_from([1, (1 << 32) - 1]),
    data=st.data(),
)
def test_a_box_is_opened_alike_compiled_or_not(key, device, number, position, epoch, data):
    statement = STATEMENT._replace(device=device, number=number, position=position)
    unit_key = UNIT_KEY._replace(epoch=epoch)
    _, commitment = segment_keys(key, statement.context())
    box = box_symmetric(CIPHER, statement, unit_key, commitment, key)
    asked = (CIPHER, statement, unit_key, commitment, box)
    assert box_kernel.open_box(*asked) == open_box_symmetric(*asked)
    assert box_kernel.open_box(*asked)[0] == key
    for wrong in (
        (CIPHER, statement, unit_key, commitment, data.draw(changed(box))),
        (CIPHER, statement, unit_key._replace(epoch=epoch - 1), commitment, box),
        (CIPHER, statement._replace(stream=b"t" * 16), unit_key, commitment, box),
        (CIPHER, statement._replace(device=1 << 32), unit_key, commitment, box),
        (CIPHER, statement._replace(position=256), unit_key, commitment, box),
        (CIPHER, statement, unit_key, commitment[:-1], box),
        (CIPHER, statement, unit_key._replace(unit=b"u"), commitment, box),
    ):
        if wrong != asked:
            assert box_kernel.open_box(*wrong) is None


@needs_boxes
def test_a_box_that_holds_another_key_than_was_committed_to_is_not_opened():
    _, commitment = segment_keys(b"k" * 32, STATEMENT.context())
    context = box_context(STATEMENT, UNIT_KEY, commitment)
    nonce = H("box-nonce", context)[:NONCE_BYTES]
    for held in (b"o" * 32, b"k" * 31):
        box = siv_seal(CIPHER, nonce, context, held)
        asked = (CIPHER, STATEMENT, UNIT_KEY, commitment, box)
        assert box_kernel.open_box(*asked) is None
        with pytest.raises(CryptoError):
            open_box_symmetric(*asked)


@given(kind=st.sampled_from(StreamKind), owner=ids, record=ids, data=st.data())
def test_an_opening_is_the_same_at_a_glance(kind, owner, record, data):
    opening = Opening(kind=kind, owner=owner, record=record if kind is StreamKind.CASE else None)
    body = encode_acts([opening])
    assert decode_acts(body) == (opening,)
    for tried in (body, data.draw(changed(body))):
        try:
            slow = tuple(map(base_acts._act, canonical.unpack(tried)))
        except (CasesyncError, TypeError):
            slow = None
        try:
            assert decode_acts(tried) == slow
        except CasesyncError:
            assert slow in (None, ())
