"""The compiled twin that takes whole streams on packed rows does what ``page_stream`` does.

``sync/_packed_run.pyx`` and ``sync/_stream_row.pyx`` beside ``PlainPath.take`` and the store's
packing: what the twin takes is packed byte for byte alike; everything else it leaves as it was.
Where they were not compiled there is nothing to compare.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from hashlib import sha256
from itertools import accumulate
from types import SimpleNamespace
from typing import Any, cast

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casesync.access.stream_facts import END_OF_LOG
from casesync.access.verdicts import COUNTS
from casesync.codec.padding import pad
from casesync.crypto.aead import TAG_BYTES, siv_seal
from casesync.crypto.sealing import segment_nonce
from casesync.foundation.ids import StreamId
from casesync.storage.packing import pack_all
from casesync.sync import plain_path, stream_kernels
from casesync.sync.handed_out import HandedOut
from casesync.sync.helper_work import Answer, answer, read_answer
from casesync.sync.ingest_report import IngestReport
from casesync.sync.page_stream import PageStream
from casesync.sync.plain_batch import PlainBatch
from casesync.sync.plain_path import PlainPath
from casesync.sync.ports import StoredChange
from casesync.sync.stream_batch import StreamBatch
from casesync.sync.stream_row import StreamRow
from casesync.translog.header import encode_head, encode_header, parse_header
from casesync.translog.served_leaf import ServedLeaf
from plain_changes import (
    DEVICES,
    FIELDS,
    KIND,
    OWNER,
    Held,
    altered,
    bodies,
    changed,
    fields,
    form_save,
    key_row,
    sealed_leaf,
)
from properties.test_kernels import headers
from properties.test_page_paths import PERSON, RECORDS, WORLD

pytestmark = pytest.mark.skipif(stream_kernels.packed_kernel is None, reason="not compiled here")
OWN_DEVICE = 99
SECOND = next(row[0] for row in WORLD.fields if row[0] > KIND)
SECOND_FIELDS = [row for row in WORLD.fields if row[0] == SECOND]
Row = list[Any]


def packed(row: Row) -> bytes:
    """As the store has it."""
    return pack_all([row])[0]


def batch_of(*streams: tuple[Held, list[ServedLeaf]]) -> PlainBatch:
    """Those streams in one batch, on their rows as they are."""
    batch = [(held.stream, leaves) for held, leaves in streams]
    rows = [packed(held.row) for held, _ in streams]
    return PlainBatch(streams[0][0].path, batch, rows, OWN_DEVICE)


def keys_of(*helds: Held) -> list[bytes | None]:
    """The keys of streams as the store has them."""
    return [packed(key_row(held, KIND)) for held in helds]


def taken_by_python(held: Held, leaves: list[ServedLeaf], first: int) -> Row | None:
    """The row after all leaves were taken one by one, None if one was not."""
    row = copy.deepcopy(held.row)
    for at, leaf in enumerate(leaves):
        taken, held.row = held.slowly(leaf, first + at)
        if not taken:
            held.row = row
            return None
    held.row, row = row, held.row
    return row


Written = list[tuple[int, int, bytes, int]]


@st.composite
def histories(draw: st.DrawFn, held: Held, written: Written, first: int) -> list[ServedLeaf]:
    """Changes that come next, mostly honest ones; they may replace what was written before."""
    leaves = []
    for number in range(first, first + draw(st.integers(1, 6))):
        body = draw(bodies(written))
        if len(body) <= 480:
            device = draw(st.sampled_from(DEVICES))
            leaves.append(sealed_leaf(held.key, number, device, number, body))
            written.append((device, number, leaves[-1].link[:8], 4))
    return leaves


def by_a_helper(plain: PlainBatch, path: PlainPath, keys: list[bytes | None]) -> Answer:
    """What another process makes of a batch, asked and answered in bytes."""
    locations = list(range(len(plain.ends)))
    begun = SimpleNamespace(plain=plain, locations=locations, keys=keys)
    handed = HandedOut(None, path, IngestReport())
    made = read_answer(answer(*handed._request(cast("StreamBatch", begun))), plain)
    assert made is not None
    return made


def assert_a_helper_takes_it_alike(
    plain: PlainBatch, streams: Iterable[tuple[Held, list[ServedLeaf]]]
) -> None:
    streams = list(streams)
    helds = [held for held, _ in streams]
    again = batch_of(*streams)
    if again.ends:
        again.taken(by_a_helper(again, helds[0].path, keys_of(*helds)))
    assert (again.whole, again.left, again.shared, again.merged) == (
        plain.whole, plain.left, plain.shared, plain.merged,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("what", "is_taken"),
    [
        ("as it is", True),
        ("not its compartment", False),
        ("another office", False),
        ("no device of ours", False),
        ("the control log is shorter", False),
        ("its form is in no schema", False),
    ],
)
def test_a_helper_keeps_to_the_rights_of_the_request(what, is_taken, monkeypatch):
    held = Held()
    first = form_save(held, 0, 1, 1, [])
    taken, held.row = held.slowly(first, 0)
    assert taken
    path = held.path
    monkeypatch.setattr(path, "devices", dict(path.devices))
    if what == "not its compartment":
        path.devices[2] = (OWNER, 1 << SECOND)
    elif what == "another office":
        path.devices[2] = (bytes(16), 1 << KIND)
    elif what == "no device of ours":
        path.devices[2] = (None, 0)
    elif what == "the control log is shorter":
        path.control_size = 2
    elif what == "its form is in no schema":
        path.forms_checked = dict.fromkeys(path.forms_checked, False)
    leaf = form_save(held, 1, 2, 1, [])
    plain = batch_of((held, [leaf]))
    rows, _, segments = by_a_helper(plain, path, keys_of(held))
    assert [row is not None for row in rows] == [is_taken]
    assert segments == is_taken
    assert_a_helper_takes_it_alike(taken_here(plain, held), [(held, [leaf])])


def taken_here(plain: PlainBatch, held: Held) -> PlainBatch:
    plain.take([0], keys_of(held))
    return plain


@given(data=st.data())
@settings(max_examples=120)
def test_a_batch_is_taken_and_packed_as_python_does(data):
    """Several streams at once, each whole or not at all; then what comes next, on those rows."""
    helds, written = [Held(), Held()], ([], [])
    for at, held in enumerate(helds):
        held.stream = StreamId(bytes([at + 1]) * 16)
        if data.draw(st.booleans()):
            held.fill_forms()
    for start in (1, 10):
        served = [
            data.draw(histories(held, known, start))
            for held, known in zip(helds, written, strict=True)
        ]
        plain = batch_of(*zip(helds, served, strict=True))
        assert plain.others() == []
        changes = pack_all(StoredChange(*fields(leaf)[2:6]) for part in served for leaf in part)
        assert plain.changes == b"".join(changes)
        assert plain.ends == list(accumulate(map(len, changes)))
        locations = list(range(len(plain.ends)))
        plain.take(locations, keys_of(*helds))
        assert_a_helper_takes_it_alike(plain, zip(helds, served, strict=True))
        left = {stream.stream: stream for stream in plain.left}
        first = 0
        for held, leaves in zip(helds, served, strict=True):
            last = held.last()
            row = taken_by_python(held, leaves, first)
            if held.stream in left:
                assert left[held.stream] == (held.stream, leaves, last, first)
            elif plain.ends:
                assert row is not None
                assert plain.whole[held.stream] == packed(row)
            held.row = held.row if row is None else row
            first += len(leaves)
        assert plain.merged + sum(len(stream.leaves) for stream in plain.left) == first


@given(full=st.booleans())
@settings(max_examples=2)
def test_form_saves_are_taken_whole(full):
    """Else the property above would hold without saying anything."""
    held = Held()
    if full:
        held.row[1] = []  # nothing was merged yet
    body: list[Any] = [5, 1, [], [[RECORDS[0], PERSON, [FIELDS[0][1] << 4 | FIELDS[0][2], "x"]]]]
    held.slowly(sealed_leaf(held.key, 0, 1, 1, msgpack.packb(body)), 0)  # the form is known
    leaves = []
    for step in range(8):
        device, record = DEVICES[step % 3], RECORDS[step % 2]
        body[2] = [
            [leaf.device, parse_header(leaf.header).number, leaf.link[:8], 1]
            for leaf in leaves[-2:-1]
        ]
        body[3][0][0] = record
        leaves.append(sealed_leaf(held.key, step, device, step + 1, msgpack.packb(body)))
    plain = batch_of((held, leaves))
    plain.take(list(range(40, 48)), keys_of(held))
    [(stream, row)] = plain.whole.items()
    assert (stream, plain.left, plain.merged) == (held.stream, [], 8)
    slow = taken_by_python(held, leaves, 40)
    assert row == packed(slow)
    assert [entry[4] for entry in zip(*[iter(slow[0])] * 6, strict=True)] == [COUNTS] * 8
    assert sum(len(slot[1]) for slot in slow[1][1]) == 2, "the newest of each record is live"


class Several(Held):
    """A row that knows keys of two compartments."""

    def __init__(self) -> None:
        super().__init__()
        self.second = self.engine.keys.prepare(self.stream, SECOND, (1, 1, 1), b"z" * 32)
        fact = [1, 1, 1, SECOND, self.second.commitment[:8], 0, -1, True, b""]
        self.row[2][2].append(fact)
        self.path.devices.update(dict.fromkeys(DEVICES, (OWNER, 1 << KIND | 1 << SECOND)))
        ring = {(KIND, self.key.commitment[:8]): self.key}
        ring[SECOND, self.second.commitment[:8]] = self.second
        self.engine.keys._streams[self.stream] = ring

    def keys(self) -> bytes:
        """Both, as the store has them."""
        second = self.second.key + self.second.sealing + self.second.commitment
        return packed(key_row(self, KIND) | {(SECOND, (1, 1, 1)): second})

    def leaf(self, number: int, bodies_: tuple[bytes, bytes], after: int = 0) -> ServedLeaf:
        """A change with a segment in each compartment."""
        head = encode_head(
            device=1,
            number=number,
            stream=bytes(self.stream),
            previous_here=number - 1,
            after=[(20 + at, 1, b"l" * 8) for at in range(after)],
            control_size=3,
            random8=b"r" * 8,
            checkpoint_size=9,
            checkpoint_root=b"c" * 32,
        )
        rows, segments, previous = [], [], bytes([number]) * 32
        for at, (key, body) in enumerate(zip((self.key, self.second), bodies_, strict=True)):
            aad = sha256(head).digest() + bytes([at]) + key.commitment
            padded = pad(body, TAG_BYTES)
            segments.append(siv_seal(key.cipher, segment_nonce(previous, head, at), aad, padded))
            digest = sha256(segments[-1]).digest()
            rows.append((key.compartment, key.commitment[:8], len(segments[-1]), digest))
        header = encode_header(head, rows)
        place = (number, 9, previous, header, b"g" * 64, tuple(segments), None, 1)
        return ServedLeaf(*place, sha256(header).digest(), True)

    def generally(self, leaves: list[ServedLeaf]) -> tuple[bool, Row]:
        """Whether Python takes them without judging the stream again, and the row then."""
        row = StreamRow(copy.deepcopy(self.row))
        held = PageStream(self.engine, Any, self.stream, row, self.path)
        held.go_on(leaves, -1)
        held.merge(list(range(len(leaves))), 0)
        return not held.again, row.row


@given(data=st.data(), after=st.integers(0, 8))
@settings(max_examples=200)
def test_changes_of_several_segments_are_taken_as_python_does(data, after):
    """Both segments of a change or none: the stream is taken whole or not at all."""
    held = Several()
    written: Written = []
    leaves = []
    for number in range(1, data.draw(st.integers(2, 4))):
        pair = (data.draw(bodies(written)), data.draw(bodies(written, SECOND_FIELDS)))
        if max(map(len, pair)) <= 480:
            leaves.append(held.leaf(number, pair, after))
            written.append((1, number, leaves[-1].link[:8], 4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_path, "plain_kernel", None)
        slow, slow_row = held.generally(leaves)
    plain = batch_of((held, leaves))
    assert plain.others() == []
    plain.take(list(range(len(leaves))), [held.keys()])
    assert slow or not plain.whole
    if plain.whole:
        assert plain.whole == {held.stream: packed(slow_row)}
        assert plain.merged == 2 * len(leaves)


def test_a_change_of_several_segments_is_taken():
    """Else the property above would hold without saying anything."""
    held = Several()
    fields = FIELDS[0], SECOND_FIELDS[0]
    pair = tuple(
        msgpack.packb([5, 1, [], [[RECORDS[0], PERSON, [field << 4 | code, "x"]]]])
        for _, field, code in fields
    )
    leaf = held.leaf(1, pair, 1)  # type: ignore[arg-type]
    assert held.generally([leaf])[0]  # the forms are known from here on
    plain = batch_of((held, [leaf]))
    plain.take([0], [held.keys()])
    assert (list(plain.whole), plain.merged) == ([held.stream], 2)
    hidden = altered(leaf, segments=(leaf.segments[0], None))
    plain = batch_of((held, [hidden]))
    plain.take([0], [held.keys()])
    assert not plain.whole, "one segment is withheld"
    plain = batch_of((held, [leaf]))
    plain.take([0], keys_of(held))
    assert not plain.whole, "one key is not here"
    held.path.devices[1] = (OWNER, 1 << KIND)
    plain = batch_of((held, [leaf]))
    plain.take([0], [held.keys()])
    assert not plain.whole, "the author may not write one of them"


@given(header=st.deferred(headers))
@settings(max_examples=400)
def test_no_header_is_read_that_python_refuses(header):
    held = Held()
    leaf = ServedLeaf(1, 9, b"p" * 32, header, b"g" * 64, (b"x",), None, 1, b"l" * 32, True)
    plain = batch_of((held, [leaf]))
    if plain.others():
        return
    parsed = parse_header(header)
    assert all(segment.kind for segment in parsed.segments)
    held.row[4] = {parsed.device: [parsed.number, b"l" * 8]}
    assert batch_of((held, [leaf])).others(), "its number is not read as another one"
    held.row[4] = {parsed.device: [parsed.number - 1, b"l" * 8]}
    assert not batch_of((held, [leaf])).others()


@pytest.mark.parametrize(
    ("part", "value"),
    [
        (3, 7),  # complete from there only
        (8, True),  # given up
        (0, [1, 2, 3, 4, 1, 5]),  # a change that does not count
        (2, []),  # no opening yet
        (2, [None, [], [], []]),
        (2, [[2, OWNER], [], [], []]),  # no case
        (2, [[1, OWNER], [], [], [[1, 1]]]),  # hidden acts
        (1, [[], [], [], [], {16: [[], {}, None]}]),  # something waits for a device
        (0, None),
        (4, {1: None}),
    ],
)
def test_a_row_that_is_not_plain_is_left_alone(part, value):
    held = Held()
    held.row[part] = value
    leaf = form_save(held, 1, 2, 1, [])
    plain = batch_of((held, [leaf]))
    assert plain.others() == [(held.stream, [leaf])]
    assert plain.ends == []


def test_a_case_with_a_grant_is_named():
    """Its keys may be owed to a unit of late."""
    held = Held()
    held.slowly(form_save(held, 9, 1, 1, []), 0)  # the form is known from here on
    held.row[2][1] = [["a grant"]]
    plain = batch_of((held, [form_save(held, 1, 2, 1, [])]))
    plain.take([0], keys_of(held))
    assert plain.shared == list(plain.whole) == [held.stream]


@pytest.mark.parametrize("count", [64, 65, 200])
def test_no_more_changes_are_taken_at_once_than_a_row_has_room_for(count):
    """Whoever asks: ``place`` would not let them through."""
    held = Held()
    held.slowly(form_save(held, 0, 1, 1, []), 0)  # the form is known from here on
    leaves = [form_save(held, number, 1, number, []) for number in range(1, count + 1)]
    assert (batch_of((held, leaves)).others() == []) is (count == 64)
    rows, keys = [packed(held.row)], keys_of(held)
    [row], _, _ = stream_kernels.packed_kernel.take(
        [(held.stream, leaves)], [-1], rows, keys, [0] * count, held.path, OWN_DEVICE
    )
    assert (row is not None) is (count == 64)


def test_streams_without_a_list_of_leaves_are_refused():
    held = Held()
    rows, keys = [packed(held.row)], keys_of(held)
    for odd in (None, (), 7):
        with pytest.raises(TypeError):
            stream_kernels.packed_kernel.place([(held.stream, odd)], rows, OWN_DEVICE)
        with pytest.raises(TypeError):
            stream_kernels.packed_kernel.take(
                [(held.stream, odd)], [-1], rows, keys, [0], held.path, OWN_DEVICE
            )


def test_own_unsent_changes_lie_behind_everything():
    """None of the others' changes has seen them: what comes next comes before them."""
    held = Held()
    held.slowly(form_save(held, 9, 1, 1, []), 0)  # the form is known from here on
    held.row[0] = [3, 1, 1, 0, 0, 0, END_OF_LOG + 7, OWN_DEVICE, 7, 1, 0, 0]
    plain = batch_of((held, [form_save(held, 4, 2, 1, [])]))
    plain.take([2], keys_of(held))
    assert list(plain.whole) == [held.stream]
    plain = batch_of((held, [form_save(held, 3, 2, 1, [])]))
    plain.take([2], keys_of(held))
    assert [stream.last_index for stream in plain.left] == [3]


