# cython: language_level=3, wraparound=False
"""A stream's row as the store packs it, read and written without an object for it (optional).

The layout is that of ``stream_row`` and ``model.state_row``, in msgpack with everything in its
shortest form. What a change does not touch is copied as it stands. Every read is bounded, whatever
the bytes are: a row that is longer than usual, uncommon or damaged is not read.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Realloc
from libc.string cimport memcmp, memcpy

from casesync.foundation.ids import StreamKind
from casesync.codec._msgpack cimport Reader, array, big, has, put_unsigned, unsigned
from casesync.sync._segment cimport bytes_of

VERSION = 3
"""Raised with every change of what this module does; ``stream_kernels`` asks for just this one."""

cdef u64 _case = StreamKind.CASE
cdef Py_ssize_t ROW_MAX = 32 * 1024


# -- reading a row: bounded, whatever the bytes are ------------------------------------------------

cdef bint skip(Reader* r, Slice* part) noexcept:
    """Step over one value of any depth; where it stands."""
    cdef Py_ssize_t wanted = 1, size, width
    cdef u8 tag
    part.at = r.at
    while wanted:
        wanted -= 1
        if not has(r, 1):
            return False
        tag = r.at[0]
        r.at += 1
        size = width = 0
        if tag < 0x80 or tag >= 0xE0 or tag == 0xC0 or tag == 0xC2 or tag == 0xC3:
            continue
        if tag & 0xE0 == 0xA0:
            size = tag & 31
        elif tag & 0xF0 == 0x90:
            wanted += tag & 15
        elif tag & 0xF0 == 0x80:
            wanted += 2 * (tag & 15)
        elif 0xCC <= tag <= 0xCF or 0xD0 <= tag <= 0xD3:
            size = 1 << (tag & 3)
        elif tag == 0xC4 or tag == 0xD9:
            width = 1
        elif tag == 0xC5 or tag == 0xDA or tag == 0xDC or tag == 0xDE:
            width = 2
        else:
            r.bad = True  # longer than a row, or no part of one
            return False
        if width:
            if not has(r, width):
                return False
            size = big(r.at, width)
            r.at += width
            if tag == 0xDC or tag == 0xDE:
                wanted += size << (tag == 0xDE)
                size = 0
        if not has(r, size) or wanted > r.end - r.at - size:
            r.bad = True
            return False
        r.at += size
    part.size = r.at - part.at
    return True


cdef Py_ssize_t pairs(Reader* r) noexcept:
    """The number of pairs of a map."""
    cdef Py_ssize_t count
    if not has(r, 1):
        return 0
    if r.at[0] & 0xF0 == 0x80:
        count = r.at[0] & 15
        r.at += 1
        return count
    if r.at[0] == 0xDE and has(r, 3):
        count = big(r.at + 1, 2)
        r.at += 3
        return count
    r.bad = True
    return 0


cdef bint _is_nothing(Reader* r) noexcept:
    """Whether an empty list, None or False stands here."""
    return has(r, 1) and (r.at[0] == 0x90 or r.at[0] == 0xC0 or r.at[0] == 0xC2)


cdef bint _is_unsigned(Reader* r) noexcept:
    return has(r, 1) and (r.at[0] < 0x80 or 0xCC <= r.at[0] <= 0xCF)


cdef bint _read_history(Reader* r, Row* row, u64 own_device) noexcept:
    cdef Py_ssize_t i, count = array(r)
    cdef u64 index, device
    if r.bad or count % 6:
        return False
    row.history.at = r.at
    row.history_count = count
    row.all_count = True
    row.last = -1
    for i in range(count // 6):
        index = unsigned(r)
        device = unsigned(r)
        unsigned(r)
        unsigned(r)
        row.all_count = unsigned(r) == 0 and row.all_count
        unsigned(r)
        if r.bad or index >> 63:
            return False
        if device != own_device and <long long>index > row.last:
            row.last = <long long>index
    row.history.size = r.at - row.history.at
    return True


cdef bint _read_live(Reader* r, Row* row, Slot* slot) noexcept:
    """The live writes of a slot; False where there are more than usual."""
    cdef Live* live
    cdef Reader inner
    cdef Py_ssize_t i, count = pairs(r)
    if r.bad or row.live_count + count > LIVE:
        return False
    slot.live = count
    for i in range(count):
        live = &row.live[row.live_count]
        live.number = unsigned(r)
        if r.bad or not skip(r, &live.raw):
            return False
        inner.at, inner.end, inner.bad = live.raw.at, live.raw.at + live.raw.size, False
        live.simple = array(&inner) == 5
        live.link8 = bytes_of(&inner, 8)
        live.location = unsigned(&inner)
        live.mask = unsigned(&inner)
        live.record = unsigned(&inner)
        live.form = unsigned(&inner)
        live.simple = live.simple and not inner.bad and inner.at == inner.end
        live.added = live.gone = False
        link_live(row, slot, row.live_count)
        row.live_count += 1
    return True


cdef void link_live(Row* row, Slot* slot, int at) noexcept:
    """Put a live write behind the others of its slot."""
    row.live[at].next = -1
    if slot.first < 0:
        slot.first = at
    else:
        row.live[slot.newest].next = at
    slot.newest = at


cdef bint _read_slot(Reader* r, Row* row, Slot* slot) noexcept:
    cdef Py_ssize_t i
    if array(r) != 3:
        return False
    slot.count = array(r)
    if r.bad or not slot.count:
        return False
    slot.numbers.at = r.at
    for i in range(<Py_ssize_t>slot.count):
        slot.last = unsigned(r)
    slot.numbers.size = r.at - slot.numbers.at
    slot.first = slot.newest = -1
    if r.bad or not _read_live(r, row, slot) or not has(r, 1):
        return False
    slot.has_rare = r.at[0] != 0xC0
    return skip(r, &slot.rare)


cdef bint _read_merge(Reader* r, Row* row) noexcept:
    """The merge state, empty or ``[keys, slots, records, forms, {}]``."""
    cdef Py_ssize_t i, count = array(r)
    row.slot_count = row.live_count = row.record_count = row.form_count = 0
    if r.bad or count != 5:
        return not r.bad and count == 0
    count = array(r)
    if r.bad or count > SLOTS:
        return False
    row.slot_count = count
    for i in range(count):
        row.slots[i].key = unsigned(r)
    if array(r) != count or r.bad:
        return False
    for i in range(count):
        if not _read_slot(r, row, &row.slots[i]):
            return False
    count = array(r)
    if r.bad or count > TABLE:
        return False
    row.record_count = count
    for i in range(count):
        row.records[i] = bytes_of(r, 16)
    count = array(r)
    if r.bad or count > TABLE:
        return False
    row.form_count = count
    for i in range(count):
        if not skip(r, &row.forms[i]):
            return False
    return pairs(r) == 0 and not r.bad


cdef bint _read_fact(Reader* r, Row* row) noexcept:
    """A statement; noted if it is valid."""
    cdef Fact* fact = &row.facts[row.fact_count]
    cdef Slice part
    cdef Py_ssize_t i, count = array(r)
    cdef u8 tag
    if r.bad or count < 8:
        return False
    for i in range(3):
        if not skip(r, &part):
            return False
    fact.kind = unsigned(r)
    fact.key_name = bytes_of(r, 8)
    if r.bad or not skip(r, &part) or not has(r, 1):
        return False
    tag = r.at[0]
    if _is_unsigned(r):
        fact.index = <long long>unsigned(r)
        if fact.index < 0:
            return False
    elif tag >= 0xE0:
        fact.index = <signed char>tag
        r.at += 1
    else:
        return False
    if not has(r, 1):
        return False
    if r.at[0] == 0xC3:
        row.fact_count += 1
    elif r.at[0] != 0xC2:
        return False
    for i in range(7, count):
        if not skip(r, &part):
            return False
    return True


cdef bint _read_rights(Reader* r, Row* row) noexcept:
    """Owner and statements of a case whose base segments could all be opened."""
    cdef Slice part
    cdef Py_ssize_t i, count
    row.rights.at = r.at
    row.fact_count = 0
    if array(r) != 4:
        return False
    count = array(r)
    if r.bad or count < 2 or unsigned(r) != _case or r.bad or not skip(r, &part):
        return False
    if part.at[0] != 0xC4 or part.size < 2:
        return False
    row.owner.at, row.owner.size = part.at + 2, part.size - 2
    for i in range(2, count):
        if not skip(r, &part):
            return False
    row.shared = not _is_nothing(r)
    if not skip(r, &part):
        return False
    count = array(r)
    if r.bad or count > FACTS:
        return False
    for i in range(count):
        if not _read_fact(r, row):
            return False
    if not _is_nothing(r) or not skip(r, &part):
        return False
    row.rights.size = r.at - row.rights.at
    return True


cdef bint read_row(object packed, Row* row, u64 own_device) noexcept:
    """Read a usual row of a case that is complete here; False if it is another one."""
    cdef Reader r
    cdef Slice part
    cdef Py_ssize_t i, count
    if type(packed) is not bytes or PyBytes_GET_SIZE(packed) > ROW_MAX:
        return False
    r.at, r.bad = <const u8*>PyBytes_AS_STRING(packed), False
    r.end = r.at + PyBytes_GET_SIZE(packed)
    row.added_count = 0
    if array(&r) != 9 or not _read_history(&r, row, own_device):
        return False
    if not _read_merge(&r, row) or not _read_rights(&r, row):
        return False
    if unsigned(&r) != 0 or r.bad:
        return False  # not complete here
    count = pairs(&r)
    if r.bad or count > NEWEST:
        return False
    row.newest_count = count
    for i in range(count):
        row.newest[i].device = unsigned(&r)
        if array(&r) != 2:
            return False
        row.newest[i].number = unsigned(&r)
        row.newest[i].link8 = bytes_of(&r, 8)
    row.rest.at = r.at
    if r.bad or not (skip(&r, &part) and skip(&r, &part) and skip(&r, &part)):
        return False
    if not skip(&r, &part) or part.at[0] != 0xC2 or r.at != r.end:
        return False  # given up
    row.rest.size = r.at - row.rest.at
    return row.all_count


# -- writing it ------------------------------------------------------------------------------------

cdef int _room(Buffer* b, Py_ssize_t count) except -1:
    cdef u8* data
    cdef Py_ssize_t room
    if b.room - b.size < count:
        room = 2 * (b.size + count) + 1024
        data = <u8*>PyMem_Realloc(b.data, room)
        if data == NULL:
            raise MemoryError
        b.data, b.room = data, room
    return 0


cdef int _put(Buffer* b, const u8* data, Py_ssize_t size) except -1:
    _room(b, size)
    memcpy(b.data + b.size, data, size)
    b.size += size
    return 0


cdef int _put_tagged(Buffer* b, u8 tag, u64 value, int width) except -1:
    """A tag and an unsigned integer of ``width`` bytes, big-endian."""
    _room(b, 9)
    b.data[b.size] = tag
    b.size += 1 + width
    while width:
        b.data[b.size - width] = <u8>(value >> (8 * (width - 1)))
        width -= 1
    return 0


cdef int _put_unsigned(Buffer* b, u64 value) except -1:
    _room(b, 9)
    b.size += put_unsigned(b.data + b.size, value)
    return 0


cdef int _put_head(Buffer* b, u8 short, u8 long_, u64 count) except -1:
    """The head of an array or a map."""
    if count < 16:
        return _put_tagged(b, short | <u8>count, 0, 0)
    return _put_tagged(b, long_, count, 2)


cdef int put_array(Buffer* b, u64 count) except -1:
    return _put_head(b, 0x90, 0xDC, count)


cdef int _put_binary(Buffer* b, const u8* data, Py_ssize_t size) except -1:
    _put_tagged(b, 0xC4, size, 1)
    return _put(b, data, size)


cdef int put_slice(Buffer* b, Slice part) except -1:
    """Bytes, or what is withheld."""
    if part.at == NULL:
        return _put_tagged(b, 0xC0, 0, 0)
    if part.size <= 0xFF:
        _put_tagged(b, 0xC4, part.size, 1)
    elif part.size <= 0xFFFF:
        _put_tagged(b, 0xC5, part.size, 2)
    else:
        _put_tagged(b, 0xC6, part.size, 4)
    return _put(b, part.at, part.size)


cdef int _write_slot(Buffer* b, Row* row, Slot* slot) except -1:
    cdef Live* live
    cdef u64 fresh = 0
    cdef int at = slot.first
    while at >= 0:
        fresh += row.live[at].added
        at = row.live[at].next
    put_array(b, 3)
    put_array(b, slot.count + fresh)
    _put(b, slot.numbers.at, slot.numbers.size)
    at = slot.first
    while fresh and at >= 0:
        if row.live[at].added:
            _put_unsigned(b, row.live[at].number)
        at = row.live[at].next
    _put_head(b, 0x80, 0xDE, slot.live)
    at = slot.first
    while at >= 0:
        live = &row.live[at]
        at = live.next
        if live.gone:
            continue
        _put_unsigned(b, live.number)
        if live.raw.at != NULL:
            _put(b, live.raw.at, live.raw.size)
            continue
        put_array(b, 5)
        _put_binary(b, live.link8, 8)
        _put_unsigned(b, live.location)
        _put_unsigned(b, live.mask)
        _put_unsigned(b, live.record)
        _put_unsigned(b, live.form)
    if slot.has_rare:
        return _put(b, slot.rare.at, slot.rare.size)
    return _put_tagged(b, 0xC0, 0, 0)


cdef int write_row(Buffer* b, Row* row) except -1:
    """The row as the store packs it."""
    cdef int i
    cdef Added* added
    b.size = 0
    put_array(b, 9)
    put_array(b, row.history_count + 6 * row.added_count)
    _put(b, row.history.at, row.history.size)
    for i in range(row.added_count):
        added = &row.added[i]
        _put_unsigned(b, added.index)
        _put_unsigned(b, added.device)
        _put_unsigned(b, added.number)
        _put_unsigned(b, added.location)
        _put_unsigned(b, 0)
        _put_unsigned(b, added.log_time)
    put_array(b, 5)
    put_array(b, row.slot_count)
    for i in range(row.slot_count):
        _put_unsigned(b, row.slots[i].key)
    put_array(b, row.slot_count)
    for i in range(row.slot_count):
        _write_slot(b, row, &row.slots[i])
    put_array(b, row.record_count)
    for i in range(row.record_count):
        _put_binary(b, row.records[i], 16)
    put_array(b, row.form_count)
    for i in range(row.form_count):
        _put(b, row.forms[i].at, row.forms[i].size)
    _put_head(b, 0x80, 0xDE, 0)
    _put(b, row.rights.at, row.rights.size)
    _put_unsigned(b, 0)
    _put_head(b, 0x80, 0xDE, row.newest_count)
    for i in range(row.newest_count):
        _put_unsigned(b, row.newest[i].device)
        put_array(b, 2)
        _put_unsigned(b, row.newest[i].number)
        _put_binary(b, row.newest[i].link8, 8)
    return _put(b, row.rest.at, row.rest.size)


# -- looking into it -------------------------------------------------------------------------------

cdef Newest* newest_of(Row* row, u64 device) noexcept:
    cdef int i
    for i in range(row.newest_count):
        if row.newest[i].device == device:
            return &row.newest[i]
    return NULL


cdef Slot* slot_of(Row* row, u64 key) noexcept:
    cdef int i
    for i in range(row.slot_count):
        if row.slots[i].key == key:
            return &row.slots[i]
    return NULL


cdef bint was_applied(Row* row, Slot* slot, u64 number) noexcept:
    """Whether a number stands among a slot's; a row is short, so all of it may be read."""
    cdef Reader r
    cdef int at = slot.first
    r.at, r.end, r.bad = slot.numbers.at, slot.numbers.at + slot.numbers.size, False
    while r.at < r.end and not r.bad:
        if unsigned(&r) == number:
            return True
    while at >= 0:
        if row.live[at].added and row.live[at].number == number:
            return True
        at = row.live[at].next
    return False


