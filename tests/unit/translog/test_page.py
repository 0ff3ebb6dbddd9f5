"""Pages: what the relay builds is what the receiver proves (protocol/sync.md, *Page*)."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from casesync.codec.canonical import pack, unpack
from casesync.foundation.errors import RelayMisbehaviour
from casesync.foundation.limits import PAGE_ITEMS_MAX
from casesync.merkle.compact_range import CompactRange
from casesync.translog.header import parse_header
from casesync.translog.page import read_page
from casesync.translog.page_builder import PageBuilder
from unit.translog.page_world import Log, log_of


def nothing_own(_number):
    return None


@st.composite
def worlds(draw):
    log = Log()
    for _ in range(draw(st.integers(1, 40))):
        log.append(
            draw(st.integers(1, 3)),
            bytes([draw(st.integers(0, 2))]) * 16,
            sorted(draw(st.sets(st.sampled_from([0, 1, 2, 3, 9]), min_size=1))),
            size=draw(st.sampled_from([0, 5])),
            after=draw(st.sampled_from([(), ((77, 3, b"l" * 8),)])),
        )
    size = len(log.leaves)
    first = draw(st.integers(0, size))
    end = draw(st.integers(first, size))
    target = draw(st.integers(end, size))
    served = {i for i in range(first, end) if draw(st.booleans())}
    return log, first, end, target, served


@given(worlds(), st.sampled_from([None, 1]), st.sampled_from([(), frozenset({2, 3})]))
def test_the_receiver_restores_exactly_what_the_relay_serves(world, own, withheld):
    log, first, end, target, served = world
    page = unpack(pack(log.page(first, end, target, served, own, withheld)))
    held = log.range(first)
    leaves, reached = read_page(page, held, target, log.root(target), log.own(own))
    assert [leaf.index for leaf in leaves] == sorted(served)
    assert (reached.size, reached.root()) == (end, log.root(end))
    assert (held.size, held.root()) == (first, log.root(first))
    for leaf in leaves:
        truth = log.leaves[leaf.index]
        assert leaf.log_time_ms == truth.log_time_ms
        assert leaf.previous_link == truth.previous_link
        assert leaf.header == truth.header
        assert leaf.signature == truth.signature
        assert (leaf.device, leaf.link) == (truth.device, truth.link)
        assert leaf.own == (truth.number if truth.device == own else None)
        kinds = [row.kind for row in _segments(truth.header)]
        for kind, got, sent in zip(kinds, leaf.segments, truth.segments, strict=True):
            assert got == (None if kind in withheld and leaf.own is None else sent)


def _segments(header):
    return parse_header(header).segments


@given(worlds())
def test_a_run_is_a_chain_and_starts_only_where_one_must(world):
    """One signature covers a run: every previous link in it follows from the page alone."""
    log, first, end, target, served = world
    page = log.page(first, end, target, served)
    leaves, _ = read_page(page, log.range(first), target, log.root(target), nothing_own)
    newest: dict[int, int] = {}
    for leaf in leaves:
        number = log.leaves[leaf.index].number
        within_reach = leaf.device in newest and number - newest[leaf.device] <= 3
        assert leaf.run_starts is not within_reach
        newest[leaf.device] = number


def test_skipped_changes_are_bridged_when_one_or_two_and_not_when_three():
    for skipped, bridged in ((0, True), (1, True), (2, True), (3, False)):
        log = log_of(*[1] * (skipped + 2))
        page = log.page(0, skipped + 2, skipped + 2, {0, skipped + 1})
        assert any(type(item) is list for item in page[3]) is (bridged and skipped > 0)
        leaves, _ = read_page(page, CompactRange(), skipped + 2, log.root(skipped + 2), nothing_own)
        assert [leaf.run_starts for leaf in leaves] == [True, not bridged]


def test_a_change_follows_the_own_change_before_it_without_a_link():
    """The device's own frame also gives the link for what the relay serves in full."""
    log = log_of(1, 1)
    page = log.page(0, 2, 2, {0, 1})
    page[3][0] = log.page(0, 1, 2, {0}, own=1)[3][0]
    leaves, _ = read_page(page, CompactRange(), 2, log.root(2), log.own(1))
    assert [leaf.own for leaf in leaves] == [1, None]
    assert leaves[1].previous_link == log.leaves[0].link


