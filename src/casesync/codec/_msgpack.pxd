"""Stepping over msgpack without making objects, and writing integers, for compiled twins (codec).

A reader never leaves its bytes: what is cut short, or not of the kind asked for, makes it bad, and
it stays so. Text is not looked into.
"""

ctypedef unsigned char u8
ctypedef unsigned long long u64


cdef struct Slice:
    const u8* at
    Py_ssize_t size


cdef struct Reader:
    const u8* at
    const u8* end
    bint bad


cdef inline u64 big(const u8* at, int count) noexcept:
    """An unsigned integer of ``count`` bytes."""
    cdef u64 value = 0
    cdef int i
    for i in range(count):
        value = value << 8 | at[i]
    return value


cdef inline bint has(Reader* r, Py_ssize_t count) noexcept:
    """Whether so many bytes are left."""
    if r.end - r.at < count:
        r.bad = True
        return False
    return True


cdef inline int put_unsigned(u8* out, u64 value) noexcept:
    """Write an integer in its shortest form; its bytes, for which there is room: at most 9."""
    cdef int width, i
    if value < 0x80:
        out[0] = <u8>value
        return 1
    width = 1 if value <= 0xFF else 2 if value <= 0xFFFF else 4 if value <= 0xFFFFFFFF else 8
    out[0] = 0xCC + (width >= 2) + (width >= 4) + (width == 8)
    for i in range(width):
        out[1 + i] = <u8>(value >> (8 * (width - 1 - i)))
    return 1 + width


cdef inline u64 unsigned(Reader* r) noexcept:
    """An integer of 0 to 2^64 - 1."""
    cdef u64 value
    cdef int width
    if not has(r, 1):
        return 0
    if r.at[0] < 0x80:
        r.at += 1
        return r.at[-1]
    if not 0xCC <= r.at[0] <= 0xCF:
        r.bad = True
        return 0
    width = 1 << (r.at[0] - 0xCC)
    if not has(r, 1 + width):
        return 0
    value = big(r.at + 1, width)
    r.at += 1 + width
    return value


cdef inline Py_ssize_t array(Reader* r) noexcept:
    """The number of items of an array."""
    if not has(r, 1):
        return 0
    if r.at[0] & 0xF0 == 0x90:
        r.at += 1
        return r.at[-1] & 15
    if r.at[0] != 0xDC or not has(r, 3):
        r.bad = True
        return 0
    r.at += 3
    return <Py_ssize_t>big(r.at - 2, 2)


cdef inline Py_ssize_t sized(Reader* r, u8 fixed, u8 fixed_mask, u8 tag8) noexcept:
    """The length of text or bytes, whose content comes next: in the tag, in 8 or in 16 bits."""
    cdef Py_ssize_t size
    if not has(r, 1):
        return 0
    if fixed_mask and r.at[0] & ~fixed_mask == fixed:
        size = r.at[0] & fixed_mask
        r.at += 1
    elif r.at[0] == tag8 and has(r, 2):
        size = r.at[1]
        r.at += 2
    elif r.at[0] == tag8 + 1 and has(r, 3):
        size = <Py_ssize_t>big(r.at + 1, 2)
        r.at += 3
    else:
        r.bad = True
        return 0
    return size if has(r, size) else 0


cdef inline Py_ssize_t text(Reader* r) noexcept:
    """The length of a text, whose UTF-8 comes next."""
    return sized(r, 0xA0, 31, 0xD9)


cdef inline Py_ssize_t binary(Reader* r) noexcept:
    """The length of bytes, which come next."""
    return sized(r, 0, 0, 0xC4)


cdef inline void scalar(Reader* r) noexcept:
    """Step over an integer, text, bytes, a boolean or nil."""
    cdef u8 tag
    cdef Py_ssize_t size
    if not has(r, 1):
        return
    tag = r.at[0]
    if tag & 0xE0 == 0xA0 or tag == 0xD9 or tag == 0xDA:
        size = text(r)
        r.at += size
    elif tag == 0xC4 or tag == 0xC5:
        size = binary(r)
        r.at += size
    elif tag < 0x80 or tag >= 0xE0 or tag == 0xC0 or tag == 0xC2 or tag == 0xC3:
        r.at += 1
    elif 0xCC <= tag <= 0xD3 and has(r, 1 + (1 << (tag & 3))):
        r.at += 1 + (1 << (tag & 3))
    else:
        r.bad = True


cdef inline void value(Reader* r) noexcept:
    """Step over a scalar, or a list of anything but maps."""
    cdef Py_ssize_t left = 1
    while left and not r.bad:
        left -= 1
        if has(r, 1) and (r.at[0] & 0xF0 == 0x90 or r.at[0] == 0xDC):
            left += array(r)
        else:
            scalar(r)
