"""Which keys this device holds, prepared for use (sync floor).

``protocol/keys.md``. Stream keys are derived once per session and statement; unit seeds open boxes
and make symmetric ones. Nothing here decides who should hold a key: that is ``access``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from casesync.access.control_state import ControlState
from casesync.crypto.aead import prepare
from casesync.crypto.kem_keys import kem_private
from casesync.crypto.key_schedule import KEY_BYTES
from casesync.crypto.key_wrap import (
    StatementId,
    UnitKeyId,
    box_cipher,
    box_public,
    box_symmetric,
    open_base_predecessor,
    open_box_public,
    open_box_symmetric,
)
from casesync.crypto.sealing import segment_keys, statement_context
from casesync.foundation.compiled import compiled
from casesync.foundation.errors import CasesyncError
from casesync.foundation.ids import (
    ChangeNumber,
    Compartment,
    DeviceNumber,
    NetworkId,
    StreamId,
    UnitId,
)
from casesync.sync.ports import Transaction
from casesync.translog.unsealed import Box

box_kernel = compiled("casesync.crypto._boxes", 1)
"""Opens boxes under a unit's seed; without it ``open_box_symmetric`` opens each."""

Dot = tuple[int, int, int]
"""A statement within its stream: (device, number, position)."""
SYMMETRIC_BOX_BYTES = 48
KEYS_REMEMBERED_MAX = 26 * 1024
"""Prepared ones, some 3.5 kB each, 90 MB. A page of a first sync may touch twice as many."""

_NAME = slice(2 * KEY_BYTES, 2 * KEY_BYTES + 8)
"""Of a stored key: it lies behind key and sealing key, and the commitment begins with it."""
STREAMS_REMEMBERED_MAX = 32 * 1024
"""Some 2 kB each while none of their keys is prepared."""


class StreamKey(NamedTuple):
    """A stream key made ready."""

    cipher: AESGCMSIV
    commitment: bytes
    key: bytes
    sealing: bytes
    """The sealing key that ``cipher`` was made of."""
    compartment: int
    statement: Dot


