# cython: language_level=3, wraparound=False
"""Leaves on their way to a helper and there again (optional, like the helper itself).

The bytes are private to two processes of one program on one machine, so numbers are as the machine
has them. ``tests/properties/test_packed_run.py`` holds what a helper makes equal to what is made
here.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from cpython.tuple cimport PyTuple_GET_ITEM
from libc.string cimport memcpy

from casesync.codec._msgpack cimport Slice, u8, u64
from casesync.translog._served_leaf cimport ServedLeaf, new_leaf

VERSION = 2
"""Raised with every change of what this module does; ``stream_kernels`` asks for just this one."""

ctypedef unsigned int u32
DEF LINK = 32
DEF WITHHELD = 0xFFFFFFFF

cdef struct Front:
    u64 index
    u64 log_time
    u8 previous[LINK]
    u8 link[LINK]
    u32 header_size
    u32 segments


cdef struct Buffer:
    u8* data
    Py_ssize_t size
    Py_ssize_t room


cdef u8* _room(Buffer* b, Py_ssize_t count) except NULL:
    """Where the next ``count`` bytes go."""
    cdef Py_ssize_t room
    cdef u8* data
    if b.room - b.size < count:
        room = max(b.size + count, 2 * b.room, 1 << 16)
        data = <u8*>PyMem_Realloc(b.data, room)
        if data == NULL:
            raise MemoryError
        b.data, b.room = data, room
    b.size += count
    return b.data + b.size - count


cdef int _put_leaf(Buffer* b, ServedLeaf leaf) except -1:
    cdef Front front
    cdef Slice segment
    cdef u32 size
    cdef u8* out
    cdef int at
    if leaf.raw_previous.size != LINK or leaf.raw_link.size != LINK:
        raise ValueError("a link is 32 bytes")
    front.index, front.log_time = leaf.index, leaf.log_time_ms
    memcpy(front.previous, leaf.raw_previous.at, LINK)
    memcpy(front.link, leaf.raw_link.at, LINK)
    front.header_size, front.segments = leaf.raw_header.size, leaf.segment_count
    memcpy(_room(b, sizeof(Front)), &front, sizeof(Front))
    memcpy(_room(b, front.header_size), leaf.raw_header.at, front.header_size)
    for at in range(leaf.segment_count):
        segment = leaf.raw_segments[at]
        size = WITHHELD if segment.at == NULL else segment.size
        out = _room(b, sizeof(u32) + segment.size)
        memcpy(out, &size, sizeof(u32))
        if segment.size:
            memcpy(out + sizeof(u32), segment.at, segment.size)
    return 0


def packed(list batch not None, list placed not None):
    """The leaves of every stream that is placed, in one run of bytes.

    Raises: ValueError, TypeError: a leaf that no page reader made.
    """
    cdef Buffer b
    cdef tuple pair
    cdef list leaves
    cdef Py_ssize_t at
    b.data, b.size, b.room = NULL, 0, 0
    try:
        for pair, last in zip(batch, placed):
            if last is None:
                continue
            if pair is None or len(pair) != 2:
                raise TypeError("a stream and its leaves")
            leaves = <list?><object>PyTuple_GET_ITEM(pair, 1)
            for at in range(PyList_GET_SIZE(leaves)):
                _put_leaf(&b, <ServedLeaf?><object>PyList_GET_ITEM(leaves, at))
        return PyBytes_FromStringAndSize(<const char*>b.data, b.size)
    finally:
        PyMem_Free(b.data)


cdef struct Reader:
    const u8* at
    const u8* end


cdef const u8* _take(Reader* r, Py_ssize_t count) except NULL:
    if r.end - r.at < count:
        raise ValueError("cut short")
    r.at += count
    return r.at - count


cdef Slice _slice(Reader* r, Py_ssize_t count) except *:
    cdef Slice part
    part.at, part.size = _take(r, count), count
    return part


cdef ServedLeaf _leaf(Reader* r, bytes data):
    """The next leaf; it points into ``data``."""
    cdef Front front
    cdef const u8* at = _take(r, sizeof(Front))
    cdef ServedLeaf leaf
    cdef Slice segment
    cdef u32 size
    cdef int row
    memcpy(&front, at, sizeof(Front))
    if front.segments > <u64>(r.end - r.at):
        raise ValueError("cut short")
    leaf = new_leaf(data, front.segments, 0)
    leaf.index, leaf.log_time_ms = front.index, front.log_time
    leaf.raw_previous.at = at + (<const u8*>front.previous - <const u8*>&front)
    leaf.raw_link.at = at + (<const u8*>front.link - <const u8*>&front)
    leaf.raw_previous.size = leaf.raw_link.size = LINK
    leaf.raw_header = _slice(r, front.header_size)
    for row in range(leaf.segment_count):
        memcpy(&size, _take(r, sizeof(u32)), sizeof(u32))
        segment.at, segment.size = NULL, 0
        if size != WITHHELD:
            segment = _slice(r, size)
        leaf.raw_segments[row] = segment
    return leaf


def unpacked(bytes data not None, counts):
    """What ``packed`` was given: a list of leaves for each of ``counts``, 0 where none are.

    Of a leaf there is what ``_packed_run.take`` looks at.

    Raises: ValueError: not what ``packed`` made.
    """
    cdef Reader r
    cdef list streams = [], leaves
    cdef Py_ssize_t at
    r.at = <const u8*>PyBytes_AS_STRING(data)
    r.end = r.at + PyBytes_GET_SIZE(data)
    for count in counts:
        leaves = []
        for at in range(<Py_ssize_t>count):
            leaves.append(_leaf(&r, data))
        streams.append(leaves)
    if r.at != r.end:
        raise ValueError("too long")
    return streams