def test_the_key_that_is_named_is_found_among_others():
    """Of the compartment and the name; of another compartment, or in its older form, it is not."""
    held = Held()
    held.slowly(form_save(held, 9, 1, 1, []), 0)  # the form is known from here on
    leaf, other = form_save(held, 1, 2, 1, []), b"o" * 96
    for keys, found in [
        ({(KIND + 1, (1, 1, 0)): other, (KIND, (2, 1, 0)): other, **key_row(held, KIND)}, True),
        ({(KIND, (2, 1, 0)): other}, False),
        (key_row(held, KIND + 1), False),
        ({(KIND, (1, 1, 0)): b"q" * 32}, False),
        ({}, False),
    ]:
        plain = batch_of((held, [leaf]))
        plain.take([1], [packed(keys)])
        assert bool(plain.whole) is found
    plain = batch_of((held, [leaf]))
    plain.take([1], [None])
    assert [left.stream for left in plain.left] == [held.stream]


@pytest.mark.parametrize("index", [2, 3, 4])
def test_no_key_is_introduced_before_its_statement(index):
    held = Held()
    held.slowly(form_save(held, 9, 1, 1, []), 0)  # the form is known from here on
    held.row[2][2][0][6] = 3
    plain = batch_of((held, [form_save(held, index, 1, 1, [])]))
    plain.take([0], keys_of(held))
    assert bool(plain.whole) is (index > 3)