def test_pages_that_follow_each_other_reach_the_target():
    log = log_of(*[1, 2, 1, 3, 2, 2, 1, 3, 1, 1, 2])
    held = log.range(1)
    for end in (2, 3, 7, 11):
        page = log.page(held.size, end, 11, {i for i in range(held.size, end) if i % 2})
        _, held = read_page(page, held, 11, log.root(11), nothing_own)
    assert held.to_bytes() == log.range(11).to_bytes()


def test_nothing_new_is_a_page_without_hashes():
    log = log_of(1, 2, 3)
    page = log.page(3, 3, 3, set())
    assert page == [3, b"", [], [], b""]
    leaves, reached = read_page(page, log.range(3), 3, log.root(3), nothing_own)
    assert (leaves, reached.size) == ([], 3)


def test_a_thousand_leaves_of_others_cost_few_hashes():
    """DESIGN 7: about 192 bytes; a count, not a time."""
    log = log_of(*[1] * 1100)
    page = log.page(64, 1088, 1088, set())
    assert len(page[4]) <= 192
    read_page(page, log.range(64), 1088, log.root(1088), nothing_own)


def test_a_small_change_costs_few_bytes_around_its_ciphertext():
    """A frame of one 64-byte segment: 92 bytes besides, 80 of them no number can say shorter."""
    log = log_of(1, 1)
    frame = log.page(0, 2, 2, {0, 1})[3][1]
    signature_key_name_random = 64 + 8 + 8
    flags_time_references, number_here_after, control_checkpoint, count_kind_length = 4, 3, 2, 3
    assert len(frame) - 64 == signature_key_name_random + (
        flags_time_references + number_here_after + control_checkpoint + count_kind_length
    )


def test_numbers_that_a_page_before_has_not_held_cost_their_length():
    """The log time stands whole in the first frame only, devices of after entries as steps."""
    log = Log()
    after = tuple((device, 200, b"l" * 8) for device in (70_000, 70_001, 70_127))
    for _ in range(2):
        log.append(1, after=after, time_ms=1 << 41)
    page = log.page(0, 2, 2, {0, 1})
    first, second = page[3]
    assert len(first) - len(second) == 6 - 1 + 32  # stamp, link
    log_after = 3 + 1 + 1 + 3 * (2 + 8)
    assert len(second) == 64 + 92 + log_after
    leaves, _ = read_page(unpack(pack(page)), CompactRange(), 2, log.root(2), nothing_own)
    assert [leaf.log_time_ms for leaf in leaves] == [1 << 41] * 2
    assert [leaf.header for leaf in leaves] == [leaf.header for leaf in log.leaves]


# -- what must be refused --------------------------------------------------------------------


def _honest():
    log = log_of(1, 2, 1, 1, 2, 3, 1, 2, 2, kinds=(0, 2))
    return log, log.page(1, 8, 9, {1, 2, 3, 6, 7})


def _change_item(page, at, item):
    page[3][at] = item


def _flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


