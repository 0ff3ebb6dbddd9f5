"""Stream keys of this device (storage floor; ``protocol/keys.md``).

They lie packed like the streams' rows and are decoded once per transaction: a first sync brings
several keys for each of ten thousand streams.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgpack

from casesync.foundation.ids import StreamId
from casesync.storage.packed_rows import PackedRows
from casesync.storage.packing import pack_all
from casesync.storage.stream_directory import StreamDirectory

Statement = tuple[int, int, int]
"""Device, number, position of the statement that introduced a key."""
_Keys = dict[tuple[int, Statement], bytes]


class StreamKeys:
    """Keys by stream, compartment and statement."""

    def __init__(self, directory: StreamDirectory, packed: PackedRows) -> None:
        self._directory = directory
        self._packed = packed
        self._changed: dict[int, _Keys] = {}

    def put(self, stream: StreamId, compartment: int, statement: Statement, key: bytes) -> None:
        """Keep one key; the same statement again replaces it."""
        serial = self._directory.serial(stream)
        keys = self._changed.get(serial)
        if keys is None:
            keys = self._changed[serial] = _decoded(self._packed.read((serial,))[0])
        keys[compartment, statement] = key

    def read_packed(self, streams: Iterable[StreamId]) -> list[bytes | None]:
        """As they are stored, in the order asked; None of a stream that has none."""
        serials = self._directory.known(streams)
        if not self._changed.keys().isdisjoint(serials):
            self._pack_changed()
        return self._packed.read(serials)

    def read(
        self, streams: Iterable[StreamId]
    ) -> dict[StreamId, list[tuple[int, Statement, bytes]]]:
        """Keys of those streams that have any, in the order they came."""
        streams = list(streams)
        serials = self._directory.known(streams)
        bodies = self._packed.read(serials)
        found = {}
        for stream, serial, body in zip(streams, serials, bodies, strict=True):
            keys = None if serial is None else self._changed.get(serial)
            if keys is None:
                keys = _decoded(body)
            if keys:
                found[stream] = [(at[0], at[1], key) for at, key in keys.items()]
        return found

    def drop(self, stream: StreamId) -> None:
        """Destroy the keys of a stream."""
        [serial] = self._directory.known((stream,))
        if serial is not None:
            self._changed.pop(serial, None)
            self._packed.drop(serial)

    def flush(self) -> None:
        """Hand changed keys to the packed rows and those to the database."""
        self._pack_changed()
        self._packed.flush()

    def _pack_changed(self) -> None:
        packed = pack_all(self._changed.values())
        self._packed.write(dict(zip(self._changed, packed, strict=True)))
        self._changed.clear()

    def forget(self) -> None:
        """Drop what is decoded: the transaction was undone."""
        self._changed.clear()
        self._packed.forget()

    def settle(self) -> None:
        """The transaction is committed."""
        self._packed.settle()


def _decoded(body: bytes | None) -> _Keys:
    if body is None:
        return {}
    keys: _Keys = msgpack.unpackb(body, use_list=False, strict_map_key=False)
    return keys
