# cython: language_level=3, wraparound=False
"""Compiled twin of ``stored_segment``: the segments of a stream, opened again (optional).

What it does not find at once it leaves to Python, which says why. No seal is opened here: the
cipher is that of ``cryptography``. ``tests/properties/test_plain_run.py`` holds the two equal.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE

from casesync.codec._msgpack cimport big, u8
from casesync.sync._segment cimport opened, unpadded
from casesync.sync._stored_key cimport stored_key
from casesync.translog._served_leaf cimport slice_of

VERSION = 3
"""Raised with every change of what this module does; its Python twin asks for just this one."""

cdef Py_ssize_t HEAD_FRONT = 36  # header up to the count of after entries
cdef Py_ssize_t AFTER = 18
cdef Py_ssize_t BACK = 20
cdef Py_ssize_t ROOT = 32
cdef Py_ssize_t SEGMENT = 45


def open_segments(list segments not None, dict changes not None, stored):
    """As ``stored_segment.open_segments``; None if Python is to look at any of them.

    Args: stored: the stream's keys, packed.
    """
    cdef list bodies = []
    cdef dict made = {}
    cdef tuple segment
    cdef object body
    for segment in segments:
        body = _body(changes[segment[0]], segment[1], stored, made)
        if body is None:
            return None
        bodies.append(body)
    return bodies


cdef object _body(object change, object kind, object stored, dict made):
    """The body of the segment of a kind."""
    cdef object previous = change[0], header = change[1], sealed, key, name, body
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
    if head < size and big(data + head - 6, 6):
        head += ROOT
    row = head + 1
    while row + SEGMENT <= size and position < data[head] and data[row] != kind:
        row += SEGMENT
        position += 1
    if row + SEGMENT > size or position == data[head]:
        return None
    name = PyBytes_FromStringAndSize(<const char*>data + row + 1, 8)
    key = stored_key(stored, made, kind, name)
    if key is None:
        return None
    sealed = change[3][position]
    if type(sealed) is not bytes:
        return None
    body = opened(key, slice_of(previous), slice_of(header), head, position, slice_of(sealed))
    end = -1 if body is None else unpadded(body)
    return None if end < 0 else PyBytes_FromStringAndSize(PyBytes_AS_STRING(body), end)
