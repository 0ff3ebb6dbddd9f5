"""Unsealed segment: statements, boxes, feed links (translog; ``protocol/change.md``, kind 0).

The one segment the relay reads: it takes feed links and the opening's random bytes from it.
Whether a statement is valid or a box opens is judged by those who hold keys. A statement's
position is its index in the array, so order carries meaning and is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from casesync.codec.canonical import pack, unpack
from casesync.crypto.key_schedule import H
from casesync.foundation.compiled import compiled
from casesync.foundation.errors import RemoteProtocolError
from casesync.foundation.ids import Compartment, StreamId

unsealed_kernel = compiled("casesync.translog._unsealed", 1)
"""Reads what an unsealed segment usually says; without it ``decode_unsealed`` reads all."""

_OPENING: Final = 1
_STATEMENT: Final = 2
_MORE_BOXES: Final = 3
_FEED_LINK: Final = 4

ITEMS_MAX: Final = 256
"""A statement's position is one byte."""
BOXES_MAX: Final = 4096
"""Units that one statement can be boxed to; a network has at most a few thousand."""
SYMMETRIC_BOX_BYTES: Final = 48
HPKE_BOX_BYTES: Final = 1168
_COMPARTMENTS: Final = frozenset(int(compartment) for compartment in Compartment)


class Box(NamedTuple):
    """A stream key boxed to one unit key."""

    key_name: bytes
    """First 8 bytes of the unit key's hash."""
    epoch: int
    sealed: bytes
    """48 bytes (symmetric) or 1168 bytes (HPKE)."""


class Predecessor(NamedTuple):
    """The base statement that a newer one replaces, with its key sealed under the newer."""

    device: int
    number: int
    position: int
    sealed: bytes
    """48 bytes."""


class Statement(NamedTuple):
    """Introduces a stream key of one compartment."""

    position: int
    """Index in the segment's array."""
    compartment: int
    commitment: bytes
    """32 bytes."""
    boxes: tuple[Box, ...]
    predecessor: Predecessor | None


class MoreBoxes(NamedTuple):
    """Further boxes for an earlier statement."""

    device: int
    number: int
    position: int
    boxes: tuple[Box, ...]


class FeedLink(NamedTuple):
    """Links (or unlinks) the change's stream to a feed."""

    feed: bytes
    """16 bytes."""
    linked: bool


class UnsealedItems(NamedTuple):
    """What an unsealed segment says."""

    random16: bytes | None
    """In an opening: what the stream's id is made from."""
    statements: tuple[Statement, ...]
    boxes: tuple[MoreBoxes, ...]
    feed_links: tuple[FeedLink, ...]


def stream_id(network: bytes, device: int, number: int, random16: bytes) -> StreamId:
    """The id of the stream that change ``number`` of ``device`` opens (conventions, *Ids*)."""
    place = device.to_bytes(4, "big") + number.to_bytes(6, "big")
    return StreamId(H("stream-id", network, place, random16)[:16])


def first_statement_position(random16: bytes | None) -> int:
    """The position of the first statement that ``encode_unsealed`` will write."""
    return 0 if random16 is None else 1


def encode_unsealed(
    random16: bytes | None = None,
    statements: Sequence[Statement] = (),
    boxes: Sequence[MoreBoxes] = (),
    feed_links: Sequence[FeedLink] = (),
) -> bytes:
    """The segment's bytes; statements stand right behind the opening's random bytes.

    Raises: ValueError: a statement whose position is not the index it gets here.
    """
    items: list[list[Any]] = [] if random16 is None else [[_OPENING, random16]]
    for statement in statements:
        if statement.position != len(items):
            raise ValueError("a statement's position is its index in the segment")
        predecessor = statement.predecessor
        items.append(
            [
                _STATEMENT,
                statement.compartment,
                statement.commitment,
                _box_rows(statement.boxes),
                None if predecessor is None else list(predecessor),
            ]
        )
    items.extend([_MORE_BOXES, *more[:3], _box_rows(more.boxes)] for more in boxes)
    items.extend([_FEED_LINK, feed_link.feed, feed_link.linked] for feed_link in feed_links)
    return pack(items)


