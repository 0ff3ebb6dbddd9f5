# cython: language_level=3, wraparound=False
"""Compiled twin of ``form_saves``: one form, from the stream's packed row to the row after it.

What ``StreamState.replaces_for_form``, ``made_form``, ``usual_keys``, ``sealed_save`` and
``note_save`` do one after another on lists and dictionaries happens here on the row as the store
packs it. Everything uncommon in row, key or form leaves the save, with nothing changed, to
``form_saves``. What is taken comes out byte for byte as there
(``tests/properties/test_form_saves.py``).
"""

from cpython.bytearray cimport PyByteArray_FromStringAndSize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.string cimport memcmp, memcpy, memset

from casesync.codec._msgpack cimport Reader, Slice, array, put_unsigned, u8, u64, unsigned
from casesync.model._form_body cimport BODY_MAX, REPLACES_MAX, Named, put_form
from casesync.sync._own_save cimport (
    AFTER_COMMON, HEAD_MAX, LINK, TABLE as SEGMENTS, After, padded, put_head, seal
)
from casesync.sync._packed_run cimport mask_of
from casesync.sync._segment cimport bytes_of, is_bytes
from casesync.sync._stored_key cimport raw_key
from casesync.sync._stream_row cimport (
    NEWEST, TABLE,
    Added, Buffer, Live, Newest, Row, Slot,
    add_live, form_of, newest_for, newest_of, pairs, read_row, record_of, replace, skip, takes,
    write_row,
)

from casesync.access.stream_facts import END_OF_LOG
from casesync.codec import canonical
from casesync.crypto.aead import prepare
from casesync.crypto.signatures import change_message
from casesync.foundation.ids import Compartment
from casesync.model.cells import Form

VERSION = 3
"""Raised with every change of what this module does; its Python twin asks for just this one."""

cdef enum:
    SIGNATURE = 64
    SEEN_MAX = 32           # devices whose changes this one has named
    REST_MAX = SEEN_MAX * 18 + 32  # a number takes nine bytes, whatever it is
    CHANGE_MAX = 1024
    CELLS_MAX = 62

cdef u64 _base = Compartment.BASE
cdef u64 _access = Compartment.ACCESS
cdef u64 _end_of_log = END_OF_LOG
cdef object _form = Form
cdef object _prepare = prepare


cdef struct Fact:
    u64 device
    u64 number
    u64 position
    const u8* key_name
    long long index
    Slice labels
    Slice boxers


cdef struct Seen:
    u64 device
    u64 number


cdef inline const u8* _data(bytes value) noexcept:
    return <const u8*>PyBytes_AS_STRING(value)


cdef inline bytes _bytes(const u8* data, Py_ssize_t size):
    return PyBytes_FromStringAndSize(<const char*>data, size)


cdef inline u8* _put_binary(u8* out, const u8* data, Py_ssize_t size) noexcept:
    """As msgpack has it, below 64 kB; the end of it."""
    if size <= 0xFF:
        out[0], out[1] = 0xC4, <u8>size
        out += 2
    else:
        out[0], out[1], out[2] = 0xC5, <u8>(size >> 8), <u8>size
        out += 3
    memcpy(out, data, size)
    return out + size


cdef bint _read_binary(Reader* r, Slice* part) noexcept:
    """Bytes below 256, at ``part`` without their head."""
    if not skip(r, part) or part.at[0] != 0xC4:
        return False
    part.at, part.size = part.at + 2, part.size - 2
    return True


