# cython: language_level=3, wraparound=False
"""Compiled twin of ``unsealed.decode_unsealed`` (optional).

What new keys and an opening usually say. Anything longer, rarer or wrong is left to Python, which
takes or refuses it. ``tests/properties/test_opening_kernels.py`` holds the two equal.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE

from casesync.codec._msgpack cimport Reader, big, has, u8, u64

VERSION = 1
"""Raised with every change of what this module does; its Python twin asks for just this one."""

DEF COMPARTMENTS = 9
DEF SYMMETRIC_BOX = 48
DEF HPKE_BOX = 1168
cdef u64 U32 = (<u64>1 << 32) - 1


cdef Py_ssize_t _array(Reader* r) noexcept:
    """The number of items of an array of at most 15."""
    cdef Py_ssize_t count
    if not has(r, 1) or r.at[0] & 0xF0 != 0x90:
        r.bad = True
        return 0
    count = r.at[0] & 15
    r.at += 1
    return count


cdef u64 _integer(Reader* r, u64 most) noexcept:
    """An integer of 1 to ``most`` in its shortest form."""
    cdef u64 value
    cdef int width
    if not has(r, 1):
        return 0
    value, width = r.at[0], 0
    if value >= 0x80:
        if not 0xCC <= value <= 0xCF:
            r.bad = True
            return 0
        width = 1 << (value - 0xCC)
        if not has(r, 1 + width):
            return 0
        value = big(r.at + 1, width)
        if value < 0x80 or (width > 1 and value >> 4 * width == 0):
            r.bad = True
    if not 0 < value <= most:
        r.bad = True
    r.at += 1 + width
    return value


cdef bytes _bytes(Reader* r, Py_ssize_t size):
    """Bytes of just this length; None, and the reader is bad, if others come."""
    cdef Py_ssize_t front = 2 if size < 256 else 3
    if not has(r, front + size) or r.at[0] != 0xC2 + front or <Py_ssize_t>big(
        r.at + 1, front - 1
    ) != size:
        r.bad = True
        return None
    r.at += front + size
    return PyBytes_FromStringAndSize(<const char*>r.at - size, size)


cdef object _boxes(Reader* r, box_type):
    cdef Py_ssize_t i, count = _array(r)
    cdef list boxes = []
    for i in range(count):
        if _array(r) != 3:
            return None
        name, epoch = _bytes(r, 8), _integer(r, U32)
        # A box by the unit's seed begins as short bytes do, one by HPKE as longer ones.
        is_short = has(r, 1) and r.at[0] == 0xC4
        sealed = _bytes(r, SYMMETRIC_BOX if is_short else HPKE_BOX)
        if r.bad:
            return None
        boxes.append(tuple.__new__(box_type, (name, epoch, sealed)))
    return tuple(boxes)


def decode(bytes data not None, items_type, statement_type, box_type, link_type):
    """As ``unsealed.decode_unsealed``; None for what Python is to look at.

    Args: data: the segment; the others: what is made of it.
    """
    cdef Reader r
    cdef Py_ssize_t position, count
    cdef u64 code
    cdef list statements = [], links = []
    cdef object random16 = None
    r.at, r.bad = <const u8*>PyBytes_AS_STRING(data), False
    r.end = r.at + PyBytes_GET_SIZE(data)
    count = _array(&r)
    if not count:
        return None
    for position in range(count):
        size, code = _array(&r), _integer(&r, 4)
        if code == 1 and size == 2 and random16 is None:
            random16 = _bytes(&r, 16)
        elif code == 2 and size == 5:
            compartment, commitment = _integer(&r, COMPARTMENTS), _bytes(&r, 32)
            boxes = _boxes(&r, box_type)
            if boxes is None or not has(&r, 1) or r.at[0] != 0xC0:
                return None  # a predecessor comes with every tenth base key at most
            r.at += 1
            row = (position, compartment, commitment, boxes, None)
            statements.append(tuple.__new__(statement_type, row))
        elif code == 4 and size == 3:
            feed = _bytes(&r, 16)
            if not has(&r, 1) or not 0xC2 <= r.at[0] <= 0xC3:
                return None
            links.append(tuple.__new__(link_type, (feed, r.at[0] == 0xC3)))
            r.at += 1
        else:
            return None
        if r.bad:
            return None
    if r.at != r.end:
        return None
    return tuple.__new__(items_type, (random16, tuple(statements), (), tuple(links)))
