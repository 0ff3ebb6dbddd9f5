# cython: language_level=3, wraparound=False
"""Compiled twin of ``page.take_frames``: usual frames of a page (translog; optional).

It takes only what most frames are (few segments, none withheld, nothing wrong) and stops before
everything else, which the Python reader then takes or refuses: there is one place that says what
is wrong with a page. ``tests/properties/test_kernels.py`` holds the two equal on hostile bytes.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from libc.string cimport memcmp, memcpy

from casesync.merkle._hashes cimport digest
from casesync.translog.chain import LINK_LABEL
from casesync.translog.served_leaf import ServedLeaf

VERSION = 3
"""Raised with every change of what this module does; its Python twin asks for just this one."""

ctypedef unsigned char u8
ctypedef unsigned long long u64

cdef Py_ssize_t FRONT = 12       # frame: log time, flags, two references
cdef Py_ssize_t HEAD_FRONT = 36  # header up to the count of after entries
cdef Py_ssize_t AFTER = 18
cdef Py_ssize_t BACK = 20
cdef Py_ssize_t ROOT = 32
cdef Py_ssize_t SEGMENT = 45
cdef Py_ssize_t ROW = 13         # of a frame's table: a segment's without its hash
DEF SEGMENTS_MAX = 8             # more in one change are uncommon
DEF HEADER_MAX = 29 + 7 + 18 * 255 + 20 + 32 + 1 + 45 * SEGMENTS_MAX
cdef bytes _label = LINK_LABEL
cdef Py_ssize_t _label_bytes = len(LINK_LABEL)
cdef object _new = tuple.__new__
cdef object _leaf_type = ServedLeaf


cdef inline u64 u16(const u8* at) noexcept:
    return (<u64>at[0] << 8) | at[1]


cdef inline u64 u32(const u8* at) noexcept:
    return (u16(at) << 16) | u16(at + 2)


cdef inline u64 u48(const u8* at) noexcept:
    return (u16(at) << 32) | u32(at + 2)


cdef bint _allowed(u64 length) noexcept:
    return (
        length == 64 or length == 128 or length == 192
        or length == 256 or length == 384 or length == 512
    )


cdef tuple _plain(const u8* data, Py_ssize_t length):
    """As ``header.plain_header``."""
    cdef Py_ssize_t count, back, head, at
    cdef u64 number, device, previous, other
    cdef bint has_root
    if length < HEAD_FRONT:
        return None
    count = data[HEAD_FRONT - 1]
    if count > 8:
        return None
    back = HEAD_FRONT + AFTER * count
    head = back + BACK
    if length == head + 1 + SEGMENT:
        has_root = False
    elif length == head + ROOT + 1 + SEGMENT:
        has_root = True
        head += ROOT
    else:
        return None
    device = u32(data + 3)
    number = u48(data + 7)
    if (
        data[0] != 1
        or data[head] != 1
        or data[head + 1] == 0
        or not _allowed(u32(data + head + 10))
        or has_root != (u48(data + back + 14) != 0)
        or device == 0
        or u48(data + 29) >= number
    ):
        return None
    previous = 0
    for at in range(count):
        other = u32(data + HEAD_FRONT + AFTER * at)
        if other <= previous or other == device or u48(data + HEAD_FRONT + AFTER * at + 4) == 0:
            return None
        previous = other
    return (
        number,
        u48(data + back),
        <int>data[head + 1],
        PyBytes_FromStringAndSize(<const char*>data + head + 2, 8),
    )


def plain_header(bytes data not None):
    """As ``header.plain_header``."""
    return _plain(<const u8*>PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))


def take_frames(
    list items not None,
    Py_ssize_t at,
    list streams not None,
    list numbers not None,
    list devices not None,
    dict links not None,
    list leaves not None,
    list leaf_hashes not None,
    u64 position,
    u64 end,
    u64 log_time,
):
    """As ``page.take_frames``."""
    cdef const u8* f
    cdef u8* out
    cdef Py_ssize_t size, signature_at, back, table, stream_ref, device_ref, i, header_size
    cdef Py_ssize_t count, row, start, length, written
    cdef u64 time
    cdef object item, device, previous, last, segment, segments, header, signature, link
    cdef bint explicit, run_starts
    cdef u8 made[32]
    cdef u8 joined[7 + 32 + HEADER_MAX + 64]
    while at < len(items) and position < end:
        item = items[at]
        if type(item) is not bytes:
            break
        f = <const u8*>PyBytes_AS_STRING(item)
        size = PyBytes_GET_SIZE(item)
        if size < FRONT or (f[6] & 0x7F) or f[7]:  # own, or something is withheld
            break
        explicit = f[6] & 0x80
        i = FRONT + (32 if explicit else 0)
        if size < i + 16:
            break
        back = i + 16 + AFTER * f[i + 15]
        table = back + 21
        if size < table:
            break
        if u48(f + back + 14) != 0:
            table += ROOT
            if size < table:
                break
        count = f[table - 1]
        signature_at = table + ROW * count
        start = signature_at + 64
        if not 0 < count <= SEGMENTS_MAX or size < start:
            break
        for row in range(count):
            start += u32(f + table + ROW * row + 9)
        if size != start:
            break
        time = u48(f)
        stream_ref = u16(f + 8)
        device_ref = u16(f + 10)
        if time < log_time or stream_ref >= len(streams) or device_ref >= len(devices):
            break
        device = devices[device_ref]
        last = links.get(device)
        if explicit:
            previous = PyBytes_FromStringAndSize(<const char*>f + FRONT, 32)
        else:
            previous = last
            if previous is None:
                break
        run_starts = last is None or memcmp(
            PyBytes_AS_STRING(last), PyBytes_AS_STRING(previous), 32
        ) != 0
        written = 29 + (table - i - 9)
        header_size = written + SEGMENT * count
        header = PyBytes_FromStringAndSize(NULL, header_size)
        out = <u8*>PyBytes_AS_STRING(header)
        memcpy(out, f + i, 3)
        memcpy(out + 3, PyBytes_AS_STRING(device), 4)
        memcpy(out + 7, f + i + 3, 6)
        memcpy(out + 13, PyBytes_AS_STRING(streams[stream_ref]), 16)
        memcpy(out + 29, f + i + 9, table - i - 9)
        segments = PyTuple_New(count)
        start = signature_at + 64
        for row in range(count):
            length = u32(f + table + ROW * row + 9)
            segment = PyBytes_FromStringAndSize(<const char*>f + start, length)
            Py_INCREF(segment)  # which the tuple takes over
            PyTuple_SET_ITEM(segments, row, segment)
            memcpy(out + written, f + table + ROW * row, ROW)
            digest(f + start, length, out + written + ROW)
            written += SEGMENT
            start += length
        signature = PyBytes_FromStringAndSize(<const char*>f + signature_at, 64)
        digest(out, header_size, made)
        memcpy(joined, PyBytes_AS_STRING(_label), _label_bytes)
        memcpy(joined + _label_bytes, PyBytes_AS_STRING(previous), 32)
        memcpy(joined + _label_bytes + 32, made, 32)
        link = PyBytes_FromStringAndSize(NULL, 32)
        digest(joined, _label_bytes + 64, <u8*>PyBytes_AS_STRING(link))
        joined[0] = 0
        memcpy(joined + 1, f, 6)
        memcpy(joined + 7, PyBytes_AS_STRING(previous), 32)
        memcpy(joined + 39, PyBytes_AS_STRING(header), header_size)
        memcpy(joined + 39 + header_size, f + signature_at, 64)
        digest(joined, 7 + 32 + header_size + 64, made)
        leaf_hashes.append(PyBytes_FromStringAndSize(<const char*>made, 32))
        links[device] = link
        leaves.append(
            _new(
                _leaf_type,
                (
                    position,
                    time,
                    previous,
                    header,
                    signature,
                    segments,
                    None,
                    numbers[device_ref],
                    link,
                    run_starts,
                    _plain(<const u8*>PyBytes_AS_STRING(header), header_size),
                ),
            )
        )
        log_time = time
        position += 1
        at += 1
    return at, position, log_time