cdef class FormSaver:
    """What is the same for all saves of a batch, and the row of the one that is being made."""

    cdef Row* row
    cdef Buffer b
    cdef u64 device, control_size, writes, kind_number
    cdef bytes head_hash, unit, message  # the last up to the link
    cdef dict standings, forms
    cdef Fact own, base     # statements of the newest keys
    cdef After after[AFTER_COMMON]
    cdef int after_count
    cdef Seen seen[SEEN_MAX]
    cdef int seen_count
    cdef u64 previous
    cdef Named named[REPLACES_MAX]
    cdef Slot* slots[REPLACES_MAX]
    cdef Live* lives[REPLACES_MAX]
    cdef int named_count
    cdef u8 link[LINK]
    cdef u8 rest[REST_MAX]
    cdef tuple held         # what the row points into, while it is being changed
    cdef Live* fresh

    def __cinit__(self):
        self.b.data, self.b.size, self.b.room = NULL, 0, 0
        self.row = <Row*>PyMem_Malloc(sizeof(Row))
        if self.row == NULL:
            raise MemoryError

    def __dealloc__(self):
        PyMem_Free(self.row)
        PyMem_Free(self.b.data)

    def __init__(self, engine, author):
        """Args: engine: of the device; author: what the control log says of it."""
        self.device, self.control_size = engine.device, engine.control.size
        self.head_hash, self.unit, self.writes = author
        self.standings = engine.standings
        self.message = change_message(engine.network, b"")
        self.forms = {}

    def made(
        self, save, packed_row, packed_keys,
        u64 clock_ms, u64 version, u64 number, bytes previous_link not None, bytes random8 not None,
    ):
        """(packed change, place of its signature, message, link, bytes sent) or None.

        Args: as ``form_saves`` has them; ``noted`` then gives the row.
        """
        cdef Slice form
        cdef int record_at, form_at
        cdef u64 kind
        cdef Newest* newest
        cdef u8 body[BODY_MAX]
        cdef Py_ssize_t size
        stream, record, compartment, shape, values = save
        self.held = None
        if (
            type(compartment) is not int
            or type(shape) is not _form
            or type(values) is not list
            or not is_bytes(stream, 16)
            or not is_bytes(record, 16)
            or not is_bytes(previous_link, LINK)
            or not is_bytes(random8, 8)
            or not _base < <u64>compartment < _access
            or shape.size > CELLS_MAX
        ):
            return None
        kind = compartment
        if not self._is_own(packed_row, kind) or not self._read_rest() or not self._name_after():
            return None
        packed_form = self.forms.get(shape)
        if packed_form is None:
            packed_form = self.forms[shape] = canonical.pack(shape.row)
        form.at, form.size = _data(packed_form), PyBytes_GET_SIZE(packed_form)
        record_at = record_of(self.row, _data(record))
        form_at = form_of(self.row, form.at, form.size)
        newest = newest_of(self.row, self.device)
        if (
            record_at == TABLE
            or form_at == TABLE
            or not takes(self.row, self.device << 4 | kind, number)
            or (newest == NULL and self.row.newest_count == NEWEST)
            or (newest != NULL and newest.number >= number)
            or not self._name_replaced(kind, record_at, form_at, shape)
        ):
            return None
        size = put_form(
            body, clock_ms, version, self.named, self.named_count, _data(record), shape, values
        )
        made = self._sealed(stream, kind, number, body, size, previous_link, random8, packed_keys)
        if made is not None:
            self.held = (packed_row, packed_form)
            self._change(kind, number, _data(record), record_at, form, form_at, shape.full)
        return made

    def noted(self, u64 location):
        """The row after the save that was made last, which stands at ``location``."""
        assert self.held is not None
        self.fresh.location = self.row.added[0].location = location
        write_row(&self.b, self.row)
        self.held = None
        return _bytes(self.b.data, self.b.size)

    # -- what must hold ---------------------------------------------------------------------------

    cdef bint _is_own(self, object packed_row, u64 kind):
        """Whether this is a case of the author's unit, never granted, with keys that stand."""
        if not self.writes >> kind & 1 or not read_row(packed_row, self.row, self.device):
            return False
        if self.row.shared or not is_bytes(self.unit, self.row.owner.size):
            return False
        if memcmp(_data(self.unit), self.row.owner.at, self.row.owner.size) != 0:
            return False
        return self._stands(kind)

    cdef bint _stands(self, u64 kind):
        """As ``usual_keys``: keys of base and compartment are usable, and nobody lacks one."""
        cdef Reader r
        cdef Slice part
        cdef Fact fact
        cdef Py_ssize_t i, count
        cdef u64 compartment
        cdef bint valid, has_own = False, has_base = False
        r.at, r.end, r.bad = self.row.rights.at, self.row.rights.at + self.row.rights.size, False
        array(&r)
        skip(&r, &part)
        skip(&r, &part)
        count = array(&r)
        for i in range(count):
            if not self._read_fact(&r, &fact, &compartment, &valid):
                return False
            if not valid:
                continue
            if compartment == _base:
                if has_base:
                    return False  # one of them may be a fork
                self.base, has_base = fact, True
            elif compartment == kind and (not has_own or _is_newer(&fact, &self.own)):
                self.own, has_own = fact, True
        return has_base and has_own and self._usable(&self.base, _base) and self._usable(
            &self.own, kind
        )

    cdef bint _read_fact(self, Reader* r, Fact* fact, u64* compartment, bint* valid) noexcept:
        """One statement, as ``StatementFact`` has it."""
        cdef Slice part
        cdef Py_ssize_t i, count = array(r)
        if r.bad or count < 10:
            return False
        fact.device = unsigned(r)
        fact.number = unsigned(r)
        fact.position = unsigned(r)
        compartment[0] = unsigned(r)
        fact.key_name = bytes_of(r, 8)
        unsigned(r)
        fact.index = <long long>unsigned(r)
        if r.bad or fact.index < 0 or not skip(r, &part):
            return False
        valid[0] = part.at[0] == 0xC3
        if not _read_binary(r, &fact.labels) or not _read_binary(r, &fact.boxers):
            return False
        for i in range(10, count):
            if not skip(r, &part):
                return False
        return True

    cdef bint _usable(self, Fact* fact, u64 kind):
        """As ``usual_keys`` asks it: known under this head, usable, with no box owed."""
        standing = self.standings.get((
            self.head_hash,
            self.unit,
            fact.device,
            kind,
            _bytes(fact.labels.at, fact.labels.size),
            _bytes(fact.boxers.at, fact.boxers.size),
        ))
        return standing is not None and standing[0] and not standing[1]

    cdef bint _read_rest(self) noexcept:
        """What this device named before, its newest number here, and the row's kind."""
        cdef Reader r
        cdef Py_ssize_t i, count
        r.at, r.end, r.bad = self.row.rest.at, self.row.rest.at + self.row.rest.size, False
        count = pairs(&r)
        if r.bad or count > SEEN_MAX - AFTER_COMMON:
            return False
        self.seen_count = count
        for i in range(count):
            self.seen[i].device = unsigned(&r)
            self.seen[i].number = unsigned(&r)
        self.previous = unsigned(&r)
        self.kind_number = unsigned(&r)
        return not r.bad

    cdef bint _name_after(self) noexcept:
        """As ``StreamRow.after``: others' newest changes that this device has not named."""
        cdef Newest* newest
        cdef After found
        cdef int i, at
        self.after_count = 0
        for i in range(self.row.newest_count):
            newest = &self.row.newest[i]
            if newest.device == self.device or self._seen(newest.device) >= newest.number:
                continue
            if self.after_count == AFTER_COMMON:
                return False
            found.device, found.number, found.link8 = newest.device, newest.number, newest.link8
            at = self.after_count
            while at and self.after[at - 1].device > found.device:
                self.after[at] = self.after[at - 1]
                at -= 1
            self.after[at] = found
            self.after_count += 1
        return True

    cdef u64 _seen(self, u64 device) noexcept:
        cdef int i
        for i in range(self.seen_count):
            if self.seen[i].device == device:
                return self.seen[i].number
        return 0

    cdef bint _name_replaced(self, u64 kind, int record_at, int form_at, object shape):
        """As ``StreamState.replaces_for_form``."""
        cdef Slot* slot
        cdef Live* live
        cdef int i, at
        cdef u64 mask
        self.named_count = 0
        for i in range(self.row.slot_count):
            slot = &self.row.slots[i]
            if slot.key & 15 != kind:
                continue
            if slot.has_rare:
                return False
            at = slot.first
            while at >= 0:
                live = &self.row.live[at]
                at = live.next
                if not live.simple or live.form >= <u64>self.row.form_count:
                    return False
                if live.record != <u64>record_at:
                    if live.record >= <u64>self.row.record_count:
                        return False
                    continue
                mask = live.mask
                if live.form != <u64>form_at:
                    common = mask_of(shape, &self.row.forms[live.form])
                    if common is None:
                        return False
                    mask &= <u64>common
                if mask and not self._name(slot, live, mask):
                    return False
        return True

    cdef bint _name(self, Slot* slot, Live* live, u64 mask) noexcept:
        """Name a live write, in order of device and number; False if they are too many."""
        cdef u64 device = slot.key >> 4
        cdef int at = self.named_count
        if at == REPLACES_MAX or mask >> CELLS_MAX:
            return False
        while at and (
            self.named[at - 1].device > device
            or (self.named[at - 1].device == device and self.named[at - 1].number > live.number)
        ):
            self.named[at] = self.named[at - 1]
            self.slots[at], self.lives[at] = self.slots[at - 1], self.lives[at - 1]
            at -= 1
        self.named[at].device, self.named[at].number = device, live.number
        self.named[at].link8, self.named[at].mask = live.link8, mask
        self.slots[at], self.lives[at] = slot, live
        self.named_count += 1
        return True

    # -- the change -------------------------------------------------------------------------------

    cdef object _sealed(
        self, bytes stream, u64 kind, u64 number, const u8* body, Py_ssize_t body_size,
        bytes previous_link, bytes random8, object packed_keys,
    ):
        cdef u8 header[HEAD_MAX + SEGMENTS]
        cdef u8 change[CHANGE_MAX]
        cdef u8* out = change
        cdef const u8* stored
        cdef const u8* previous = _data(previous_link)
        cdef Py_ssize_t size, place, segment_size
        cdef bytes plain, segment, link
        stored = raw_key(packed_keys, kind, self.own.key_name)
        plain = padded(body, body_size) if body_size else None
        size = put_head(
            header, self.device, number, _data(stream), self.previous, self.after,
            self.after_count, self.control_size, _data(random8),
        )
        if stored == NULL or plain is None or not size:
            return None
        cipher = _prepare(_bytes(stored + 32, 32))
        segment = seal(header, size, previous, cipher, stored + 64, <u8>kind, plain, self.link)
        size += SEGMENTS
        segment_size = PyBytes_GET_SIZE(segment)
        out[0] = 0x94
        out = _put_binary(out + 1, previous, LINK)
        out = _put_binary(out, header, size)
        out[0], out[1] = 0xC4, SIGNATURE
        place = out + 2 - change
        memset(out + 2, 0, SIGNATURE)
        out += 2 + SIGNATURE
        out[0] = 0x91
        out = _put_binary(out + 1, _data(segment), segment_size)
        link = _bytes(self.link, LINK)
        packed = PyByteArray_FromStringAndSize(<const char*>change, out - change)
        return packed, place, self.message + link, link, size + SIGNATURE + segment_size

    cdef int _change(
        self, u64 kind, u64 number, const u8* record, int record_at, Slice form, int form_at,
        u64 full,
    ) except -1:
        """As ``own_save.note_save``, but for the location."""
        cdef Newest* newest
        cdef Added* added = &self.row.added[0]
        cdef int i
        self.fresh = add_live(
            self.row, self.device << 4 | kind, number, self.link, record, record_at, form, form_at,
            full,
        )
        for i in range(self.named_count):
            replace(self.slots[i], self.lives[i], self.named[i].mask)
        newest = newest_for(self.row, self.device)
        newest.number, newest.link8 = number, self.link
        self.row.added_count = 1
        added.index, added.device, added.number = _end_of_log + number, self.device, number
        added.location = added.log_time = 0
        for i in range(self.after_count):
            self._note_seen(self.after[i].device, self.after[i].number)
        self._put_rest(number)
        return 0

    cdef void _note_seen(self, u64 device, u64 number) noexcept:
        cdef int i = 0
        while i < self.seen_count and self.seen[i].device != device:
            i += 1
        if i == self.seen_count:
            self.seen_count += 1
        self.seen[i].device, self.seen[i].number = device, number

    cdef void _put_rest(self, u64 number) noexcept:
        cdef u8* out = self.rest
        cdef int i
        if self.seen_count < 16:
            out[0] = 0x80 | <u8>self.seen_count
            out += 1
        else:
            out[0], out[1], out[2] = 0xDE, 0, <u8>self.seen_count
            out += 3
        for i in range(self.seen_count):
            out += put_unsigned(out, self.seen[i].device)
            out += put_unsigned(out, self.seen[i].number)
        out += put_unsigned(out, number)
        out += put_unsigned(out, self.kind_number)
        out[0] = 0xC2
        self.row.rest.at, self.row.rest.size = self.rest, out + 1 - self.rest


cdef bint _is_newer(const Fact* fact, const Fact* held) noexcept:
    """By index, number and position."""
    if fact.index != held.index:
        return fact.index > held.index
    if fact.number != held.number:
        return fact.number > held.number
    return fact.position > held.position
