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

VERSION = 5
"""Raised with every change of what this module does; its Python twin asks for just this one."""

ctypedef unsigned char u8
ctypedef unsigned long long u64

cdef u8 EXPLICIT = 1             # frame: the one flag of a usual one
cdef Py_ssize_t HEAD_FRONT = 36  # header up to the count of after entries
cdef Py_ssize_t AFTER = 18
cdef Py_ssize_t BACK = 20
cdef Py_ssize_t ROOT = 32
cdef Py_ssize_t SEGMENT = 45
cdef Py_ssize_t NAMED = 9        # of a segment: its kind and key name
DEF SEGMENTS_MAX = 8             # more in one change are uncommon
DEF HEADER_MAX = 29 + 7 + 18 * 255 + 20 + 32 + 1 + 45 * SEGMENTS_MAX
DEF LABEL_MAX = 64
DEF BEFORE_HEADER = 1 + 6 + 32   # in what a leaf's hash is made of: mark, log time, link
cdef bytes _label = LINK_LABEL
cdef Py_ssize_t _label_bytes = len(LINK_LABEL)
assert _label_bytes <= LABEL_MAX
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


# -- frames: every read is bounded, whatever the bytes are -----------------------------------------

cdef struct Reader:
    const u8* at
    const u8* end
    bint bad


cdef struct Frame:
    u64 time
    u64 stream_ref
    u64 device_ref
    const u8* previous           # NULL where it is not in the frame
    Py_ssize_t head_size
    int count
    u64 lengths[SEGMENTS_MAX]
    const u8* signature
    const u8* segments


cdef inline bint _has(Reader* r, Py_ssize_t count) noexcept:
    if r.end - r.at < count:
        r.bad = True
    return not r.bad


cdef inline const u8* _take(Reader* r, Py_ssize_t count) noexcept:
    """The next bytes; NULL, and bad, where there are fewer."""
    if not _has(r, count):
        return NULL
    r.at += count
    return r.at - count


cdef inline void _copy(Reader* r, u8* out, Py_ssize_t count) noexcept:
    if _has(r, count):
        memcpy(out, r.at, count)
        r.at += count


cdef inline int _byte(Reader* r) noexcept:
    cdef const u8* found = _take(r, 1)
    return 0 if found == NULL else found[0]


cdef inline u64 _number(Reader* r, int bits) noexcept:
    """As ``varint.read_varint``; 0, and bad, for everything that is refused there."""
    cdef u64 number = _byte(r)
    cdef u64 byte
    cdef int shift = 7
    if number < 0x80:
        return number
    number &= 0x7F
    while shift < bits and not r.bad:
        byte = _byte(r)
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            if byte == 0 or number >> bits:
                break
            return number
        shift += 7
    r.bad = True
    return 0


cdef inline void _put(u8* out, u64 number, int width) noexcept:
    """Big-endian, as headers have it."""
    while width:
        width -= 1
        out[width] = number & 0xFF
        number >>= 8


cdef Py_ssize_t _head(Reader* r, u8* out) noexcept:
    """Write a header's head without device and stream; its size."""
    cdef Py_ssize_t at = HEAD_FRONT
    cdef u64 other = 0
    cdef u64 size
    cdef int count, i
    out[0], out[1], out[2] = 1, 0, 0
    _put(out + 7, _number(r, 48), 6)
    _put(out + 29, _number(r, 48), 6)
    count = _byte(r)
    out[HEAD_FRONT - 1] = count
    for i in range(count):
        other += _number(r, 32)
        if other >> 32:
            r.bad = True
        if r.bad:
            return 0
        _put(out + at, other, 4)
        _put(out + at + 4, _number(r, 48), 6)
        _copy(r, out + at + 10, 8)
        at += AFTER
    _put(out + at, _number(r, 48), 6)
    _copy(r, out + at + 6, 8)
    size = _number(r, 48)
    _put(out + at + 14, size, 6)
    at += BACK
    if size:
        _copy(r, out + at, ROOT)
        at += ROOT
    return at