def decode_unsealed(data: bytes) -> UnsealedItems:
    """What ``data`` says.

    Raises:
        RemoteProtocolError: ``malformed``: anything that is not a canonical unsealed segment.
    """
    if unsealed_kernel is not None:
        found: UnsealedItems | None
        found = unsealed_kernel.decode(data, UnsealedItems, Statement, Box, FeedLink)
        if found is not None:
            return found
    items = unpack(data)
    if type(items) is not list or not 1 <= len(items) <= ITEMS_MAX:
        raise _malformed("items")
    random16: bytes | None = None
    statements: list[Statement] = []
    more_boxes: list[MoreBoxes] = []
    feed_links: list[FeedLink] = []
    for position, item in enumerate(items):
        if type(item) is not list or not item or type(item[0]) is not int:
            raise _malformed("item")  # a pattern's 1 would also match true
        match item:
            case [1, bytes(random)] if len(random) == 16 and random16 is None:
                random16 = random
            case [2, compartment, commitment, boxes, predecessor]:
                statements.append(_statement(position, compartment, commitment, boxes, predecessor))
            case [3, device, number, statement_position, boxes]:
                statement_id = _statement_id(device, number, statement_position)
                more_boxes.append(MoreBoxes(*statement_id, _boxes(boxes)))
            case [4, bytes(feed), bool(linked)] if len(feed) == 16:
                feed_links.append(FeedLink(feed, linked))
            case _:
                raise _malformed("item")
    return UnsealedItems(random16, tuple(statements), tuple(more_boxes), tuple(feed_links))


def _box_rows(boxes: Sequence[Box]) -> list[list[Any]]:
    return [list(box) for box in boxes]


def _statement(
    position: int, compartment: object, commitment: object, boxes: object, predecessor: object
) -> Statement:
    if type(compartment) is not int or compartment not in _COMPARTMENTS:
        raise _malformed("compartment")
    if type(commitment) is not bytes or len(commitment) != 32:
        raise _malformed("commitment")
    earlier = None
    if predecessor is not None:
        match predecessor:
            case [device, number, earlier_position, bytes(sealed)] if (
                len(sealed) == SYMMETRIC_BOX_BYTES and compartment == Compartment.BASE
            ):
                statement_id = _statement_id(device, number, earlier_position)
                earlier = Predecessor(*statement_id, sealed)
            case _:
                raise _malformed("predecessor")
    return Statement(position, compartment, commitment, _boxes(boxes), earlier)


def _statement_id(device: object, number: object, position: object) -> tuple[int, int, int]:
    if type(device) is not int or type(number) is not int or type(position) is not int:
        raise _malformed("statement id")
    if not (1 <= device < 1 << 32 and 1 <= number < 1 << 48 and 0 <= position < ITEMS_MAX):
        raise _malformed("statement id")
    return device, number, position


def _boxes(rows: object) -> tuple[Box, ...]:
    if type(rows) is not list or len(rows) > BOXES_MAX:
        raise _malformed("boxes")
    boxes = []
    for row in rows:
        match row:
            case [bytes(key_name), int(epoch), bytes(sealed)] if (
                len(key_name) == 8
                and type(epoch) is int
                and 1 <= epoch < 1 << 32
                and len(sealed) in {SYMMETRIC_BOX_BYTES, HPKE_BOX_BYTES}
            ):
                boxes.append(Box(key_name, epoch, sealed))
            case _:
                raise _malformed("box")
    return tuple(boxes)


def _malformed(part: str) -> RemoteProtocolError:
    return RemoteProtocolError("malformed", what=f"unsealed segment: {part}")
