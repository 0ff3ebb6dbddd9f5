"""Canonical msgpack (codec; ``protocol/conventions.md``, *msgpack*).

One value has one encoding: shortest forms, maps only with ascending non-negative integer keys, no
floating point, no extension types, at most 16 containers deep. ``unpack`` refuses every other
encoding; ``unpack_fast`` keeps the same bounds but does not compare encodings, for bodies that
nothing hashes again. What a value means is for its own parser to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgpack

from casesync.foundation.compiled import compiled
from casesync.foundation.errors import RemoteProtocolError
from casesync.foundation.limits import NESTING_MAX

ARRAY_ITEMS_MAX: Final = 65_536
"""Longest array accepted unless the caller says otherwise: the decoder reserves an array before it
has seen its items, so a short message could otherwise reserve gigabytes."""

canonical_kernel = compiled("casesync.codec._canonical", 2)
"""Sees in one pass whether bytes are canonical; without it their value is encoded again."""
LARGE_BYTES: Final = 1024 * 1024
LONG_ITEMS: Final = 4096
"""Of an array that ``unpack_long`` leaves in its message."""
ARRAYS: Final[frozenset[type]] = frozenset(
    {list} if canonical_kernel is None else {list, canonical_kernel.LongArray}
)
"""What arrays of ``unpack_long`` are; all have a length and items by their places."""
_LONG_MARK: Final = b"\xd4\x00\x00"
"""In its place: of a type that no canonical message has."""
_PART_ITEMS: Final = 256
_PART_DEPTH: Final = 4
"""A message, its back-fills, one of them, its frames."""
_SCALARS: Final = frozenset({int, str, bytes, bool, type(None)})
_INT_MAX: Final = 2**64 - 1
_FLAT: Final = msgpack.Packer(use_bin_type=True)


def pack(value: object) -> bytes:
    """The canonical encoding of ``value``: None, bool, int, str, bytes, list, tuple, dict.

    Raises:
        TypeError: a type that canonical msgpack does not have (floats among them).
        ValueError: an integer beyond 64 bits, map keys not ascending, nesting over 16, or text
            that is not Unicode.
    """
    _check_packable(value, NESTING_MAX)
    try:
        return bytes(msgpack.packb(value, use_bin_type=True))
    except UnicodeEncodeError as error:
        raise ValueError("text that UTF-8 cannot carry") from error
    except OverflowError as error:
        raise ValueError("integer beyond 64 bits") from error


def pack_flat(items: list[int | str | bytes | bool | None]) -> bytes:
    """As ``pack``, of scalars that are known to be such; for the hot path of every save.

    Nothing secret: the packer and its buffer are made once and stay.
    """
    return bytes(_FLAT.pack(items))


def unpack(data: bytes, *, array_max: int = ARRAY_ITEMS_MAX) -> Any:  # noqa: ANN401
    """The value whose canonical encoding is ``data``; arrays as list, maps as dict.

    Raises:
        RemoteProtocolError: ``malformed``: anything else.
    """
    value = unpack_fast(data, array_max=array_max)
    if not _is_encoding(value, data):
        raise RemoteProtocolError("malformed", what="msgpack not canonical")
    return value


def unpack_long(data: bytes, *, array_max: int = ARRAY_ITEMS_MAX) -> Any:  # noqa: ANN401
    """As ``unpack``; but the longest array of a large message may be another of ``ARRAYS``.

    Raises:
        RemoteProtocolError: ``malformed``: as ``unpack``.
    """
    found = None
    if canonical_kernel is not None and len(data) >= LARGE_BYTES and type(data) is bytes:

        def decode(item: bytes) -> Any:  # noqa: ANN401
            return unpack_fast(item, array_max=array_max)

        found = canonical_kernel.cut_out(data, LONG_ITEMS, array_max, _LONG_MARK, decode)
    if found is None:
        return unpack(data, array_max=array_max)
    rest, array = found
    return _decoded(rest, array_max, lambda _type, _data: array)


def unpack_fast(data: bytes, *, array_max: int = ARRAY_ITEMS_MAX) -> Any:  # noqa: ANN401
    """As ``unpack``, but longer forms of a value are accepted: for hot paths.

    Raises:
        RemoteProtocolError: ``malformed``: not msgpack, or types, depth or map keys that the
            canonical form does not have.
    """
    return _decoded(data, array_max, msgpack.ExtType)


def _decoded(data: bytes, array_max: int, extension: Callable[[int, bytes], object]) -> Any:  # noqa: ANN401
    """As ``unpack_fast``; ``extension`` makes what stands for an extension type."""
    try:
        value = msgpack.unpackb(
            data,
            raw=False,
            strict_map_key=False,
            max_array_len=min(array_max, len(data)),
            max_map_len=min(array_max, len(data)),
            ext_hook=extension,
        )
    except (
        msgpack.UnpackException,
        ValueError,
        TypeError,
        OverflowError,
        MemoryError,
        RecursionError,
    ) as error:
        raise RemoteProtocolError("malformed", what="msgpack") from error
    if type(value) not in _SCALARS:
        _check_unpacked(value)
    return value


def _check_unpacked(value: object) -> None:
    """Refuse what msgpack has and the canonical form does not, one depth after another."""
    level = [value]
    for _ in range(NESTING_MAX):
        below: list[object] = []
        for container in level:
            if type(container) is list:
                items: Any = container
            elif type(container) is dict:
                _check_keys(container)
                items = container.values()
            elif type(container) in ARRAYS:
                continue  # looked through when it was cut out
            else:
                raise RemoteProtocolError("malformed", what="msgpack type")
            if not _SCALARS.issuperset(map(type, items)):
                below += [item for item in items if type(item) not in _SCALARS]
        if not below:
            return
        level = below
    raise RemoteProtocolError("malformed", what="msgpack nesting")


def _check_keys(value: dict[Any, Any]) -> None:
    previous = -1
    for key in value:
        if type(key) is not int or key <= previous:
            raise RemoteProtocolError("malformed", what="msgpack map keys")
        previous = key


def _is_encoding(value: object, data: bytes) -> bool:
    if canonical_kernel is not None and type(data) is bytes:
        return bool(canonical_kernel.is_shortest(data))
    return _encodes_to(value, data)


def _encodes_to(value: object, data: bytes) -> bool:
    """Whether ``data`` is the encoding of a value of ours."""
    if len(data) < LARGE_BYTES:
        return bool(msgpack.packb(value, use_bin_type=True) == data)
    at = 0
    for part in _encoded(value, msgpack.Packer(use_bin_type=True)):
        if not data.startswith(part, at):  # compares without a copy
            return False
        at += len(part)
    return at == len(data)


def _encoded(value: object, packer: msgpack.Packer, depth: int = _PART_DEPTH) -> Iterator[bytes]:
    """The encoding in parts: that of a whole page would be two more copies of it.

    What is small, or lies deeper than a page's frames, is one part: a message of nothing but
    short arrays would else take minutes.
    """
    if depth > 1 and isinstance(value, dict) and len(value) <= _PART_ITEMS:
        yield packer.pack_map_header(len(value))
        for key, item in value.items():
            yield packer.pack(key)
            yield from _encoded(item, packer, depth - 1)
    elif depth > 0 and isinstance(value, list) and len(value) > _PART_ITEMS:
        yield packer.pack_array_header(len(value))
        for start in range(0, len(value), _PART_ITEMS):
            part = value[start : start + _PART_ITEMS]
            yield packer.pack(part)[len(packer.pack_array_header(len(part))) :]
    elif depth > 1 and isinstance(value, list):
        yield packer.pack_array_header(len(value))
        for item in value:
            yield from _encoded(item, packer, depth - 1)
    else:
        yield packer.pack(value)


def _check_packable(value: object, depth: int) -> None:
    """Refuse what the canonical form does not have, without a call per scalar.

    Integers beyond 64 bits are left to msgpack, which refuses them itself.
    """
    if isinstance(value, list | tuple):
        items: Any = value
    elif isinstance(value, dict):
        _check_packable_keys(value)
        items = value.values()
    elif value is None or isinstance(value, int | str | bytes | bytearray | memoryview):
        return
    else:
        raise TypeError(f"canonical msgpack has no {type(value).__name__}")
    if depth == 0:
        raise ValueError(f"nesting over {NESTING_MAX}")
    if not _SCALARS.issuperset(map(type, items)):
        for item in items:
            if type(item) not in _SCALARS:
                _check_packable(item, depth - 1)


def _check_packable_keys(value: dict[Any, Any]) -> None:
    previous = -1
    for key in value:
        if not isinstance(key, int) or isinstance(key, bool):
            raise TypeError("map keys are integers")
        if not previous < key <= _INT_MAX:
            raise ValueError("map keys are not negative and ascend")
        previous = key
