# cython: language_level=3, wraparound=False
"""Compiled twin of ``change_blocks``: some changes out of a block of many (optional).

A list asks for every fourth change of a block: the others are stepped over and become no objects.
A block in which anything is uncommon is left to Python, which says what is wrong.
``tests/properties/test_kernels.py`` holds the two equal.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE

from casesync.codec._msgpack cimport Reader, array, binary, u8

VERSION = 1
"""Raised with every change of what this module does; its Python twin asks for just this one."""

DEF SLOTS = 1024  # of a block, as ``change_blocks.SLOTS_MAX``


cdef bint _is_nil(Reader* r) noexcept:
    return r.at < r.end and r.at[0] == 0xC0


cdef void _step_over(Reader* r) noexcept:
    """Step over a change: previous link, header, signature, segments."""
    cdef Py_ssize_t i, count, size
    if array(r) != 4:
        r.bad = True
    for i in range(3):
        size = binary(r)
        r.at += size
    count = array(r)
    for i in range(count):
        if r.bad:
            return
        size = 1 if _is_nil(r) else binary(r)
        r.at += size


cdef bytes _binary(Reader* r):
    cdef Py_ssize_t size = binary(r)
    r.at += size
    return PyBytes_FromStringAndSize(<const char*>r.at - size, size)


cdef object _change(Reader* r, object made):
    """The change that begins here, which was stepped over before."""
    cdef Py_ssize_t i
    cdef object link, header, signature
    cdef list segments = []
    array(r)
    link, header, signature = _binary(r), _binary(r), _binary(r)
    for i in range(array(r)):
        if _is_nil(r):
            r.at += 1
            segments.append(None)
        else:
            segments.append(_binary(r))
    return tuple.__new__(made, (link, header, signature, tuple(segments)))


def changes(bytes body not None, list slots not None, made not None):
    """The changes in these slots of a block, in the order asked; None if Python is to look.

    Args:
        body: the block.
        slots: places in it.
        made: what a change is: ``StoredChange``.
    """
    cdef Reader r
    cdef Py_ssize_t i, count, slot
    cdef const u8* starts[SLOTS]
    cdef list found = []
    r.at, r.bad = <const u8*>PyBytes_AS_STRING(body), False
    r.end = r.at + PyBytes_GET_SIZE(body)
    count = array(&r)
    if count > SLOTS:
        return None
    for i in range(count):
        starts[i] = r.at
        _step_over(&r)
        if r.bad:
            return None
    if r.bad or r.at != r.end:
        return None
    for slot in slots:
        if not 0 <= slot < count:
            return None
        r.at = starts[slot]
        found.append(_change(&r, made))
    return found