@given(numbers=st.lists(st.tuples(st.sampled_from(DEVICES), st.integers(1, 6)), max_size=6))
def test_only_what_is_newer_than_all_is_placed(numbers):
    held = Held()
    held.row[4] = {1: [2, b"l" * 8]}
    leaves = [
        sealed_leaf(held.key, at, device, number, b"")
        for at, (device, number) in enumerate(numbers)
    ]
    plain = batch_of((held, leaves))
    newest = {1: 2}
    rising = True
    for device, number in numbers:
        rising = rising and number > newest.get(device, 0)
        newest[device] = number
    assert (plain.others() == []) is rising
    assert len(plain.ends) == (len(leaves) if rising else 0)


@given(
    applied=st.sets(st.integers(1, 40), min_size=1, max_size=30),
    named=st.lists(st.integers(1, 41), min_size=1, max_size=16, unique=True),
)
def test_what_was_replaced_long_ago_is_known(applied, named):
    """A change is taken where all it names was applied, wherever in the list it stands."""
    held = Held()
    first = form_save(held, 0, 1, max(applied), [])
    _, held.row = held.slowly(first, 0)
    held.row[1][1][0][0] = sorted(applied)
    replaces = [[1, number, first.link[:8], 7] for number in named]
    later_ = form_save(held, 1, 2, 1, replaces)
    plain = batch_of((held, [later_]))
    plain.take([1], keys_of(held))
    assert bool(plain.whole) is applied.issuperset(named)
    if plain.whole:
        assert plain.whole[held.stream] == packed(taken_by_python(held, [later_], 1))


