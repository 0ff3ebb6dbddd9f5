# cython: language_level=3, wraparound=False
"""Compiled twin of ``plain_path``: plain changes, and plain segments of others (optional).

It takes a change only if nothing about it is uncommon and changes nothing before it is sure; it
stops before everything else, which the Python path then takes. ``tests/properties/test_kernels.py``
holds the two equal.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.tuple cimport PyTuple_GET_ITEM
from libc.string cimport memcmp

from casesync.codec._msgpack cimport u8, u64
from casesync.sync._segment cimport Body, Shape, is_bytes, opened, read_body, shape_of
from casesync.translog._served_leaf cimport ServedLeaf

VERSION = 11
"""Raised with every change of what this module does; its Python twin asks for just this one."""

cdef Py_ssize_t PLAIN_TABLE = 46  # of a plain header: one segment
cdef Py_ssize_t TABLE_MAX = 32
cdef object U64 = (1 << 64) - 1


# -- one change -----------------------------------------------------------------------------------

cdef bint _introduced(object facts, object kind, object key_name, object index):
    """As ``StreamRow.introduces``."""
    cdef object fact
    for fact in <list?>facts:
        if fact[4] == key_name and fact[3] == kind and fact[7] and fact[6] < index:
            return True
    return False


cdef bint _take(
    ServedLeaf leaf,
    tuple plain,
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
    cdef object number, known_size, kind, key_name, device, known, key, body
    cdef object index = leaf.index
    cdef list history = row[0]
    cdef dict newest = row[4]
    number, known_size, kind, key_name = plain
    if history is None or newest is None:
        return False
    if not index > last_index:
        return False
    device = leaf.device
    known = devices.get(device)
    if known is None:
        known = device_of(device)
    if known[0] is None or known[0] != owner:
        return False
    if not 0 < kind < 16 or not (<u64>known[1] >> <u64>kind) & 1:
        return False
    if not device <= known_size <= control_size:
        return False
    if leaf.segment_count == 0 or leaf.raw_link.size != 32:
        return False
    if not _introduced((<list?>row[2])[2], kind, key_name, index):
        return False
    key = ring.get((kind, key_name))
    if key is None:
        key = key_of(stream, kind, key_name)  # made ready
        if key is None:
            return False
    body = opened(
        key,
        leaf.raw_previous,
        leaf.raw_header,
        leaf.raw_header.size - PLAIN_TABLE,
        0,
        leaf.raw_segments[0],
    )
    if body is None or not _apply(
        body, kind, device, number, leaf.raw_link.at, location, merge_row, forms_checked
    ):
        return False
    history.extend((index, device, number, location, 0, leaf.log_time_ms))
    known = newest.get(device)
    if known is None or known[0] < number:
        newest[device] = [number, PyBytes_FromStringAndSize(<const char*>leaf.raw_link.at, 8)]
    return True


cdef bint _apply(
    object body,
    object kind,
    object device,
    object number,
    const u8* link,
    object location,
    list merge_row,
    dict forms_checked,
):
    """Merge the padded body of a segment; False, and nothing changed, if it is uncommon."""
    cdef object form, slot_key, link8, shape, held
    cdef Py_ssize_t record_at, form_at
    cdef u64 mask
    cdef Body b
    cdef Shape met
    cdef Py_ssize_t i, place
    cdef u64 slot_device
    cdef list keys, slots, slot, numbers, named, forms_table, records_table, targets
    cdef dict live
    if not read_body(body, &b):
        return False
    met = shape_of(&b)
    if met is None or forms_checked.get((b.version, kind, met.form)) is not True:
        return False
    form = met.form

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
    record_at = _record_at(records_table, b.record)
    form_at = _index(forms_table, met.row)
    if record_at < 0 and PyList_GET_SIZE(records_table) >= TABLE_MAX:
        return False
    if form_at >= 0:
        shape = form_at
    elif PyList_GET_SIZE(forms_table) < TABLE_MAX:
        shape = PyList_GET_SIZE(forms_table)
    else:
        shape = form.row  # as ``state_row.form_ref``
    targets = []
    for i in range(b.replaces):
        place = _index(keys, b.replaced[i].device << 4 | <u64>kind)
        if place < 0 or slots[place][2] is not None:
            return False
        live = slots[place][1]
        named = live.get(b.replaced[i].number)
        if named is None:
            if not _contains(slots[place][0], b.replaced[i].number):
                return False
            targets.append(None)  # replaced by others before
            continue
        if type(named[2]) is not int or named[2] < 0 or type(named[3]) is not int:
            return False
        if not is_bytes(named[0], 8):
            return False
        if named[3] < 0:
            return False  # of several groups
        if named[3] != record_at:
            b.replaced[i].mask = 0
        elif named[4] != shape:
            held = forms_table[named[4]] if type(named[4]) is int else named[4]
            b.replaced[i].mask &= <u64>(form.mask_of(held) & U64)  # what is live ends there
        targets.append(named)

    # Now all of it is known to be common.
    if record_at < 0:
        record_at = PyList_GET_SIZE(records_table)
        records_table.append(PyBytes_FromStringAndSize(<const char*>b.record, 16))
    if type(shape) is int and <Py_ssize_t>shape == PyList_GET_SIZE(forms_table):
        forms_table.append(form.row)
    link8 = PyBytes_FromStringAndSize(<const char*>link, 8)
    if slot is None:
        live = {}
        keys.append(slot_key)
        slots.append([[number], live, None])
    else:
        numbers.append(number)
        live = slot[1]
    live[number] = [link8, location, form.full, record_at, shape]
    for i in range(b.replaces):
        named = targets[i]
        if named is None or memcmp(PyBytes_AS_STRING(named[0]), b.replaced[i].link8, 8) != 0:
            continue
        mask = <u64>named[2] & ~b.replaced[i].mask
        named[2] = mask
        if not mask:
            place = _index(keys, b.replaced[i].device << 4 | <u64>kind)
            del (<dict>(<list>slots[place])[1])[b.replaced[i].number]
    return True


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
        if is_bytes(held, 16) and memcmp(PyBytes_AS_STRING(held), record, 16) == 0:
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
            <ServedLeaf?>entry[0],
            entry[2],
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
        last_index = (<ServedLeaf>entry[0]).index
        at += 1
    return at


def take_segment(
    ServedLeaf leaf not None,
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
    cdef object body
    if leaf.raw_link.size != 32 or position >= leaf.segment_count:
        return False
    if not isinstance(key, tuple) or not 0 < kind < 16:
        return False
    body = opened(
        key, leaf.raw_previous, leaf.raw_header, head_size, position, leaf.raw_segments[position]
    )
    return body is not None and _apply(
        body, kind, leaf.device, number, leaf.raw_link.at, location, merge_row, forms_checked
    )