BENT = {
    "no page": lambda _: [],
    "one part too many": lambda p: [*p, 1],
    "t as text": lambda p: ["8", *p[1:]],
    "t true": lambda p: [True, *p[1:]],
    "t below the cursor": lambda p: [0, *p[1:]],
    "t beyond the target": lambda p: [10, *p[1:]],
    "t one less": lambda p: [7, *p[1:]],
    "t one more": lambda p: [9, *p[1:]],
    "t huge": lambda p: [2**60, *p[1:]],
    "streams as array": lambda p: [p[0], [p[1]], *p[2:]],
    "streams cut": lambda p: [p[0], p[1][:-1], *p[2:]],
    "streams missing": lambda p: [p[0], b"", *p[2:]],
    "devices nil": lambda p: [*p[:2], None, *p[3:]],
    "devices missing": lambda p: [*p[:2], [], *p[3:]],
    "device 0": lambda p: [*p[:2], [0, 1], *p[3:]],
    "device beyond 32 bits": lambda p: [*p[:2], [2**32, 1], *p[3:]],
    "device exchanged": lambda p: [*p[:2], p[2][::-1], *p[3:]],
    "items nil": lambda p: [*p[:3], None, p[4]],
    "no items": lambda p: [*p[:3], [], p[4]],
    "hashes as text": lambda p: [*p[:4], "x"],
    "hashes cut by a byte": lambda p: [*p[:4], p[4][:-1]],
    "a hash missing": lambda p: [*p[:4], p[4][:-32]],
    "a hash left over": lambda p: [*p[:4], p[4] + bytes(32)],
    "a hash changed": lambda p: [*p[:4], _flip(p[4], 3)],
    "a leaf left out": lambda p: [*p[:3], p[3][1:], p[4]],
    "a leaf repeated": lambda p: [*p[:3], [p[3][0], *p[3]], p[4]],
    "two leaves exchanged": lambda p: [*p[:3], [p[3][1], p[3][0], *p[3][2:]], p[4]],
    "a negative gap": lambda p: [*p[:3], [-1, *p[3]], p[4]],
    "a gap of nothing": lambda p: [*p[:3], [0, *p[3]], p[4]],
    "an endless gap": lambda p: [*p[:3], [2**63, *p[3]], p[4]],
    "text as item": lambda p: [*p[:3], ["x", *p[3]], p[4]],
    "nil as item": lambda p: [*p[:3], [None, *p[3]], p[4]],
    "true as item": lambda p: [*p[:3], [True, *p[3]], p[4]],
    "an empty frame": lambda p: [*p[:3], [b"", *p[3]], p[4]],
    "a bridge of a device not seen": lambda p: [*p[:3], [[0, bytes(32)], *p[3]], p[4]],
    "a bridge to nowhere": lambda p: [*p[:3], [*p[3], [9, bytes(32)]], p[4]],
    "a bridge of text": lambda p: [*p[:3], [*p[3], [0, "x"]], p[4]],
    "a bridge of a short hash": lambda p: [*p[:3], [*p[3], [0, bytes(31)]], p[4]],
    "a bridge without a hash": lambda p: [*p[:3], [*p[3], [0]], p[4]],
    "a bridge backwards": lambda p: [*p[:3], [*p[3], [-1, bytes(32)]], p[4]],
    "a bridge in the wrong place": lambda p: [*p[:3], [p[3][0], [0, bytes(32)], *p[3][1:]], p[4]],
    "an own frame of a stranger": lambda p: [*p[:3], [b"\x02\x00\x07"], p[4]],
    "an own frame too short": lambda p: [*p[:3], [b"\x02\x00"], p[4]],
    "an own frame too long": lambda p: [*p[:3], [b"\x02\x00\x07\x00"], p[4]],
    "an own frame with a link": lambda p: [*p[:3], [b"\x03\x00\x07"], p[4]],
    "a flag that no frame has": lambda p: [*p[:3], [b"\x09" + p[3][0][1:], *p[3][1:]], p[4]],
    "log times beyond 48 bits": lambda p: [
        *p[:3],
        [*p[3][:1], p[3][1][:1] + b"\xff" * 6 + b"\x7f" + p[3][1][2:], *p[3][2:]],
        p[4],
    ],
}


@pytest.mark.parametrize("bend", BENT.values(), ids=BENT)
def test_a_bent_page_is_refused_whole(bend):
    log, page = _honest()
    held = log.range(1)
    read_page(page, held, 9, log.root(9), nothing_own)
    with pytest.raises(RelayMisbehaviour) as caught:
        read_page(bend(page), held, 9, log.root(9), nothing_own)
    assert caught.value.code == "page-contradicts-log"
    assert held.to_bytes() == log.range(1).to_bytes()


def test_every_byte_of_every_frame_counts():
    """One bit changed anywhere is either refused, or cannot be told apart by what is hashed."""
    log, page = _honest()
    for at, item in enumerate(page[3]):
        if type(item) is not bytes:
            continue
        for byte in range(len(item)):
            bent = [*page[:3], list(page[3]), page[4]]
            bent[3][at] = _flip(item, byte)
            with pytest.raises(RelayMisbehaviour):
                read_page(bent, log.range(1), 9, log.root(9), nothing_own)


def test_a_frame_cut_anywhere_is_refused():
    log, page = _honest()
    frame = page[3][0]
    for cut in range(len(frame)):
        bent = [*page[:3], [frame[:cut], *page[3][1:]], page[4]]
        with pytest.raises(RelayMisbehaviour):
            read_page(bent, log.range(1), 9, log.root(9), nothing_own)


def test_a_frame_with_bytes_behind_its_segments_is_refused():
    """Nothing travels beside what is hashed."""
    log, page = _honest()
    for at, item in enumerate(page[3]):
        if type(item) is bytes:
            bent = [*page[:3], list(page[3]), page[4]]
            bent[3][at] = item + b"\x00"
            with pytest.raises(RelayMisbehaviour):
                read_page(bent, log.range(1), 9, log.root(9), nothing_own)