cdef Live* live_of(Row* row, Slot* slot, u64 number) noexcept:
    cdef int at = slot.first
    while at >= 0:
        if row.live[at].number == number and not row.live[at].gone:
            return &row.live[at]
        at = row.live[at].next
    return NULL


# -- changing it -----------------------------------------------------------------------------------

cdef int record_of(Row* row, const u8* record) noexcept:
    """Where a record stands in the table, or would be added; ``TABLE`` if that is full."""
    cdef int at = 0
    while at < row.record_count and memcmp(row.records[at], record, 16) != 0:
        at += 1
    return at


cdef int form_of(Row* row, const u8* form, Py_ssize_t size) noexcept:
    """As ``record_of``, of a form's row as it is packed."""
    cdef int at = 0
    while at < row.form_count and not (
        row.forms[at].size == size and memcmp(row.forms[at].at, form, size) == 0
    ):
        at += 1
    return at


cdef bint takes(Row* row, u64 slot_key, u64 number) noexcept:
    """Whether ``add_live`` may add a write with this number to the slot of ``slot_key``."""
    cdef Slot* slot = slot_of(row, slot_key)
    if row.live_count >= LIVE:
        return False
    if slot == NULL:
        return row.slot_count < SLOTS
    return not slot.has_rare and number > slot.last


