# cython: language_level=3, wraparound=False
"""Compiled twin of the comparison in ``canonical.unpack`` (optional).

A message that decodes to a value of ours has that value's one encoding if every part of it stands
in its shortest form and no map names a key twice. So one pass over the bytes does: nothing is
encoded a second time. ``tests/unit/codec/test_canonical.py`` holds both equal.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE

from casesync.codec._msgpack cimport Reader, big, has, u8, u64
from casesync.foundation.limits import NESTING_MAX

VERSION = 1
"""Raised with every change of what this module does; ``canonical`` asks for just this one."""

cdef int DEPTH_MAX = NESTING_MAX


cdef u64 _number(Reader* r, int width, u64 least) noexcept:
    """An integer of ``width`` bytes, which do not suffice below ``least``; else it is bad."""
    cdef u64 number
    if not has(r, width):
        return 0
    number = big(r.at, width)
    r.at += width
    if number < least:
        r.bad = True
    return number


cdef u64 _least(int width, u64 of_one) noexcept:
    """What does not fit into half as many bytes; ``of_one`` is what does not fit into a tag."""
    return of_one if width == 1 else <u64>1 << 4 * width


cdef void _step_over(Reader* r, u64 size) noexcept:
    if size > <u64>(r.end - r.at):
        r.bad = True
    else:
        r.at += size


cdef void _below_zero(Reader* r, int width) noexcept:
    """Of so many bits one is the sign: what could do with half of them, or has none, is bad."""
    cdef u64 distance
    if not has(r, width):
        return
    distance = ~big(r.at, width) & <u64>-1 >> 64 - 8 * width  # from -1
    r.at += width
    if distance >> 8 * width - 1 or distance < (0x20 if width == 1 else <u64>1 << 4 * width - 1):
        r.bad = True


cdef void _items(Reader* r, u64 count, bint is_map, int depth) noexcept:
    """The items of an array, or the pairs of a map with ascending keys, which are not negative."""
    cdef u64 at, key, before = 0
    cdef u8 tag
    if depth == 0:
        r.bad = True
    for at in range(count):
        if r.bad or not has(r, 1):
            return
        if is_map:
            tag = r.at[0]
            r.at += 1
            key = tag
            if 0xCC <= tag <= 0xCF:
                key = _number(r, 1 << tag - 0xCC, _least(1 << tag - 0xCC, 0x80))
            elif tag >= 0x80:
                r.bad = True
            if at and key <= before:
                r.bad = True
            before = key
        _value(r, depth - 1)


cdef void _value(Reader* r, int depth) noexcept:
    cdef int tag, width
    if r.bad or not has(r, 1):
        return
    tag = r.at[0]
    r.at += 1
    if tag < 0x80 or tag >= 0xE0 or tag == 0xC0 or tag == 0xC2 or tag == 0xC3:
        return
    if tag < 0xA0:
        _items(r, tag & 15, tag < 0x90, depth)
    elif tag < 0xC0:
        _step_over(r, tag & 31)
    elif 0xC4 <= tag <= 0xC6:
        width = 1 << tag - 0xC4
        _step_over(r, _number(r, width, _least(width, 0)))
    elif 0xCC <= tag <= 0xCF:
        width = 1 << tag - 0xCC
        _number(r, width, _least(width, 0x80))
    elif 0xD0 <= tag <= 0xD3:
        _below_zero(r, 1 << tag - 0xD0)
    elif 0xD9 <= tag <= 0xDB:
        width = 1 << tag - 0xD9
        _step_over(r, _number(r, width, _least(width, 0x20)))
    elif 0xDC <= tag <= 0xDF:
        width = 2 << (tag & 1)
        _items(r, _number(r, width, 0x10 if width == 2 else 1 << 16), tag >= 0xDE, depth)
    else:
        r.bad = True


def is_shortest(bytes data not None):
    """Whether a message that decodes to a value of ours is its encoding."""
    cdef Reader r
    r.at, r.bad = <const u8*>PyBytes_AS_STRING(data), False
    r.end = r.at + PyBytes_GET_SIZE(data)
    _value(&r, DEPTH_MAX)
    return not r.bad and r.at == r.end
