# cython: language_level=3, wraparound=False
"""Compiled twin of the comparison in ``canonical.unpack`` (optional), and its long arrays.

A message that decodes to a value of ours has that value's one encoding if every part of it stands
in its shortest form and no map names a key twice. So one pass over the bytes does: nothing is
encoded a second time. ``tests/unit/codec/test_canonical.py`` holds both equal.

The frames of a page are all but a few bytes of its message, and only other twins look at most of
them. So they are not made objects of: a ``LongArray`` says where in the message they lie.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc

from casesync.codec._msgpack cimport Reader, Slice, big, has, u8, u64
from casesync.foundation.limits import NESTING_MAX

VERSION = 2
"""Raised with every change of what this module does; ``canonical`` asks for just this one."""

cdef int DEPTH_MAX = NESTING_MAX
cdef u64 UNUSUAL = 16  # of so many items at most one is no byte string, or all become objects


cdef struct Longest:
    u64 least      # of items, and most: no other array is long
    u64 most
    const u8* at   # where the items of the one with most bytes begin
    const u8* end  # and end
    u64 count
    Slice* parts   # each of them as ``_part`` has it; NULL: there is none


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


cdef inline Slice _part(const u8* item, const u8* end) noexcept:
    """The content of a byte string; of any other item all its bytes, and the size below zero."""
    cdef Slice part
    part.at, part.size = item, item - end
    if 0xC4 <= item[0] <= 0xC6:
        part.at = item + 1 + (1 << item[0] - 0xC4)
        part.size = end - part.at
    return part


cdef void _items(Reader* r, u64 count, bint is_map, int depth, Longest* longest) noexcept:
    """The items of an array, or the pairs of a map with ascending keys, which are not negative."""
    cdef u64 at, key, before = 0
    cdef u8 tag
    cdef const u8* begin = r.at
    cdef const u8* item
    cdef Slice* parts = NULL
    if depth == 0:
        r.bad = True
    if longest.least <= count <= longest.most and count <= <u64>(r.end - r.at) and not is_map:
        parts = <Slice*>PyMem_Malloc(count * sizeof(Slice))
    for at in range(count):
        if r.bad or not has(r, 1):
            break
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
        item = r.at
        _value(r, depth - 1, longest)
        if parts != NULL:
            parts[at] = _part(item, r.at)
    if parts != NULL and not r.bad and r.at - begin > longest.end - longest.at:
        parts, longest.parts = longest.parts, parts
        longest.at, longest.end, longest.count = begin, r.at, count
    PyMem_Free(parts)


cdef void _value(Reader* r, int depth, Longest* longest) noexcept:
    cdef int tag, width
    if r.bad or not has(r, 1):
        return
    tag = r.at[0]
    r.at += 1
    if tag < 0x80 or tag >= 0xE0 or tag == 0xC0 or tag == 0xC2 or tag == 0xC3:
        return
    if tag < 0xA0:
        _items(r, tag & 15, tag < 0x90, depth, longest)
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
        _items(r, _number(r, width, 0x10 if width == 2 else 1 << 16), tag >= 0xDE, depth, longest)
    else:
        r.bad = True


cdef bint _is_shortest(bytes data, Longest* longest) noexcept:
    cdef Reader r
    r.at, r.bad = <const u8*>PyBytes_AS_STRING(data), False
    r.end = r.at + PyBytes_GET_SIZE(data)
    longest.at = longest.end = r.at
    longest.count, longest.parts = 0, NULL
    _value(&r, DEPTH_MAX, longest)
    return not r.bad and r.at == r.end


def is_shortest(bytes data not None):
    """Whether a message that decodes to a value of ours is its encoding."""
    cdef Longest none
    none.least, none.most = 1, 0
    return _is_shortest(data, &none)


cdef class LongArray:
    """An array inside a message. Its items become objects when asked for, each time anew."""

    def __cinit__(self):
        self.parts = NULL

    def __dealloc__(self):
        PyMem_Free(self.parts)

    def __len__(self):
        return self.count

    def __getitem__(self, Py_ssize_t at):
        cdef Slice part
        if not 0 <= at < self.count:
            raise IndexError("beyond the array")
        part = self.parts[at]
        if part.at == NULL:
            return self.others[at]
        return PyBytes_FromStringAndSize(<const char*>part.at, part.size)


cdef bint _make_others(LongArray array, decode) except -1:
    """Make objects of what is no byte string; False, and none made, if that is too much."""
    cdef Slice* part
    cdef Py_ssize_t at, others = 0
    for at in range(array.count):
        others += array.parts[at].size < 0
    if <u64>others * UNUSUAL > <u64>array.count:
        return False
    for at in range(array.count if others else 0):
        part = &array.parts[at]
        if part.size < 0:
            array.others[at] = decode(PyBytes_FromStringAndSize(<const char*>part.at, -part.size))
            part.at = NULL
    return True


def cut_out(bytes data not None, u64 count_min, u64 count_max, bytes mark not None, decode):
    """A canonical message with its longest array cut out, and that array; None if it stays whole.

    Args:
        data: not trusted.
        count_min: with fewer items no array is long; at least 1.
        count_max: with more it is refused by whoever decodes the whole; at most 2^32.
        mark: stands in the array's place.
        decode: makes an object of an item that is no byte string; may raise.
    """
    cdef Longest longest
    cdef LongArray array
    cdef const u8* begin = <const u8*>PyBytes_AS_STRING(data)
    cdef Py_ssize_t head
    cdef bint shortest
    longest.least, longest.most = count_min, count_max
    shortest = _is_shortest(data, &longest)
    if longest.parts == NULL:
        return None
    array = LongArray.__new__(LongArray)
    array.parts, array.count = longest.parts, <Py_ssize_t>longest.count
    array.message, array.others = data, {}
    if not shortest or not _make_others(array, decode):
        return None
    head = 1 if longest.count < 16 else 3 if longest.count < 1 << 16 else 5  # the shortest form
    return (
        data[:longest.at - begin - head] + mark + data[longest.end - begin:],
        array,
    )