class KeyRing:
    """Unit seeds and stream keys of one open replica."""

    def __init__(self, network: NetworkId) -> None:
        """An empty ring; ``load_seeds`` and ``load`` fill it from the store."""
        self._network = network
        self._seeds: dict[tuple[bytes, int, int], bytes] = {}
        self._streams: dict[StreamId, dict[tuple[int, bytes], StreamKey]] = {}
        self._stored: dict[StreamId, list[tuple[int, Dot, bytes]]] = {}  # read, not prepared yet
        self._ciphers: dict[UnitKeyId, AESGCMSIV] = {}
        self._prepared = 0  # keys in all of _streams: every transaction asks

    # -- unit seeds ---------------------------------------------------------------------------

    def load_seeds(self, tx: Transaction) -> None:
        """Read every unit seed this device was given."""
        self._seeds = {(unit, comp, epoch): seed for unit, comp, epoch, seed in tx.seeds()}

    def seed(self, unit: bytes, compartment: int, epoch: int) -> bytes | None:
        """The 32-byte seed of a unit key, None if it was never wrapped to this device."""
        return self._seeds.get((unit, compartment, epoch))

    def held(self) -> dict[tuple[bytes, int, int], bytes]:
        """All seeds by (unit, compartment, epoch)."""
        return dict(self._seeds)

    # -- stream keys --------------------------------------------------------------------------

    def load(self, tx: Transaction, streams: Iterable[StreamId]) -> None:
        """Read the stored keys of these streams; a compartment's are prepared when one is asked.

        What was read before is left alone.
        """
        missing = [stream for stream in streams if stream not in self._streams]
        if missing:
            if self._prepared > KEYS_REMEMBERED_MAX:
                self._set_aside()
            self._streams.update({stream: {} for stream in missing})
            self._stored.update(tx.stream_keys(missing))

    def forget(self, stream: StreamId | None = None) -> None:
        """Drop what was read and prepared, of one stream or of all."""
        if stream is None:
            self._streams.clear()
            self._stored.clear()
            self._prepared = 0
        else:
            self._prepared -= len(self._streams.pop(stream, ()))
            self._stored.pop(stream, None)

    def trim(self) -> None:
        """Between transactions: forget everything once much was read; it is read again if asked."""
        if self._prepared > KEYS_REMEMBERED_MAX or len(self._streams) > STREAMS_REMEMBERED_MAX:
            self.forget()

    def _set_aside(self) -> None:
        """Keep every key as it is stored, none prepared: of a page most are not asked again."""
        for stream, ring in self._streams.items():
            if ring:
                self._streams[stream] = {}  # who is at work with the ring keeps it
                self._stored.setdefault(stream, []).extend(
                    (key.compartment, key.statement, key.key + key.sealing + key.commitment)
                    for key in ring.values()
                )
        self._prepared = 0

    def prepare(self, stream: StreamId, compartment: int, statement: Dot, key: bytes) -> StreamKey:
        """Derive sealing key and commitment of a stream key."""
        context = statement_context(self._network, stream, compartment, *statement)
        sealing, commitment = segment_keys(key, context)
        return StreamKey(prepare(sealing), commitment, key, sealing, compartment, statement)

    def statement(self, stream: StreamId, compartment: int, statement: Dot) -> StatementId:
        """A statement's identity with everything it is bound to."""
        device, number, position = statement
        return StatementId(
            self._network,
            stream,
            compartment,
            DeviceNumber(device),
            ChangeNumber(number),
            position,
        )

    def get(self, stream: StreamId, compartment: int, key_name: bytes) -> StreamKey | None:
        """The key a segment names, None if this device does not hold it; ``load`` first."""
        ring = self._streams.get(stream)
        if ring is None:
            return None
        key = ring.get((compartment, key_name))
        if key is None and stream in self._stored:
            key = self._prepare_named(stream, compartment, key_name)
        return key

    def holds(self, stream: StreamId, compartment: int, key_name: bytes) -> bool:
        """Whether ``get`` would give a key, which need not be prepared for that."""
        if (compartment, key_name) in self._streams.get(stream, ()):
            return True
        for row_compartment, _, stored in self._stored.get(stream, ()):
            if row_compartment == compartment:
                if len(stored) == KEY_BYTES:  # older form: its name is not stored
                    return self.get(stream, compartment, key_name) is not None
                if stored[_NAME] == key_name:
                    return True
        return False

    def prepared(self, stream: StreamId) -> dict[tuple[int, bytes], StreamKey]:
        """The keys of a stream that were asked for before, not a copy."""
        return self._streams.get(stream, {})

    def stream(self, stream: StreamId) -> dict[tuple[int, bytes], StreamKey]:
        """Every key of a stream by (compartment, key name); ``load`` first."""
        for compartment in {row[0] for row in self._stored.get(stream, ())}:
            self._prepare_stored(stream, compartment)
        return self._streams.get(stream, {})

    def _prepare_named(
        self, stream: StreamId, compartment: int, key_name: bytes
    ) -> StreamKey | None:
        """Make one key ready; the others of the stream may never be asked for."""
        rows = self._stored[stream]
        for at, (held, statement, stored) in enumerate(rows):
            if stored[_NAME] == key_name and held == compartment:
                del rows[at]
                key = self._stored_key(stream, held, statement, stored)
                self._streams[stream][compartment, key_name] = key
                self._prepared += 1
                return key
        if any(len(row[2]) == KEY_BYTES for row in rows):  # its name is to be derived first
            self._prepare_stored(stream, compartment)
            return self._streams[stream].get((compartment, key_name))
        return None

    def _prepare_stored(self, stream: StreamId, compartment: int) -> None:
        ring = self._streams[stream]
        before = len(ring)
        waiting = []
        for row in self._stored[stream]:
            if row[0] == compartment:
                key = self._stored_key(stream, *row)
                ring[compartment, key.commitment[:8]] = key
            else:
                waiting.append(row)
        self._prepared += len(ring) - before
        if waiting:
            self._stored[stream] = waiting
        else:
            del self._stored[stream]

    def _stored_key(
        self, stream: StreamId, compartment: int, statement: Dot, stored: bytes
    ) -> StreamKey:
        if len(stored) == KEY_BYTES:  # as replicas kept it before the rest was stored beside it
            return self.prepare(stream, compartment, statement, stored)
        key, sealing, commitment = stored[:32], stored[32:64], stored[64:]
        return StreamKey(prepare(sealing), commitment, key, sealing, compartment, statement)

    def add(self, tx: Transaction, stream: StreamId, key: StreamKey) -> None:
        """Keep a key that was opened or made."""
        self.load(tx, (stream,))
        name = key.commitment[:8]
        if self.get(stream, key.compartment, name) is None:
            self._streams[stream][key.compartment, name] = key
            self._prepared += 1
            # With what is derived from it: a first sync reads tens of thousands of keys.
            stored = key.key + key.sealing + key.commitment
            tx.put_stream_key(stream, key.compartment, key.statement, stored)

    # -- boxes --------------------------------------------------------------------------------

    def open_boxes(
        self,
        control: ControlState,
        stream: StreamId,
        compartment: int,
        statement: Dot,
        commitment: bytes,
        boxes: Iterable[Box],
    ) -> StreamKey | None:
        """The stream key from the first box that is for us and opens to the commitment.

        A box that does not open, or opens to another key, gives nothing: the segment stays
        unreadable and says so; it never fails the page.
        """
        identity = self.statement(stream, compartment, statement)
        for box in boxes:
            named = control.unit_key_by_name(box.key_name)
            if named is None or named.compartment != compartment:
                continue
            seed = self.seed(named.unit, compartment, named.epoch)
            if seed is None:
                continue
            try:
                key, sealing = self._opened(box.sealed, named.id, seed, identity, commitment)
            except CasesyncError:
                continue
            return StreamKey(prepare(sealing), commitment, key, sealing, compartment, statement)
        return None

    def _opened(
        self, sealed: bytes, named: UnitKeyId, seed: bytes, identity: StatementId, commitment: bytes
    ) -> tuple[bytes, bytes]:
        """(stream key, sealing key) out of a box to the unit key. Raises: CryptoError."""
        if len(sealed) != SYMMETRIC_BOX_BYTES:
            return open_box_public(kem_private(seed), identity, named, commitment, sealed)
        cipher = self._cipher(named, seed)
        found: tuple[bytes, bytes] | None = None
        if box_kernel is not None:
            found = box_kernel.open_box(cipher, identity, named, commitment, sealed)
        return found or open_box_symmetric(cipher, identity, named, commitment, sealed)

    def open_predecessor(
        self,
        stream: StreamId,
        successor: StreamKey,
        predecessor: Dot,
        commitment: bytes,
        sealed: bytes,
    ) -> StreamKey | None:
        """The predecessor of a base key, None if what is carried does not open."""
        identity = self.statement(stream, Compartment.BASE, predecessor)
        try:
            key, sealing = open_base_predecessor(
                successor.key, successor.commitment, identity, commitment, sealed
            )
        except CasesyncError:
            return None
        return StreamKey(
            prepare(sealing), commitment, key, sealing, int(Compartment.BASE), predecessor
        )

    def make_box(
        self, control: ControlState, stream: StreamId, unit: UnitId, key: StreamKey
    ) -> Box | None:
        """A box of ``key`` to the unit's current key, None if the unit has none."""
        current = control.current_unit_key(unit, key.compartment)
        if current is None:
            return None
        named = UnitKeyId(unit, key.compartment, current.epoch)
        identity = self.statement(stream, key.compartment, key.statement)
        seed = self.seed(unit, key.compartment, current.epoch)
        if seed is not None:
            cipher = self._cipher(named, seed)
            sealed = box_symmetric(cipher, identity, named, key.commitment, key.key)
        else:
            sealed = box_public(current.public, identity, named, key.commitment, key.key)
        return Box(current.name, current.epoch, sealed)

    def _cipher(self, named: UnitKeyId, seed: bytes) -> AESGCMSIV:
        cipher = self._ciphers.get(named)
        if cipher is None:
            cipher = self._ciphers[named] = box_cipher(seed, self._network, named)
        return cipher