cdef Live* add_live(
    Row* row,
    u64 slot_key,
    u64 number,
    const u8* link,
    const u8* record,
    int record_at,
    Slice form,
    int form_at,
    u64 full,
) noexcept:
    """Add a live write that ``takes`` allows; its location is left open.

    The bytes of ``link`` and ``form`` must stay until the row is written.
    """
    cdef Slot* slot = slot_of(row, slot_key)
    cdef Live* live
    if record_at == row.record_count:
        memcpy(row.new_records[record_at], record, 16)
        row.records[record_at] = row.new_records[record_at]
        row.record_count += 1
    if form_at == row.form_count:
        row.forms[form_at] = form
        row.form_count += 1
    if slot == NULL:
        slot = &row.slots[row.slot_count]
        row.slot_count += 1
        slot.key, slot.count, slot.live = slot_key, 0, 0
        slot.numbers.at, slot.numbers.size, slot.has_rare = link, 0, False
        slot.first = slot.newest = -1
    slot.last = number
    slot.live += 1
    live = &row.live[row.live_count]
    live.number, live.raw.at, live.simple, live.link8 = number, NULL, True, link
    live.location, live.mask = 0, full
    live.record, live.form, live.added, live.gone = record_at, form_at, True, False
    link_live(row, slot, row.live_count)
    row.live_count += 1
    return live


cdef void replace(Slot* slot, Live* live, u64 mask) noexcept:
    """Take cells from a live write; one without any is no longer live."""
    live.mask &= ~mask
    live.raw.at = NULL
    if not live.mask:
        live.gone = True
        slot.live -= 1


cdef Newest* newest_for(Row* row, u64 device) noexcept:
    """What is noted as newest of a device, number 0 if there is nothing; NULL if it is too many."""
    cdef Newest* newest = newest_of(row, device)
    if newest == NULL and row.newest_count < NEWEST:
        newest = &row.newest[row.newest_count]
        row.newest_count += 1
        newest.device, newest.number = device, 0
    return newest
