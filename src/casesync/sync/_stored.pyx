# cython: language_level=3, wraparound=False
"""Compiled twin of ``stored_segment``: the segments of a stream, opened again (optional).

What it does not find at once it leaves to Python, which says why. No seal is opened here: the
cipher is that of ``cryptography``. ``tests/properties/test_kernels.py`` holds the two equal.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.tuple cimport PyTuple_GET_ITEM
from libc.string cimport memcpy

from casesync.codec._msgpack cimport big
from casesync.merkle._hashes cimport digest

from casesync.crypto.key_schedule import label

VERSION = 1
"""Raised with every change of what this module does; its Python twin asks for just this one."""

ctypedef unsigned char u8

cdef bytes _label = label("nonce")
cdef Py_ssize_t LABEL = len(_label)
cdef Py_ssize_t HEAD_FRONT = 36  # header up to the count of after entries
cdef Py_ssize_t AFTER = 18
cdef Py_ssize_t BACK = 20
cdef Py_ssize_t ROOT = 32
cdef Py_ssize_t SEGMENT = 45
DEF HEAD_MAX = 36 + 18 * 8 + 20 + 32


def open_segments(list segments not None, dict changes not None, dict ring not None, key_of, stream):
    """As ``stored_segment.open_segments``; None for what Python is to look at."""
    cdef list bodies = []
    cdef tuple segment
    for segment in segments:
        bodies.append(_body(changes[segment[0]], segment[1], ring, key_of, stream))
    return bodies


cdef object _body(object change, object kind, dict ring, object key_of, object stream):
    """The body of the segment of a kind."""
    cdef object previous = change[0], header = change[1], key
    cdef const u8* data
    cdef Py_ssize_t size, head, row
    cdef u8 position = 0
    if type(previous) is not bytes or type(header) is not bytes or not 0 < kind < 16:
        return None
    data = <const u8*>PyBytes_AS_STRING(header)
    size = PyBytes_GET_SIZE(header)
    if size < HEAD_FRONT or PyBytes_GET_SIZE(previous) != 32:
        return None
    head = HEAD_FRONT + AFTER * data[HEAD_FRONT - 1] + BACK
    if head < size and big(data + head - 6, 6):
        head += ROOT
    row = head + 1
    while row + SEGMENT <= size and position < data[head] and data[row] != kind:
        row += SEGMENT
        position += 1
    if row + SEGMENT > size or position == data[head] or head > HEAD_MAX:
        return None
    name = (kind, PyBytes_FromStringAndSize(<const char*>data + row + 1, 8))
    key = ring.get(name)
    if key is None:
        key = key_of(stream, *name)
    if not isinstance(key, tuple):
        return None
    return _opened(<tuple>key, previous, data, head, position, change[3][position])


cdef bytes _opened(
    tuple key, bytes previous, const u8* head, Py_ssize_t head_size, u8 position, object sealed
):
    """The body without its padding; None if it does not open."""
    cdef bytes nonce, aad, commitment = key[1], body
    cdef u8* out
    cdef u8 made[32]
    cdef u8 joined[HEAD_MAX + 128]
    if sealed is None or PyBytes_GET_SIZE(commitment) != 32:
        return None
    memcpy(joined, PyBytes_AS_STRING(_label), LABEL)
    out = joined + LABEL
    memcpy(out, PyBytes_AS_STRING(previous), 32)
    memcpy(out + 32, head, head_size)
    out[32 + head_size] = position
    digest(joined, LABEL + 33 + head_size, made)
    nonce = PyBytes_FromStringAndSize(<const char*>made, 12)
    aad = PyBytes_FromStringAndSize(NULL, 65)
    out = <u8*>PyBytes_AS_STRING(aad)
    digest(head, head_size, out)
    out[32] = position
    memcpy(out + 33, PyBytes_AS_STRING(commitment), 32)
    try:
        body = (<object>PyTuple_GET_ITEM(key, 0)).decrypt(nonce, sealed, aad)
    except Exception:  # Python finds out what is wrong
        return None
    return _unpadded(body)


cdef bytes _unpadded(bytes body):
    cdef const u8* raw = <const u8*>PyBytes_AS_STRING(body)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(body)
    while size and raw[size - 1] == 0:
        size -= 1
    if not size or raw[size - 1] != 0x80:
        return None
    return PyBytes_FromStringAndSize(<const char*>raw, size - 1)
