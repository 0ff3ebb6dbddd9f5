# cython: language_level=3, wraparound=False
"""Compiled twin of ``plain_path``: plain changes, and plain segments of others (optional).

It takes a change only if nothing about it is uncommon and changes nothing before it is sure; it
stops before everything else, which the Python path then takes. One pass over the opened bytes
checks what ``segment_body.decode_content`` checks; no value becomes an object, because merging
looks at none. ``tests/properties/test_kernels.py`` holds the two equal.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.tuple cimport PyTuple_GET_ITEM
from libc.string cimport memcmp, memcpy

from casesync.merkle._hashes cimport digest
from casesync.crypto.key_schedule import label
from casesync.foundation.ids import StreamKind
from casesync.model.cells import SIMPLE_FORMS
from casesync.model.state_row import new_row

VERSION = 7
"""Raised with every change of what this module does; its Python twin asks for just this one."""

ctypedef unsigned char u8
ctypedef unsigned long long u64

cdef bytes _label = label("nonce")
cdef Py_ssize_t _label_bytes = len(_label)
cdef object _new_row = new_row
cdef int _case = StreamKind.CASE
cdef dict _forms = SIMPLE_FORMS
cdef object _new = tuple.__new__
cdef struct LastForm:
    u64 kind
    int size
    u64 keys[64]


cdef LastForm _last  # the form that was met last: an office saves the same few all day
cdef object _last_form = None
cdef list _last_shape = None
cdef Py_ssize_t HEAD_FRONT = 36  # header up to the count of after entries
cdef Py_ssize_t AFTER = 18
cdef Py_ssize_t BACK = 20
cdef Py_ssize_t ROOT = 32
cdef Py_ssize_t SEGMENT = 45
cdef Py_ssize_t PLAIN_TABLE = 1 + SEGMENT
DEF HEAD_MAX = 36 + 18 * 8 + 20 + 32  # of a plain header
cdef Py_ssize_t BODY_MAX = 4096
cdef int CELLS_MAX = 64
cdef int REPLACES_MAX = 16
"""More replaced changes than this are uncommon."""
cdef Py_ssize_t TABLE_MAX = 32
cdef u64 U48 = (<u64>1 << 48) - 1
cdef u64 U32 = (<u64>1 << 32) - 1


# -- msgpack, as far as a simple body has it ----------------------------------------------------

cdef struct Reader:
    const u8* at
    const u8* end
    bint bad


cdef inline u64 _big(const u8* at, int count) noexcept:
    cdef u64 value = 0
    cdef int i
    for i in range(count):
        value = value << 8 | at[i]
    return value


cdef inline bint _has(Reader* r, Py_ssize_t count) noexcept:
    if r.end - r.at < count:
        r.bad = True
        return False
    return True


cdef u64 _unsigned(Reader* r) noexcept:
    """An integer of 0 to 2^64 - 1; everything else is bad."""
    cdef u8 tag
    cdef int width
    cdef u64 value
    if not _has(r, 1):
        return 0
    tag = r.at[0]
    if tag < 0x80:
        r.at += 1
        return tag
    if tag < 0xCC or tag > 0xCF:
        r.bad = True
        return 0
    width = 1 << (tag - 0xCC)
    if not _has(r, 1 + width):
        return 0
    value = _big(r.at + 1, width)
    r.at += 1 + width
    return value


cdef Py_ssize_t _array(Reader* r) noexcept:
    """The number of items of an array."""
    cdef u8 tag
    cdef Py_ssize_t count
    if not _has(r, 1):
        return 0
    tag = r.at[0]
    if tag & 0xF0 == 0x90:
        r.at += 1
        return tag & 15
    if tag == 0xDC and _has(r, 3):
        count = _big(r.at + 1, 2)
        r.at += 3
        return count
    r.bad = True
    return 0


cdef const u8* _bin(Reader* r, Py_ssize_t size) noexcept:
    """The bytes of a bin of just this size, below 256."""
    cdef const u8* found
    if not _has(r, 2 + size) or r.at[0] != 0xC4 or r.at[1] != size:
        r.bad = True
        return NULL
    found = r.at + 2
    r.at += 2 + size
    return found


cdef bint _is_utf8(const u8* at, const u8* end) noexcept:
    """Whether the bytes are well-formed UTF-8 (Unicode 15, table 3-7)."""
    cdef u8 first, low, high
    cdef int rest
    while at < end:
        first = at[0]
        at += 1
        if first < 0x80:
            continue
        low, high = 0x80, 0xBF
        if 0xC2 <= first <= 0xDF:
            rest = 1
        elif 0xE0 <= first <= 0xEF:
            rest = 2
            if first == 0xE0:
                low = 0xA0
            elif first == 0xED:
                high = 0x9F
        elif 0xF0 <= first <= 0xF4:
            rest = 3
            if first == 0xF0:
                low = 0x90
            elif first == 0xF4:
                high = 0x8F
        else:
            return False
        if end - at < rest:
            return False
        if at[0] < low or at[0] > high:
            return False
        at += 1
        while rest > 1:
            if at[0] & 0xC0 != 0x80:
                return False
            at += 1
            rest -= 1
    return True


cdef void _value(Reader* r) noexcept:
    """Step over a scalar or a flat list of them."""
    cdef Py_ssize_t i, count
    if _has(r, 1) and (r.at[0] & 0xF0 == 0x90 or r.at[0] == 0xDC):
        count = _array(r)
        for i in range(count):
            if r.bad:
                return
            _scalar(r)
    else:
        _scalar(r)


cdef void _scalar(Reader* r) noexcept:
    """Step over an integer, text, bytes, a boolean or nil."""
    cdef u8 tag
    cdef Py_ssize_t size
    if not _has(r, 1):
        return
    tag = r.at[0]
    r.at += 1
    if tag < 0x80 or tag >= 0xE0 or tag == 0xC0 or tag == 0xC2 or tag == 0xC3:
        return
    if tag & 0xE0 == 0xA0:
        size = tag & 31
    elif tag == 0xD9 or tag == 0xC4:
        if not _has(r, 1):
            return
        size = r.at[0]
        r.at += 1
    elif tag == 0xDA or tag == 0xC5:
        if not _has(r, 2):
            return
        size = _big(r.at, 2)
        r.at += 2
    elif 0xCC <= tag <= 0xCF or 0xD0 <= tag <= 0xD3:
        size = 1 << (tag & 3)
        if _has(r, size):
            r.at += size
        return
    else:
        r.bad = True
        return
    if not _has(r, size):
        return
    if tag & 0xE0 == 0xA0 or tag == 0xD9 or tag == 0xDA:
        if not _is_utf8(r.at, r.at + size):
            r.bad = True
    r.at += size


# -- one change -----------------------------------------------------------------------------------

cdef struct Replaced:
    u64 device
    u64 number
    const u8* link8
    u64 mask


cdef inline bint _is_bytes(object value, Py_ssize_t size) noexcept:
    """Whether reading ``size`` bytes of a value of the row stays inside it."""
    return type(value) is bytes and PyBytes_GET_SIZE(value) == size


cdef object _opened(
    object key, object previous, object header, Py_ssize_t head_size, u8 position, object sealed
):
    """The padded plaintext of a segment; None if it does not open."""
    cdef object nonce, aad, commitment
    cdef const u8* head = <const u8*>PyBytes_AS_STRING(header)
    cdef u8* out
    cdef u8 made[32]
    cdef u8 joined[HEAD_MAX + 128]
    commitment = <object>PyTuple_GET_ITEM(key, 1)
    if not 0 <= head_size <= HEAD_MAX or PyBytes_GET_SIZE(previous) != 32:
        return None
    if not _is_bytes(commitment, 32):
        return None
    memcpy(joined, PyBytes_AS_STRING(_label), _label_bytes)
    out = joined + _label_bytes
    memcpy(out, PyBytes_AS_STRING(previous), 32)
    memcpy(out + 32, head, head_size)
    out[32 + head_size] = position
    digest(joined, _label_bytes + 33 + head_size, made)
    nonce = PyBytes_FromStringAndSize(<const char*>made, 12)
    aad = PyBytes_FromStringAndSize(NULL, 65)
    out = <u8*>PyBytes_AS_STRING(aad)
    digest(head, head_size, out)
    out[32] = position
    memcpy(out + 33, PyBytes_AS_STRING(commitment), 32)
    try:
        return (<object>PyTuple_GET_ITEM(key, 0)).decrypt(nonce, sealed, aad)
    except Exception:  # the Python path says what is wrong
        return None


cdef Py_ssize_t _unpadded(bytes body):
    """The length of an opened plaintext without its padding, -1 if that is wrong."""
    cdef const u8* raw = <const u8*>PyBytes_AS_STRING(body)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(body)
    while size and raw[size - 1] == 0:
        size -= 1
    return size - 1 if size and raw[size - 1] == 0x80 else -1


cdef bint _introduced(object facts, object kind, object key_name, object index):
    """As ``StreamRow.introduces``."""
    cdef object fact
    for fact in <list?>facts:
        if fact[4] == key_name and fact[3] == kind and fact[7] and fact[6] < index:
            return True
    return False


cdef bint _take(
    object leaf,
    object location,
    list row,
    list merge_row,
    dict ring,
    object key_of,
    object stream,
    dict devices,
    object device_of,
    object owner,
    object control_size,
    dict forms_checked,
    object last_index,
):
    """Take one change in; False, and nothing changed, if anything about it is uncommon."""
    cdef object number, known_size, kind, key_name, device, known, key
    cdef object previous, header, link, segments, sealed, body
    cdef list history = row[0]
    cdef dict newest = row[4]
    number, known_size, kind, key_name = <tuple>PyTuple_GET_ITEM(leaf, 10)
    if history is None or newest is None:
        return False
    if not (<object>PyTuple_GET_ITEM(leaf, 0) > last_index):
        return False
    device = <object>PyTuple_GET_ITEM(leaf, 7)
    known = devices.get(device)
    if known is None:
        known = device_of(device)
    if known[0] is None or known[0] != owner:
        return False
    if not 0 < kind < 16 or not (<u64>known[1] >> <u64>kind) & 1:
        return False
    if not device <= known_size <= control_size:
        return False
    segments = <object>PyTuple_GET_ITEM(leaf, 5)
    sealed = segments[0]
    if sealed is None or not _introduced(
        (<list?>row[2])[2], kind, key_name, <object>PyTuple_GET_ITEM(leaf, 0)
    ):
        return False
    key = ring.get((kind, key_name))
    if key is None:
        key = key_of(stream, kind, key_name)  # made ready
        if key is None:
            return False
    previous = <object>PyTuple_GET_ITEM(leaf, 2)
    header = <object>PyTuple_GET_ITEM(leaf, 3)
    link = <object>PyTuple_GET_ITEM(leaf, 8)
    if type(previous) is not bytes or type(header) is not bytes or not _is_bytes(link, 32):
        return False
    body = _opened(
        key, previous, header, PyBytes_GET_SIZE(header) - PLAIN_TABLE, 0, sealed
    )
    if body is None or not _apply(
        body, kind, device, number, link, location, merge_row, forms_checked
    ):
        return False
    history.extend(
        (
            <object>PyTuple_GET_ITEM(leaf, 0),
            device,
            number,
            location,
            0,
            <object>PyTuple_GET_ITEM(leaf, 1),
        )
    )
    known = newest.get(device)
    if known is None or known[0] < number:
        newest[device] = [number, PyBytes_FromStringAndSize(PyBytes_AS_STRING(link), 8)]
    return True


cdef bint _apply(
    object body,
    object kind,
    object device,
    object number,
    object link,
    object location,
    list merge_row,
    dict forms_checked,
):
    """Merge the padded body of a segment; False, and nothing changed, if it is uncommon."""
    cdef object form, slot_key, link8, shape, held
    cdef Py_ssize_t record_at, form_at
    cdef u64 mask
    cdef Reader r
    cdef Replaced replaced[16]
    cdef u64 field_keys[64]
    cdef const u8* raw
    cdef const u8* record_raw
    cdef Py_ssize_t size, count, pairs, i, j, place
    cdef u64 clock, version, kind_number, slot_device
    cdef list keys, slots, slot, numbers, named, forms_table, records_table, targets
    cdef dict live

    # The body: [clock, version, replaces, [[record, kind, [key, value, ...]]]], padded.
    raw = <const u8*>PyBytes_AS_STRING(body)
    size = _unpadded(body)
    if not 0 < size <= BODY_MAX:
        return False
    r.at, r.end, r.bad = raw, raw + size, False
    if _array(&r) != 4:
        return False
    clock = _unsigned(&r)
    version = _unsigned(&r)
    count = _array(&r)
    if r.bad or clock > U48 or version > U32 or count > REPLACES_MAX:
        return False
    for i in range(count):
        if _array(&r) != 4:
            return False
        replaced[i].device = _unsigned(&r)
        replaced[i].number = _unsigned(&r)
        replaced[i].link8 = _bin(&r, 8)
        replaced[i].mask = _unsigned(&r)
        if (
            r.bad
            or not 0 < replaced[i].device <= U32
            or not 0 < replaced[i].number <= U48
        ):
            return False
        for j in range(i):
            if (
                replaced[j].device == replaced[i].device
                and replaced[j].number == replaced[i].number
            ):
                return False
    if _array(&r) != 1 or _array(&r) != 3:
        return False
    record_raw = _bin(&r, 16)
    kind_number = _unsigned(&r)
    pairs = _array(&r)
    if r.bad or pairs < 2 or pairs & 1 or pairs > 2 * CELLS_MAX or kind_number > 0xFFFF:
        return False
    for i in range(pairs // 2):
        field_keys[i] = _unsigned(&r)
        if r.bad or field_keys[i] > 0xFFFFF:
            return False
        _value(&r)
        if r.bad:
            return False
    if r.at != r.end:
        return False
    form = _form(kind_number, pairs // 2, field_keys)
    if form is None or forms_checked.get((version, kind, form)) is not True:
        return False

    # Where it goes; still nothing is changed.
    keys, slots, records_table, forms_table = merge_row[0], merge_row[1], merge_row[2], merge_row[3]
    if keys is None or slots is None or records_table is None or forms_table is None:
        return False
    if merge_row[4]:
        return False  # something waits for a device's first change
    slot_device = device
    slot_key = slot_device << 4 | <u64>kind
    place = _index(keys, slot_key)
    slot = None
    if place >= 0:
        slot = slots[place]
        numbers = slot[0]
        if slot[2] is not None or not number > numbers[PyList_GET_SIZE(numbers) - 1]:
            return False
    record_at = _record_at(records_table, record_raw)
    form_at = _index(forms_table, _last_shape)
    if record_at < 0 and PyList_GET_SIZE(records_table) >= TABLE_MAX:
        return False
    if form_at >= 0:
        shape = form_at
    elif PyList_GET_SIZE(forms_table) < TABLE_MAX:
        shape = PyList_GET_SIZE(forms_table)
    else:
        shape = form.row  # as ``state_row.form_ref``
    targets = []
    for i in range(count):
        place = _index(keys, replaced[i].device << 4 | <u64>kind)
        if place < 0 or slots[place][2] is not None:
            return False
        live = slots[place][1]
        named = live.get(replaced[i].number)
        if named is None:
            if not _contains(slots[place][0], replaced[i].number):
                return False
            targets.append(None)  # replaced by others before
            continue
        if type(named[2]) is not int or named[2] < 0 or type(named[3]) is not int:
            return False
        if not _is_bytes(named[0], 8):
            return False
        if named[3] < 0:
            return False  # of several groups
        if named[3] != record_at:
            replaced[i].mask = 0
        elif named[4] != shape:
            held = forms_table[named[4]] if type(named[4]) is int else named[4]
            replaced[i].mask &= <u64>form.mask_of(held)
        targets.append(named)

    # Now all of it is known to be common.
    if record_at < 0:
        record_at = PyList_GET_SIZE(records_table)
        records_table.append(PyBytes_FromStringAndSize(<const char*>record_raw, 16))
    if type(shape) is int and <Py_ssize_t>shape == PyList_GET_SIZE(forms_table):
        forms_table.append(form.row)
    link8 = PyBytes_FromStringAndSize(PyBytes_AS_STRING(link), 8)
    if slot is None:
        live = {}
        keys.append(slot_key)
        slots.append([[number], live, None])
    else:
        numbers.append(number)
        live = slot[1]
    live[number] = [link8, location, form.full, record_at, shape]
    for i in range(count):
        named = targets[i]
        if named is None or memcmp(PyBytes_AS_STRING(named[0]), replaced[i].link8, 8) != 0:
            continue
        mask = <u64>named[2] & ~replaced[i].mask
        named[2] = mask
        if not mask:
            place = _index(keys, replaced[i].device << 4 | <u64>kind)
            del (<dict>(<list>slots[place])[1])[replaced[i].number]
    return True


cdef object _form(u64 kind, int size, const u64* field_keys):
    """The checked form of a type and keys, and ``_last_shape`` as its row; None if not met yet."""
    global _last_form, _last_shape
    cdef int i
    if (
        _last_form is not None
        and _last.kind == kind
        and _last.size == size
        and memcmp(_last.keys, field_keys, size * sizeof(u64)) == 0
    ):
        return _last_form
    shape = [kind]
    for i in range(size):
        shape.append(field_keys[i])
    form = _forms.get(tuple(shape))
    if form is not None:
        _last.kind = kind
        _last.size = size
        memcpy(_last.keys, field_keys, size * sizeof(u64))
        _last_form = form
        _last_shape = shape
    return form


cdef Py_ssize_t _index(list table, object wanted):
    """Position of an equal item, -1 if there is none."""
    cdef Py_ssize_t i
    for i in range(PyList_GET_SIZE(table)):
        if <object>PyList_GET_ITEM(table, i) == wanted:
            return i
    return -1


cdef bint _contains(list ascending, u64 wanted):
    """Whether a number stands in a list; whoever wrote the change chose which, and how often."""
    cdef Py_ssize_t low = 0, high = PyList_GET_SIZE(ascending), middle
    cdef u64 held
    while low < high:
        middle = (low + high) // 2
        held = <object>PyList_GET_ITEM(ascending, middle)
        if held == wanted:
            return True
        if held < wanted:
            low = middle + 1
        else:
            high = middle
    return False


cdef Py_ssize_t _record_at(list table, const u8* record):
    cdef Py_ssize_t i
    cdef object held
    for i in range(PyList_GET_SIZE(table)):
        held = <object>PyList_GET_ITEM(table, i)
        if _is_bytes(held, 16) and memcmp(PyBytes_AS_STRING(held), record, 16) == 0:
            return i
    return -1


def take_run(
    list fresh not None,
    Py_ssize_t at,
    list locations not None,
    Py_ssize_t first,
    list row not None,
    list merge_row not None,
    stream,
    path not None,
    owner,
    last_index,
):
    """As ``plain_path.PlainPath.take_run``."""
    cdef tuple entry
    cdef dict ring = path.keys.prepared(stream)
    key_of, devices, device_of = path.keys.get, path.devices, path.device
    control_size, forms_checked = path.control_size, path.forms_checked
    while at < PyList_GET_SIZE(fresh):
        entry = <tuple>PyList_GET_ITEM(fresh, at)
        if entry[2] is None:
            break
        if not _take(
            entry[0],
            locations[first + at],
            row,
            merge_row,
            ring,
            key_of,
            stream,
            devices,
            device_of,
            owner,
            control_size,
            forms_checked,
            last_index,
        ):
            break
        last_index = (<tuple>entry[0])[0]
        at += 1
    return at


def take_segment(
    leaf not None,
    Py_ssize_t head_size,
    u8 position,
    kind,
    key not None,
    number,
    location,
    list merge_row not None,
    dict forms_checked not None,
):
    """As ``plain_path.PlainPath.take_segment``."""
    previous, header, link, sealed = leaf[2], leaf[3], leaf[8], leaf[5][position]
    if type(previous) is not bytes or type(header) is not bytes or not _is_bytes(link, 32):
        return False
    if not isinstance(key, tuple) or not 0 < kind < 16 or head_size > PyBytes_GET_SIZE(header):
        return False
    body = _opened(key, previous, header, head_size, position, sealed)
    return body is not None and _apply(
        body, kind, leaf[7], number, link, location, merge_row, forms_checked
    )


def open_stored(change not None, kind, dict ring not None, key_of, stream):
    """As ``stored_segment.open_stored``; None also if anything is uncommon."""
    cdef object previous = change[0], header = change[1], key, body
    cdef const u8* data
    cdef Py_ssize_t size, head, row, end
    cdef u8 position = 0
    if type(previous) is not bytes or type(header) is not bytes or not 0 < kind < 16:
        return None
    data = <const u8*>PyBytes_AS_STRING(header)
    size = PyBytes_GET_SIZE(header)
    if size < HEAD_FRONT:
        return None
    head = HEAD_FRONT + AFTER * data[HEAD_FRONT - 1] + BACK
    if head < size and _big(data + head - 6, 6):
        head += ROOT
    row = head + 1
    while row + SEGMENT <= size and position < data[head] and data[row] != kind:
        row += SEGMENT
        position += 1
    if row + SEGMENT > size or position == data[head]:
        return None
    key_name = PyBytes_FromStringAndSize(<const char*>data + row + 1, 8)
    key = ring.get((kind, key_name))
    if key is None:
        key = key_of(stream, kind, key_name)
    if not isinstance(key, tuple):
        return None
    body = _opened(key, previous, header, head, position, change[3][position])
    end = -1 if body is None else _unpadded(body)
    return None if end < 0 else PyBytes_FromStringAndSize(PyBytes_AS_STRING(body), end)


def place_runs(list batch not None, dict rows not None, change_type, own_device):
    """As ``plain_batch.PlainBatch.place``."""
    cdef list changes = [], placed = []
    cdef tuple pair
    for pair in batch:
        row = rows.get(pair[0])
        placed.append(None if row is None else _place(pair[1], row, changes, change_type, own_device))
    return changes, placed


cdef object _place(list leaves, list row, list changes, change_type, own_device):
    """The largest index held of others' changes (-1 = none); None if not every leaf is plain and
    newer than all that is held."""
    cdef list history = row[0], stored = []
    cdef dict newest = row[4], here = {}
    cdef Py_ssize_t i
    cdef long long index, last = -1
    cdef object leaf, plain, device, number, known
    if history is None or newest is None:
        return None
    if row[3] or row[8] or _owner(row) is None:  # not complete here, or given up, or no case
        return None
    for i in range(0, PyList_GET_SIZE(history), 6):
        if history[i + 4]:  # a verdict other than "counts"
            return None
        if history[i + 1] != own_device:
            index = history[i]
            last = max(last, index)
    for leaf in leaves:
        plain = <object>PyTuple_GET_ITEM(leaf, 10)
        if plain is None:
            return None
        device = <object>PyTuple_GET_ITEM(leaf, 7)
        number = <object>PyTuple_GET_ITEM(plain, 0)
        known = here.get(device)
        if known is None:
            known = newest.get(device)
            known = 0 if known is None else known[0]
        if not number > known:
            return None
        here[device] = number
        stored.append(
            _new(
                change_type,
                (
                    <object>PyTuple_GET_ITEM(leaf, 2),
                    <object>PyTuple_GET_ITEM(leaf, 3),
                    <object>PyTuple_GET_ITEM(leaf, 4),
                    <object>PyTuple_GET_ITEM(leaf, 5),
                ),
            )
        )
    changes += stored
    return last


cdef object _owner(list row):
    """As ``StreamRow.plain_owner``."""
    cdef list rights = row[2]
    if not rights or rights[0] is None or rights[3] or rights[0][0] != _case:
        return None
    return rights[0][1]


def take_runs(
    list batch not None,
    list placed not None,
    dict rows not None,
    list locations not None,
    path not None,
):
    """As ``plain_batch.PlainBatch.take``."""
    cdef list taken = [], leaves, row
    cdef tuple pair
    cdef dict ring
    cdef Py_ssize_t first = 0, at
    keys, key_of, devices, device_of = path.keys, path.keys.get, path.devices, path.device
    control_size, forms_checked = path.control_size, path.forms_checked
    for pair, last in zip(batch, placed):
        if last is None:
            taken.append(None)
            continue
        stream, leaves = pair
        row = rows[stream]
        owner = _owner(row)
        ring = keys.prepared(stream)
        if not row[1]:
            row[1] = _new_row()
        at = 0
        while at < PyList_GET_SIZE(leaves):
            if not _take(
                <object>PyList_GET_ITEM(leaves, at),
                locations[first + at],
                row,
                row[1],
                ring,
                key_of,
                stream,
                devices,
                device_of,
                owner,
                control_size,
                forms_checked,
                last,
            ):
                break
            last = (<tuple>PyList_GET_ITEM(leaves, at))[0]
            at += 1
        taken.append(at)
        first += PyList_GET_SIZE(leaves)
    return taken
