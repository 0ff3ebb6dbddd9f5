"""What every replica store must do with own changes that are signed late (testing, stands aside).

Part of the suite of ``conformance_store.py``. A signature here is made of the message alone, so
that a reader can tell whether a change has its own.
"""

from __future__ import annotations

from hashlib import sha512
from typing import Final, final

import msgpack

from casesync.foundation.errors import LocalStateError
from casesync.sync.ports import StoredChange, Transaction, UnsignedChange
from casesync.testing.conformance_store import Check, StorePlace, code_of, stored_change

_BYTES: Final = (0, 90, 700, 5_000, 40_000)


@final
class Marking:
    """A signer of tests; it may fail."""

    def __init__(self, failing: bytes = b"") -> None:
        """Args: failing: the message it does not sign."""
        self.failing = failing

    def sign(self, message: bytes) -> bytes:
        """64 bytes that say what was signed."""
        if message == self.failing:
            raise LocalStateError("disk-error")
        return sha512(message).digest()


def _own(number: int) -> tuple[UnsignedChange, StoredChange]:
    """A change without its signature, and as it is to be read."""
    message = b"%d" % number
    one = stored_change(number * 3 + 1, _BYTES[number % len(_BYTES)])
    segments = tuple(segment for segment in one.segments if segment is not None)
    signature = sha512(message).digest()
    return (
        UnsignedChange(one.previous_link, one.header, segments, message),
        StoredChange(one.previous_link, one.header, signature, segments),
    )


def _append(
    transaction: Transaction, numbers: range, signer: Marking
) -> tuple[list[int], list[StoredChange]]:
    locations, changes = [], []
    for number in numbers:
        own, read = _own(number)
        changes.append(read)
        if number % 2:
            locations.append(transaction.append_own(own, signer))
        else:
            packed, place = _packed(own)
            locations.append(transaction.append_own_packed(packed, place, own.message, signer))
    return locations, changes


def _packed(own: UnsignedChange) -> tuple[bytearray, int]:
    """A change as the store packs it, and where its signature belongs."""
    place = len(msgpack.packb([own.previous_link, own.header])) + 2  # behind the length of 64 bytes
    return bytearray(msgpack.packb([*own[:2], bytes(64), own.segments])), place


def own_changes_are_signed_before_they_are_read(place: StorePlace) -> None:
    """In the same transaction, and in the next one; few of them or many, between others'."""
    store = place.open()
    signer = Marking()
    locations: list[int] = []
    changes: list[StoredChange] = []
    for numbers, asked in ((range(1), True), (range(1, 300), False), (range(300, 340), True)):
        with store.transaction() as transaction:
            for part in (numbers[: len(numbers) // 2], numbers[len(numbers) // 2 :]):
                made, read = _append(transaction, part, signer)
                locations += made
                changes += read
                changes.append(stored_change(len(changes)))
                locations += transaction.append_changes(changes[-1:])
            if asked:
                assert transaction.changes_at(locations) == changes
                signer = Marking()  # of the same kind, yet another
    assert locations == sorted(set(locations))
    store.close()
    store = place.open()
    with store.transaction() as transaction:
        assert transaction.changes_at(locations) == changes
    store.close()


def more_own_changes_than_are_held_back_are_signed_too(place: StorePlace) -> None:
    """However much a transaction writes, each change has its own signature."""
    store = place.open()
    with store.transaction() as transaction:
        locations, changes = _append(transaction, range(600), Marking())
    with store.transaction() as transaction:
        assert transaction.changes_at(locations) == changes
    store.close()


def a_signature_that_fails_undoes_the_transaction(place: StorePlace) -> None:
    """Nothing unsigned stays, whichever of many it is and whichever thread was to make it."""
    store = place.open()
    with store.transaction() as transaction:
        first, _ = _append(transaction, range(1), Marking())
    for failing in (b"1", b"7", b"39"):

        def write(message: bytes = failing) -> None:
            with store.transaction() as transaction:
                transaction.put_value("wrote", b"1")
                _append(transaction, range(1, 40), Marking(message))

        assert code_of(write) == "disk-error"
    with store.transaction() as transaction:
        assert transaction.value("wrote") is None
        again, changes = _append(transaction, range(1, 3), Marking())
    with store.transaction() as transaction:
        assert transaction.changes_at([*first, *again]) == [_own(0)[1], *changes]
    store.close()


CHECKS_OF_OWN: Final[tuple[Check, ...]] = (
    own_changes_are_signed_before_they_are_read,
    more_own_changes_than_are_held_back_are_signed_too,
    a_signature_that_fails_undoes_the_transaction,
)
"""Every check of this module."""