def test_another_root_or_another_cursor_is_refused():
    """Attacks 41 and 42: a page of another history does not reach the root that is held."""
    log, page = _honest()
    other = log_of(2, 2, 1, 1, 2, 3, 1, 2, 2)
    for held, size, root in (
        (log.range(1), 9, other.root(9)),
        (other.range(1), 9, log.root(9)),
        (log.range(2), 9, log.root(9)),
        (log.range(1), 8, log.root(8)),
    ):
        with pytest.raises(RelayMisbehaviour):
            read_page(page, held, size, root, nothing_own)


def test_a_leaf_without_a_known_previous_link_is_refused():
    log = log_of(1, 1)
    page = log.page(0, 2, 2, {0, 1})
    page[3][0] = 1
    page[4] = log.node(0, 0)
    with pytest.raises(RelayMisbehaviour) as caught:
        read_page(page, CompactRange(), 2, log.root(2), nothing_own)
    assert caught.value.params == {"what": "previous link"}


@pytest.mark.parametrize("own", [None, 2])
def test_log_time_never_runs_backwards(own):
    """No frame can say it, so a relay looks at its stamps before."""
    log = Log()
    log.append(1, time_ms=2000)
    log.append(2, time_ms=1999)
    with pytest.raises(ValueError, match="backwards"):
        log.page(0, 2, 2, {0, 1}, own)


def test_an_own_change_is_named_once():
    """A page of few bytes cannot make the receiver load its own changes again and again."""
    log = log_of(1, 1)
    page = log.page(0, 2, 2, {0, 1}, own=1)
    looked_up = []

    def lookup(number):
        looked_up.append(number)
        return log.own(1)(number)

    read_page(page, CompactRange(), 2, log.root(2), lookup)
    assert looked_up == [1, 2]
    bent = [*page[:3], [page[3][0]] * 1000, page[4]]
    with pytest.raises(RelayMisbehaviour):
        read_page(bent, CompactRange(), 2, log.root(2), lookup)
    assert looked_up == [1, 2, 1]


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 2**64 - 1)
    | st.binary(max_size=140)
    | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=6),
    max_leaves=12,
)


@given(st.lists(JUNK, max_size=6))
def test_any_value_for_a_page_is_refused_with_our_own_error(page):
    log = log_of(1, 2, 1)
    with pytest.raises(RelayMisbehaviour):
        read_page(page, CompactRange(), 3, log.root(3), nothing_own)


@given(
    st.lists(st.binary(min_size=1, max_size=200) | st.integers(1, 3) | JUNK, max_size=8), st.data()
)
def test_junk_items_are_refused_with_our_own_error(items, data):
    log = log_of(1, 2, 1)
    page = [3, b"s" * 16, [1, 2], items, b"".join(log.levels[0])]
    assume(items not in ([1, 1, 1], [1, 2]))  # with three hashes of leaves: honest pages
    with pytest.raises(RelayMisbehaviour):
        read_page(page, CompactRange(), 3, log.root(3), log.own(1))


def test_a_page_is_full_before_a_receiver_would_refuse_it():
    """Streams, devices, own frames and items each have their bound."""
    log = log_of(1)
    leaf = log.leaves[0]
    size = 2**20

    def add(builder, index, device=1, stream=b"s" * 16):
        builder.add_change(
            index,
            0,
            device=device,
            number=1,
            stream=stream,
            previous_link=leaf.previous_link,
            link=leaf.link,
            header=leaf.header,
            signature=leaf.signature,
            segments=b"".join(leaf.segments),
        )

    by_what = {
        "streams": lambda b, i: add(b, i, stream=i.to_bytes(16, "big")),
        "devices": lambda b, i: add(b, i, device=i + 1),
        "own": lambda b, i: b.add_own(i, 0, i + 1),
    }
    for fill in by_what.values():
        builder = PageBuilder(0, size, log, log.header)
        count = 0
        while not builder.full:
            fill(builder, count)
            count += 1
        assert count in {65_535, 65_536}
    builder = PageBuilder(0, size, log, log.header)
    count = 0
    while not builder.full:
        add(builder, 2 * count + 1)
        count += 1
    assert 2 * count + 1 <= PAGE_ITEMS_MAX < 2 * count + 8


def test_leaves_are_added_in_order_and_up_to_the_target():
    log = log_of(1, 1, 1)
    builder = PageBuilder(1, 2, log, log.header)
    for index in (0, 3):
        with pytest.raises(ValueError, match="order"):
            builder.add_own(index, 0, 1)
