"""Shape checks for decoded bodies whose author may be hostile (access floor).

``codec.canonical.unpack`` has already bounded nesting and refused what is not canonical; here each
value is checked against the type and the bound its field has. Every failure is the same
``RemoteProtocolError("malformed", what=...)``, so that a body is judged alike on every replica.
Text is bounded in bytes and not normalised: the rules of Unicode change with its version, and a
verdict must not.
"""

from __future__ import annotations

from typing import Any, Final

from casesync.foundation.errors import RemoteProtocolError

ID_BYTES: Final = 16
HASH_BYTES: Final = 32
NAME_BYTES_MAX: Final = 512
"""Names of people, offices and devices."""
WORD_BYTES_MAX: Final = 64
"""Roles, types of office, purposes, actions."""
REASON_BYTES_MAX: Final = 2048
U32_MAX: Final = (1 << 32) - 1
U48_MAX: Final = (1 << 48) - 1


def malformed(what: str) -> RemoteProtocolError:
    """The error to raise for a body of the wrong shape."""
    return RemoteProtocolError("malformed", what=what)


def array(value: object, length: int, what: str) -> list[Any]:
    """``value`` as an array of exactly ``length`` elements.

    Raises:
        RemoteProtocolError: ``malformed``, as all functions here do.
    """
    if not isinstance(value, list) or len(value) != length:
        raise malformed(what)
    return value


def items(value: object, length_max: int, what: str) -> list[Any]:
    """``value`` as an array of at most ``length_max`` elements."""
    if not isinstance(value, list) or len(value) > length_max:
        raise malformed(what)
    return value


def binary(value: object, length: int, what: str) -> bytes:
    """``value`` as a byte string of exactly ``length`` bytes."""
    if not isinstance(value, bytes) or len(value) != length:
        raise malformed(what)
    return value


def binary_or_none(value: object, length: int, what: str) -> bytes | None:
    """As ``binary``; nil is allowed."""
    return None if value is None else binary(value, length, what)


def integer(value: object, largest: int, what: str, smallest: int = 0) -> int:
    """``value`` as an integer from ``smallest`` to ``largest``; booleans are none."""
    if not isinstance(value, int) or isinstance(value, bool) or not smallest <= value <= largest:
        raise malformed(what)
    return value


def boolean(value: object, what: str) -> bool:
    """``value`` as a boolean; 0 and 1 are none."""
    if not isinstance(value, bool):
        raise malformed(what)
    return value


def text(value: object, bytes_max: int, what: str, *, empty: bool = False) -> str:
    """``value`` as a string of at most ``bytes_max`` bytes of UTF-8."""
    if not isinstance(value, str) or (not value and not empty):
        raise malformed(what)
    try:
        size_bytes = len(value.encode())
    except UnicodeEncodeError as error:
        raise malformed(what) from error
    if size_bytes > bytes_max:
        raise malformed(what)
    return value