@pytest.mark.parametrize(("applied", "whole"), [(256, True), (257, False)])
def test_a_long_list_of_numbers_is_searched_by_python(applied, whole):
    """It bisects; whoever writes a change chooses how often that is done."""
    held = Held()
    first = form_save(held, 0, 1, 1, [])
    _, held.row = held.slowly(first, 0)
    held.row[1][1][0][0] = list(range(1, applied + 1))
    leaf = form_save(held, 1, 2, 1, [[1, 2, first.link[:8], 7]])
    plain = batch_of((held, [leaf]))
    plain.take([1], keys_of(held))
    assert bool(plain.whole) is whole
    assert taken_by_python(held, [leaf], 1) is not None


def test_a_damaged_table_of_forms_is_left_to_python():
    held = Held()
    first = form_save(held, 0, 1, 1, [])
    _, held.row = held.slowly(first, 0)
    held.row[1][3][0] = "no form"
    leaf = form_save(held, 1, 2, 1, [[1, 1, first.link[:8], 7]])
    plain = batch_of((held, [leaf]))
    plain.take([1], keys_of(held))
    assert not plain.whole


def test_a_large_form_with_little_left_of_it_is_replaced():
    """Its cells behind the 64th are gone: what is left of its mask is an integer again."""
    held = Held()
    form_save(held, 0, 1, 1, [])
    pairs = [part for _, field, code in FIELDS[:1] for part in (field << 4 | code, "x")]
    large = [PERSON, *[(field << 4) | 1 for field in range(900, 970)], pairs[0]]
    packed_body = msgpack.packb([5, 1, [], [[RECORDS[0], PERSON, pairs]]], use_bin_type=True)
    _, held.row = held.slowly(sealed_leaf(held.key, 0, 1, 1, packed_body), 0)
    held.row[1][3].append(large)
    held.row[1][1][0][1][1][2:] = [3, 0, 1]
    replaces = [[1, 1, held.row[1][1][0][1][1][0], 1 << 63 | 1]]
    body = msgpack.packb([5, 1, replaces, [[RECORDS[0], PERSON, pairs]]], use_bin_type=True)
    leaf = sealed_leaf(held.key, 1, 2, 1, body)
    plain = batch_of((held, [leaf]))
    plain.take([1], keys_of(held))
    fast, fast_row = held.fast(leaf, 1)
    assert fast
    assert plain.whole[held.stream] == packed(fast_row) == packed(taken_by_python(held, [leaf], 1))


@given(data=st.data())
@settings(max_examples=400)
def test_a_damaged_row_is_never_read_beyond_its_end(data):
    """Whatever the bytes are: left alone, or taken for what they say."""
    held = Held()
    for step in range(3):
        replaces = [[1, step, b"l" * 8, 7]] if step else []
        _, held.row = held.slowly(form_save(held, step, 1, step + 1, replaces), step)
    held.engine.keys._streams[held.stream] = {(KIND, held.key.commitment[:8]): held.key}
    leaf = form_save(held, 9, 2, 1, [])
    damaged, keys = packed(held.row), packed(key_row(held, KIND))
    for _ in range(data.draw(st.integers(0, 2))):
        damaged = data.draw(changed(damaged))
    if data.draw(st.booleans()):
        keys = data.draw(changed(keys))
    plain = PlainBatch(held.path, [(held.stream, [leaf])], [damaged], OWN_DEVICE)
    plain.take([7] * len(plain.ends), [keys])
    assert len(plain.whole) + len(plain.left) + len(plain.others()) == 1
    for row in plain.whole.values():
        assert row.endswith(damaged[-1:])
