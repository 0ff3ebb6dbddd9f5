# cython: language_level=3, wraparound=False
"""Leaves on their way to a helper and there again (optional, like the helper itself).

The bytes are private to two processes of one program on one machine, so numbers are as the machine
has them. ``tests/properties/test_packed_run.py`` holds what a helper makes equal to what is made
here.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE, PyTuple_New, PyTuple_SET_ITEM
from libc.string cimport memcpy

VERSION = 1
"""Raised with every change of what this module does; ``stream_kernels`` asks for just this one."""

ctypedef unsigned char u8
ctypedef unsigned int u32
ctypedef unsigned long long u64
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


cdef int _put(Buffer* b, object data) except -1:
    """A size and so many bytes; None is withheld."""
    cdef u32 size = WITHHELD
    cdef u8* out
    if data is None:
        memcpy(_room(b, sizeof(u32)), &size, sizeof(u32))
        return 0
    size = PyBytes_GET_SIZE(<bytes?>data)
    out = _room(b, sizeof(u32) + size)
    memcpy(out, &size, sizeof(u32))
    memcpy(out + sizeof(u32), PyBytes_AS_STRING(data), size)
    return 0


def packed(list batch not None, list placed not None):
    """The leaves of every stream that is placed, in one run of bytes.

    Raises: ValueError, TypeError, OverflowError: a leaf that no page reader made.
    """
    cdef Buffer b
    cdef Front front
    cdef tuple pair, segments
    cdef object leaf, previous, header, link
    b.data, b.size, b.room = NULL, 0, 0
    try:
        for pair, last in zip(batch, placed):
            if last is None:
                continue
            if pair is None or len(pair) != 2:
                raise TypeError("a stream and its leaves")
            for leaf in <list?><object>PyTuple_GET_ITEM(pair, 1):
                if not isinstance(leaf, tuple) or PyTuple_GET_SIZE(leaf) < 9:
                    raise TypeError("not a leaf")
                previous = <object>PyTuple_GET_ITEM(leaf, 2)
                header = <object>PyTuple_GET_ITEM(leaf, 3)
                segments = <tuple?><object>PyTuple_GET_ITEM(leaf, 5)
                link = <object>PyTuple_GET_ITEM(leaf, 8)
                if len(<bytes?>previous) != LINK or len(<bytes?>link) != LINK:
                    raise ValueError("a link is 32 bytes")
                front.index = <object>PyTuple_GET_ITEM(leaf, 0)
                front.log_time = <object>PyTuple_GET_ITEM(leaf, 1)
                memcpy(front.previous, PyBytes_AS_STRING(previous), LINK)
                memcpy(front.link, PyBytes_AS_STRING(link), LINK)
                front.header_size = len(<bytes?>header)
                front.segments = PyTuple_GET_SIZE(segments)
                memcpy(_room(&b, sizeof(Front)), &front, sizeof(Front))
                memcpy(_room(&b, front.header_size), PyBytes_AS_STRING(header), front.header_size)
                for segment in segments:
                    _put(&b, segment)
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


cdef bytes _bytes(Reader* r, Py_ssize_t count):
    return PyBytes_FromStringAndSize(<const char*>_take(r, count), count)


cdef tuple _segments(Reader* r, u32 count):
    cdef tuple segments
    cdef object segment
    cdef u32 size, at
    if count > <u64>(r.end - r.at):
        raise ValueError("cut short")
    segments = PyTuple_New(count)
    for at in range(count):
        memcpy(&size, _take(r, sizeof(u32)), sizeof(u32))
        segment = None if size == WITHHELD else _bytes(r, size)
        Py_INCREF(segment)  # which the tuple takes over
        PyTuple_SET_ITEM(segments, at, segment)
    return segments


def unpacked(bytes data not None, counts):
    """What ``packed`` was given: a list of leaves for each of ``counts``, 0 where none are.

    Of a leaf there is what ``_packed_run.take`` looks at.

    Raises: ValueError: not what ``packed`` made.
    """
    cdef Reader r
    cdef Front front
    cdef list streams = [], leaves
    cdef Py_ssize_t at
    r.at = <const u8*>PyBytes_AS_STRING(data)
    r.end = r.at + PyBytes_GET_SIZE(data)
    for count in counts:
        leaves = []
        for at in range(<Py_ssize_t>count):
            memcpy(&front, _take(&r, sizeof(Front)), sizeof(Front))
            leaves.append(
                (
                    front.index,
                    front.log_time,
                    PyBytes_FromStringAndSize(<const char*>front.previous, LINK),
                    _bytes(&r, front.header_size),
                    None,
                    _segments(&r, front.segments),
                    None,
                    None,
                    PyBytes_FromStringAndSize(<const char*>front.link, LINK),
                )
            )
        streams.append(leaves)
    if r.at != r.end:
        raise ValueError("too long")
    return streams
