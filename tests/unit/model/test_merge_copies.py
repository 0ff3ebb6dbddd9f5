"""What snapshots and supplements hold (record-model.md, Copies)."""

from __future__ import annotations

from casesync.model.cells import CellId
from casesync.model.copies import copy_differs, snapshot_copies, supplement_copies
from casesync.model.merge import StreamState
from casesync.model.segment_body import (
    Content,
    Replacement,
    Write,
    copy_at,
    decode_content,
    encode_content,
    encode_copies,
)

CELLS = [CellId(b"\x01" * 16, 1, field, None, 0) for field in (1, 2)]


def link(number: int) -> bytes:
    return b"link-%03d" % number


class Owner:
    """A replica of the owning unit; changes are numbered over all devices, for short."""

    def __init__(self) -> None:
        self.state = StreamState()
        self.contents: dict[int, Content] = {}

    def put(self, number: int, *values: str, replaces: dict[int, int] | None = None) -> Content:
        names = [Replacement(n, n, link(n), mask) for n, mask in (replaces or {}).items()]
        writes = [Write(c, 3, value) for c, value in zip(CELLS, values, strict=False)]
        content = decode_content(encode_content(number, 1, names, writes))
        self.contents[number] = content
        self.state.apply(number, number, 2, link(number), content, number)
        return content

    def open_body(self, location: int, _compartment: int) -> Content | None:
        return self.contents.get(location)


def test_a_snapshot_holds_live_cells_only() -> None:
    """A former hiding place must not travel along."""
    owner = Owner()
    owner.put(1, "hidden at X", "kept")
    owner.put(2, "moved to Y", replaces={1: 0b01})
    copies = snapshot_copies(owner.state, 2, owner.open_body)
    assert [(c.number, c.position, c.value) for c in copies] == [
        (1, 1, "kept"),
        (2, 0, "moved to Y"),
    ]
    assert [c.clock_ms for c in copies] == [1, 2]
    assert all(c.replaces == () for c in copies)


def test_a_snapshot_names_what_is_replaced_but_has_not_come() -> None:
    """It may come later under a key the grantee lacks; by a supplement it must not come alive."""
    owner, grantee = Owner(), StreamState()
    owner.put(3, "new", replaces={2: 0b01})
    owner.put(4, "newest", replaces={3: 0b01})
    copies = snapshot_copies(owner.state, 2, owner.open_body)
    assert [c.number for c in copies] == [4]
    assert copies[0].replaces == (Replacement(2, 2, link(2), 1),)
    late = owner.put(2, "old")
    snapshot = decode_content(encode_copies(1, 1, b"g" * 16, 1, 1, copies))
    grantee.apply(9, 1, 2, link(9), snapshot, 1)
    grantee.apply(2, 2, 2, link(2), late, 2)
    assert {w.number for w in owner.state.live_writes()} == {4}
    supplement = supplement_copies(owner.state, (2, 2, 2), late, owner.open_body)
    assert [c.value for c in supplement] == ["newest"]


def test_a_supplement_brings_the_words_and_what_they_replace() -> None:
    owner, grantee = Owner(), StreamState()
    owner.put(1, "first", "second")
    snapshot = snapshot_copies(owner.state, 2, owner.open_body)
    late = owner.put(2, "concurrent", replaces={1: 0b01})
    supplement = supplement_copies(owner.state, (2, 2, 2), late, owner.open_body)
    for number, copies in ((8, supplement), (9, snapshot)):
        body = encode_copies(1, 1, b"g" * 16, 0, 0, copies)
        grantee.apply(number, 1, 2, link(number), decode_content(body), number)
    assert {w[:4] for w in grantee.live_writes()} == {w[:4] for w in owner.state.live_writes()}


def test_a_copy_of_a_copy_is_the_same_copy() -> None:
    """A grantee that may grant further passes on identities, not new writes."""
    owner, grantee = Owner(), Owner()
    owner.put(1, "a", "b")
    copies = snapshot_copies(owner.state, 2, owner.open_body)
    body = decode_content(encode_copies(1, 1, b"g" * 16, 1, 1, copies))
    grantee.contents[9] = body
    grantee.state.apply(9, 1, 2, link(9), body, 9)
    assert snapshot_copies(grantee.state, 2, grantee.open_body) == copies


def test_what_cannot_be_opened_is_not_copied() -> None:
    owner = Owner()
    owner.put(1, "a")
    owner.contents.clear()
    assert snapshot_copies(owner.state, 2, owner.open_body) == []


def test_a_copy_that_says_something_else_is_reported() -> None:
    owner = Owner()
    content = owner.put(1, "a", "b")
    [first, second] = snapshot_copies(owner.state, 2, owner.open_body)
    assert not copy_differs(first, link(1), content)
    wrong = [
        first._replace(value="A"),
        first._replace(clock_ms=2),
        first._replace(code=2),
        first._replace(position=1),
        first._replace(position=2),
        first._replace(link8=b"otherone"),
        second._replace(cell=CELLS[0]),
    ]
    assert all(copy_differs(copy, link(1), content) for copy in wrong)
    carried = decode_content(encode_copies(1, 1, b"g" * 16, 1, 1, [first]))
    assert copy_differs(copy_at(carried, 0), link(1), carried)
