"""Which streams there are: serial numbers, kinds and marks (storage floor, DESIGN.md 9).

A stream's serial number is its place in all packed rows. Ids lie 512 to a database row and are read
whole at the first use: with the cipher's wiping of memory on, every row of SQLite costs more than
decoding dozens of ids. What is read is remembered between transactions, which is safe because the
connection holds the database's exclusive lock; after an undone transaction it is read again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from functools import cache
from typing import Final

from casesync.foundation.ids import StreamId
from casesync.storage.session import Session
from casesync.sync.ports import StreamFlag

_CHUNK: Final = 512
_ID_BYTES: Final = 16
NO_KIND: Final = 0
"""Known by a key or a mark before its row."""


class StreamDirectory:
    """Serial numbers by stream id, kinds by serial number, marks."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._serials: dict[StreamId, int] = {}
        self._ids: list[StreamId] = []
        self._kinds = bytearray()
        self._read = False
        self._changed_chunks: set[int] = set()
        self._marks: dict[StreamFlag, bytearray] = {}
        self._changed_marks: set[StreamFlag] = set()

    def forget(self) -> None:
        """Drop what is remembered: the transaction that taught it was undone."""
        self._serials.clear()
        self._ids.clear()
        self._kinds.clear()
        self._read = False
        self._changed_chunks.clear()
        self._marks.clear()
        self._changed_marks.clear()

    def flush(self) -> None:
        """Write what changed to the database."""
        rows = []
        for chunk in sorted(self._changed_chunks):
            part = slice(chunk * _CHUNK, (chunk + 1) * _CHUNK)
            rows.append((chunk, b"".join(self._ids[part]), bytes(self._kinds[part])))
        self._session.executemany(
            "INSERT OR REPLACE INTO stream_directory(id, streams, kinds) VALUES (?, ?, ?)", rows
        )
        self._session.executemany(
            "INSERT OR REPLACE INTO stream_mark(flag, bits) VALUES (?, ?)",
            [(int(flag), bytes(self._marks[flag])) for flag in self._changed_marks],
        )
        self._changed_chunks.clear()
        self._changed_marks.clear()

    # -- serial numbers -----------------------------------------------------------------------

    def known(self, streams: Iterable[StreamId]) -> list[int | None]:
        """Serial numbers in the order asked; None of a stream that is not here."""
        return list(map(self._all().get, streams))

    def enrolled(self, streams: Collection[StreamId]) -> list[int]:
        """Serial numbers in the order asked; new streams come without a kind."""
        serials = self._all()
        with suppress(KeyError):  # nearly always all of them are here
            return [serials[stream] for stream in streams]
        return [self.serial(stream) for stream in streams]

    def serial(self, stream: StreamId) -> int:
        """Serial number of one stream, new if need be."""
        found = self._all().get(stream)
        return self._enrol(stream) if found is None else found

    def stream(self, serial: int) -> StreamId:
        """The stream of a serial number that was given out."""
        self._all()
        return self._ids[serial]

    # -- kinds --------------------------------------------------------------------------------

    def set_kind(self, serials: Iterable[int], kind: int) -> None:
        """Give streams their kind; costs nothing where they have it."""
        kinds = self._kinds
        for serial in serials:
            if kinds[serial] != kind:
                kinds[serial] = kind
                self._changed_chunks.add(serial // _CHUNK)

    def of_kind(self, kind: int) -> list[StreamId]:
        """Streams of one kind, oldest here first."""
        self._all()
        return [stream for stream, held in zip(self._ids, self._kinds, strict=True) if held == kind]

    # -- marks --------------------------------------------------------------------------------

    def mark(self, streams: Iterable[StreamId], flag: StreamFlag, on: bool) -> None:
        """Set or clear a mark."""
        if on:
            serials = self.enrolled(list(streams))
        else:
            serials = [serial for serial in self.known(streams) if serial is not None]
        if not serials:
            return
        for single in _singles(flag):
            bits = self._bits(single)
            bits.extend(bytes(max(0, (max(serials) >> 3) + 1 - len(bits))))
            for serial in serials:
                bit = 1 << (serial & 7)
                if bool(bits[serial >> 3] & bit) != on:
                    bits[serial >> 3] ^= bit
                    self._changed_marks.add(single)

    def marked(self, flag: StreamFlag) -> list[StreamId]:
        """Streams with a mark, oldest here first; of several marks, those with any."""
        self._all()
        serials = {serial for single in _singles(flag) for serial in _set_bits(self._bits(single))}
        return [self._ids[serial] for serial in sorted(serials)]

    # -- inside -------------------------------------------------------------------------------

    def _all(self) -> dict[StreamId, int]:
        if not self._read:
            rows = self._session.execute(
                "SELECT streams, kinds FROM stream_directory ORDER BY id"
            ).fetchall()
            for streams, kinds in rows:
                self._ids += [
                    StreamId(streams[at : at + _ID_BYTES])
                    for at in range(0, len(streams), _ID_BYTES)
                ]
                self._kinds += kinds
            self._serials = dict(zip(self._ids, range(len(self._ids)), strict=True))
            self._read = True
        return self._serials

    def _enrol(self, stream: StreamId) -> int:
        assert len(stream) == _ID_BYTES
        serial = len(self._ids)
        self._ids.append(stream)
        self._kinds.append(NO_KIND)
        self._serials[stream] = serial
        self._changed_chunks.add(serial // _CHUNK)
        return serial

    def _bits(self, flag: StreamFlag) -> bytearray:
        bits = self._marks.get(flag)
        if bits is None:
            row = self._session.execute(
                "SELECT bits FROM stream_mark WHERE flag = ?", (int(flag),)
            ).fetchone()
            bits = self._marks[flag] = bytearray() if row is None else bytearray(row[0])
        return bits


@cache
def _singles(flag: StreamFlag) -> tuple[StreamFlag, ...]:
    """The marks that a flag names; each save asks, and members of an enumeration compare slowly."""
    return tuple(single for single in StreamFlag if single in flag)


def _set_bits(bits: bytearray) -> Iterator[int]:
    for at, byte in enumerate(bits):
        if byte:
            for bit in range(8):
                if byte >> bit & 1:
                    yield at << 3 | bit