cdef bint _parse(Frame* frame, const u8* data, Py_ssize_t size, u64 log_time, u8* out) noexcept:
    """Read a usual frame and write its header, but device, stream and hashes of segments."""
    cdef Reader r
    cdef u64 whole = 0
    cdef int row
    r.at, r.end, r.bad = data, data + size, False
    cdef int flags = _byte(&r)
    if r.bad or flags & ~EXPLICIT:  # own, or something is withheld
        return False
    frame.time = log_time + _number(&r, 48)
    frame.stream_ref = _number(&r, 16)
    frame.device_ref = _number(&r, 16)
    frame.previous = _take(&r, 32) if flags else NULL
    frame.head_size = _head(&r, out)
    frame.count = _byte(&r)
    if r.bad or frame.time >> 48 or not 0 < frame.count <= SEGMENTS_MAX:
        return False
    out += frame.head_size
    out[0] = frame.count
    out += 1
    for row in range(frame.count):
        _copy(&r, out, NAMED)
        frame.lengths[row] = _number(&r, 32)
        _put(out + NAMED, frame.lengths[row], 4)
        whole += frame.lengths[row]
        out += SEGMENT
    frame.signature = _take(&r, 64)
    frame.segments = r.at
    return not r.bad and <u64>(r.end - r.at) == whole


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
    cdef Frame f
    cdef const u8* start
    cdef u8* out
    cdef Py_ssize_t header_size, length
    cdef int row
    cdef object item, device, stream, previous, last, segment, segments, header, signature, link
    cdef bint run_starts
    cdef u8 made[32]
    cdef u8 chained[LABEL_MAX + 64]
    cdef u8 leaf[BEFORE_HEADER + HEADER_MAX + 64]
    while at < len(items) and position < end:
        item = items[at]
        if type(item) is not bytes:
            break
        out = leaf + BEFORE_HEADER
        if not _parse(
            &f, <const u8*>PyBytes_AS_STRING(item), PyBytes_GET_SIZE(item), log_time, out
        ):
            break
        if f.stream_ref >= <u64>len(streams) or f.device_ref >= <u64>len(devices):
            break
        device, stream = devices[f.device_ref], streams[f.stream_ref]
        last = links.get(device)
        if f.previous != NULL:
            previous = PyBytes_FromStringAndSize(<const char*>f.previous, 32)
        else:
            previous = last
            if previous is None:
                break
        run_starts = last is None or memcmp(
            PyBytes_AS_STRING(last), PyBytes_AS_STRING(previous), 32
        ) != 0
        memcpy(out + 3, PyBytes_AS_STRING(device), 4)
        memcpy(out + 13, PyBytes_AS_STRING(stream), 16)
        segments = PyTuple_New(f.count)
        start = f.segments
        out += f.head_size + 1
        for row in range(f.count):
            length = f.lengths[row]
            segment = PyBytes_FromStringAndSize(<const char*>start, length)
            Py_INCREF(segment)  # which the tuple takes over
            PyTuple_SET_ITEM(segments, row, segment)
            digest(start, length, out + SEGMENT - 32)
            out += SEGMENT
            start += length
        header_size = f.head_size + 1 + SEGMENT * f.count
        header = PyBytes_FromStringAndSize(<const char*>leaf + BEFORE_HEADER, header_size)
        signature = PyBytes_FromStringAndSize(<const char*>f.signature, 64)
        digest(leaf + BEFORE_HEADER, header_size, made)
        memcpy(chained, PyBytes_AS_STRING(_label), _label_bytes)
        memcpy(chained + _label_bytes, PyBytes_AS_STRING(previous), 32)
        memcpy(chained + _label_bytes + 32, made, 32)
        link = PyBytes_FromStringAndSize(NULL, 32)
        digest(chained, _label_bytes + 64, <u8*>PyBytes_AS_STRING(link))
        leaf[0] = 0
        _put(leaf + 1, f.time, 6)
        memcpy(leaf + 7, PyBytes_AS_STRING(previous), 32)
        memcpy(leaf + BEFORE_HEADER + header_size, f.signature, 64)
        digest(leaf, BEFORE_HEADER + header_size + 64, made)
        leaf_hashes.append(PyBytes_FromStringAndSize(<const char*>made, 32))
        links[device] = link
        leaves.append(
            _new(
                _leaf_type,
                (
                    position,
                    f.time,
                    previous,
                    header,
                    signature,
                    segments,
                    None,
                    numbers[f.device_ref],
                    link,
                    run_starts,
                ),
            )
        )
        log_time = f.time
        position += 1
        at += 1
    return at, position, log_time
