# cython: language_level=3, wraparound=False
"""Compiled twin of the page path for whole streams, on rows as the store packs them (optional).

Most streams that a page brings something of have a short row, and what came for them is content, by
colleagues and under keys that were admitted before. No row of theirs becomes lists and dictionaries
and a row again. A stream is taken whole or not at all; of rows, changes and bodies that are
uncommon or damaged nothing is decided here: ``page_stream`` takes the stream. What is taken is
packed as ``page_stream`` and the store would have it, byte for byte
(``tests/properties/test_packed_run.py``).
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.tuple cimport PyTuple_GET_ITEM
from libc.string cimport memcmp

import msgpack

from casesync.codec._msgpack cimport Slice, u8, u64
from casesync.sync._content_header cimport ContentHeader, read_content_header
from casesync.sync._segment cimport (
    Body, Shape, is_bytes, opened, read_body, shape_of
)
from casesync.sync._stored_key cimport stored_key
from casesync.sync._stream_row cimport (
    ADDED, TABLE,
    Added, Buffer, Live, Newest, Slice, Row, Slot,
    add_live, form_of, live_of, newest_for, put_array, put_slice, read_row, record_of,
    replace, slot_of, takes, was_applied, write_row,
)
from casesync.translog._served_leaf cimport ServedLeaf

VERSION = 9
"""Raised with every change of what this module does; ``stream_kernels`` asks for just this one."""

cdef object U64 = (1 << 64) - 1
cdef u64 SEARCHED_MAX = 256  # numbers of a slot that are looked through one by one
cdef object _unpack = msgpack.unpackb


# -- one change ------------------------------------------------------------------------------------

cdef bint _introduced(Row* row, u64 kind, const u8* key_name, long long index) noexcept:
    """As ``StreamRow.introduces``."""
    cdef int i
    for i in range(row.fact_count):
        if (
            row.facts[i].kind == kind
            and row.facts[i].index < index
            and memcmp(row.facts[i].key_name, key_name, 8) == 0
        ):
            return True
    return False


cdef bint _merge(
    Row* row, Body* b, Shape shape, u64 slot_key, u64 number, const u8* link, u64 location
):
    """As ``_plain_run._apply``, on the row that was read; False leaves it half changed."""
    cdef Slot* other
    cdef Live* live
    cdef Live* targets[16]
    cdef Slice form
    cdef int i, record_at = record_of(row, b.record), form_at
    cdef object mask
    form.at = <const u8*>PyBytes_AS_STRING(shape.packed)
    form.size = PyBytes_GET_SIZE(shape.packed)
    form_at = form_of(row, form.at, form.size)
    if record_at == TABLE or form_at == TABLE or not takes(row, slot_key, number):
        return False
    for i in range(b.replaces):
        other = slot_of(row, b.replaced[i].device << 4 | slot_key & 15)
        if other == NULL or other.has_rare:
            return False
        live = targets[i] = live_of(row, other, b.replaced[i].number)
        if live == NULL:
            # A long list is searched faster by ``page_stream``, and who wrote the change chose it.
            if other.count > SEARCHED_MAX or not was_applied(row, other, b.replaced[i].number):
                return False
        elif not live.simple or live.form >= <u64>row.form_count:
            return False
        elif live.record != <u64>record_at:
            b.replaced[i].mask = 0
        elif live.form != <u64>form_at:
            mask = mask_of(shape.form, &row.forms[live.form])
            if mask is None:
                return False
            b.replaced[i].mask &= <u64>mask
    live = add_live(
        row, slot_key, number, link, b.record, record_at, form, form_at, <u64>shape.form.full
    )
    live.location = location
    for i in range(b.replaces):
        live = targets[i]
        if live != NULL and memcmp(live.link8, b.replaced[i].link8, 8) == 0:
            other = slot_of(row, b.replaced[i].device << 4 | slot_key & 15)
            replace(other, live, b.replaced[i].mask)
    return True


cdef object mask_of(object form, Slice* target):
    """As ``Form.mask_of``, of a form as it is packed; None if that is damaged."""
    try:
        row = _unpack(PyBytes_FromStringAndSize(<const char*>target.at, target.size))
        if type(row) is not list:
            return None
        return form.mask_of(row) & U64  # no bit behind these is live where the mask is an integer
    except (TypeError, ValueError, IndexError):
        return None


cdef class _Path:
    """What is the same for all streams of a page, and the keys of the one that is being taken."""

    cdef object device_of, control_size
    cdef dict devices, forms_checked
    cdef list shapes  # their packed rows are pointed to
    cdef Shape newest_shape
    cdef object stored  # the stream's keys, packed
    cdef dict made      # those of them that were asked for

    def __init__(self, path):
        self.device_of = path.device
        self.control_size = path.control_size
        self.devices = path.devices
        self.forms_checked = path.forms_checked
        self.shapes = []


cdef bint _take(ServedLeaf leaf, u64 location, Row* row, _Path path):
    """Take one change in; False, and the row of no use any more, if anything is uncommon."""
    cdef object known, device
    cdef ContentHeader h
    cdef Added* added
    cdef Newest* newest
    cdef const u8* link = leaf.raw_link.at
    cdef int i
    cdef long long index = leaf.index
    if not read_content_header(leaf.raw_header.at, leaf.raw_header.size, &h):
        return False
    device = h.device
    known = path.devices.get(device)
    if known is None:
        known = path.device_of(device)
    if known[0] is None or not is_bytes(known[0], row.owner.size):
        return False
    if memcmp(PyBytes_AS_STRING(known[0]), row.owner.at, row.owner.size) != 0:
        return False
    if index <= row.last or not h.device <= h.control_size <= path.control_size:
        return False
    if leaf.raw_link.size != 32 or h.count > leaf.segment_count:
        return False
    for i in range(h.count):
        if h.kinds[i] >= 16 or not (<u64>known[1] >> h.kinds[i]) & 1:
            return False
        if not _introduced(row, h.kinds[i], h.key_names[i], index):
            return False
    for i in range(h.count):
        if not _take_segment(leaf, &h, i, link, location, row, path):
            return False
    row.last = index
    added = &row.added[row.added_count]
    row.added_count += 1
    added.index, added.device, added.number = index, h.device, h.number
    added.location, added.log_time = location, leaf.log_time_ms
    newest = newest_for(row, h.device)
    if newest == NULL:
        return False
    if newest.number < h.number:
        newest.number, newest.link8 = h.number, link
    return True


cdef bint _take_segment(
    ServedLeaf leaf, ContentHeader* h, int at, const u8* link, u64 location, Row* row, _Path path
):
    """Open and merge one segment."""
    cdef object key, key_name, body
    cdef Body b
    cdef Shape shape
    key_name = PyBytes_FromStringAndSize(<const char*>h.key_names[at], 8)
    key = stored_key(path.stored, path.made, h.kinds[at], key_name)
    if key is None:
        return False
    body = opened(
        key, leaf.raw_previous, leaf.raw_header, h.head_size, at, leaf.raw_segments[at]
    )
    if body is None or not read_body(body, &b):
        return False
    shape = shape_of(&b)
    if shape is None or path.forms_checked.get((b.version, h.kinds[at], shape.form)) is not True:
        return False
    if shape is not path.newest_shape:
        path.newest_shape = shape
        path.shapes.append(shape)
    return _merge(row, &b, shape, h.device << 4 | h.kinds[at], h.number, link, location)


# -- what is called -------------------------------------------------------------------------------

def in_two(list batch not None):
    """As ``plain_batch.in_two``."""
    cdef list front = [], content = [], leaves
    cdef tuple pair
    cdef Py_ssize_t at
    for pair in batch:
        if pair is None or len(pair) != 2:
            raise TypeError("a stream and its leaves")
        leaves = <list?><object>PyTuple_GET_ITEM(pair, 1)
        at = _content_from(leaves)
        if at == 0:
            content.append(pair)
            continue
        front.append((pair[0], leaves[:at]))
        if at < PyList_GET_SIZE(leaves):
            content.append((pair[0], leaves[at:]))
    return front, content


cdef Py_ssize_t _content_from(list leaves):
    """From where on all leaves are sealed segments alone."""
    cdef ContentHeader h
    cdef ServedLeaf leaf
    cdef Py_ssize_t at = PyList_GET_SIZE(leaves)
    while at:
        leaf = <ServedLeaf?><object>PyList_GET_ITEM(leaves, at - 1)
        if not read_content_header(leaf.raw_header.at, leaf.raw_header.size, &h):
            break
        at -= 1
    return at


def place(list batch not None, list rows not None, u64 own_device):
    """What ``PlainBatch`` stores, the largest index by stream, and who wrote.

    That is (changes as they are stored, where each of them ends); an index is None where not every
    leaf is content alone and newer than all that is held.
    """
    cdef list ends = [], placed = []
    cdef set authors = set()
    cdef tuple pair
    cdef Buffer b
    cdef Row* row = <Row*>PyMem_Malloc(sizeof(Row))
    if row == NULL:
        raise MemoryError
    b.data, b.size, b.room = NULL, 0, 0
    try:
        for pair, packed in zip(batch, rows):
            if packed is not None and _is_placed(<list?>pair[1], packed, row, own_device, authors):
                for leaf in <list>pair[1]:
                    _put_change(&b, <ServedLeaf>leaf)
                    ends.append(b.size)
                placed.append(row.last)
            else:
                placed.append(None)
        return PyBytes_FromStringAndSize(<const char*>b.data, b.size), ends, placed, authors
    finally:
        PyMem_Free(row)
        PyMem_Free(b.data)


cdef bint _is_placed(list leaves, object packed, Row* row, u64 own_device, set authors):
    """Whether every leaf is content alone and newer than all that is held of its device.

    Devices met are added to ``authors``.
    """
    cdef ContentHeader h
    cdef Newest* newest
    cdef ServedLeaf leaf
    cdef Py_ssize_t at
    if PyList_GET_SIZE(leaves) > ADDED or not read_row(packed, row, own_device):
        return False
    for at in range(PyList_GET_SIZE(leaves)):
        leaf = <ServedLeaf?><object>PyList_GET_ITEM(leaves, at)
        if not read_content_header(leaf.raw_header.at, leaf.raw_header.size, &h):
            return False
        newest = newest_for(row, h.device)
        if newest == NULL or h.number <= newest.number:
            return False
        newest.number = h.number
        authors.add(h.device)
    return True


cdef int _put_change(Buffer* b, ServedLeaf leaf) except -1:
    """A change as ``change_blocks`` stores it: previous link, header, signature, segments."""
    cdef int at
    put_array(b, 4)
    put_slice(b, leaf.raw_previous)
    put_slice(b, leaf.raw_header)
    put_slice(b, leaf.raw_signature)
    put_array(b, leaf.segment_count)
    for at in range(leaf.segment_count):
        put_slice(b, leaf.raw_segments[at])
    return 0


def take(
    list batch not None,
    list placed not None,
    list rows not None,
    list keys not None,
    list locations not None,
    path not None,
    u64 own_device,
):
    """As ``plain_batch.PlainBatch.take``: by stream its packed row or None, positions of streams
    with a grant, and how many segments were merged.

    A key is made ready for as long as its stream is taken: to keep it would cost more memory than
    making it again costs time.
    """
    cdef list taken = [], shared = [], leaves
    cdef _Path common = _Path(path)
    cdef Py_ssize_t at, first = 0, segments = 0
    cdef Buffer b
    cdef Row* row = <Row*>PyMem_Malloc(sizeof(Row))
    if row == NULL:
        raise MemoryError
    b.data, b.size, b.room = NULL, 0, 0
    try:
        for at in range(PyList_GET_SIZE(batch)):
            if placed[at] is None:
                taken.append(None)
                continue
            leaves = <list?>(<tuple?>batch[at])[1]
            common.stored, common.made = keys[at], {}
            if read_row(rows[at], row, own_device) and _take_all(
                leaves, locations, first, row, common
            ):
                write_row(&b, row)
                taken.append(PyBytes_FromStringAndSize(<const char*>b.data, b.size))
                for leaf in <list>leaves:
                    segments += (<ServedLeaf>leaf).segment_count
                if row.shared:
                    shared.append(at)
            else:
                taken.append(None)
            first += PyList_GET_SIZE(leaves)
    finally:
        PyMem_Free(row)
        PyMem_Free(b.data)
    return taken, shared, segments


cdef bint _take_all(list leaves, list locations, Py_ssize_t first, Row* row, _Path path):
    cdef ServedLeaf leaf
    cdef Py_ssize_t at
    if PyList_GET_SIZE(leaves) > ADDED:
        return False
    for at in range(PyList_GET_SIZE(leaves)):
        leaf = <ServedLeaf?><object>PyList_GET_ITEM(leaves, at)
        if not _take(leaf, locations[first + at], row, path):
            return False
    return True
