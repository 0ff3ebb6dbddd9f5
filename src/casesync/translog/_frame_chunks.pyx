# cython: language_level=3, wraparound=False
"""Usual frames of a page, parsed, hashed and linked, some hundred at a time (part of ``_frames``).

Nothing here touches a Python object, so a second thread can read the next frames while the first
one makes leaves of those before them (``protocol/decisions/0024``, ``0026``). Chunks go round: who
makes leaves gives one to be read, and takes it when it is made. Every read is bounded, whatever the
bytes are.
"""

from cpython.bytes cimport PyBytes_AS_STRING
from cpython.pythread cimport (
    NOWAIT_LOCK,
    WAIT_LOCK,
    PyThread_acquire_lock,
    PyThread_release_lock,
    PyThread_start_new_thread,
)
from libc.string cimport memcpy

from casesync.merkle._hashes cimport digest, digest_alone
from casesync.translog.chain import LINK_LABEL

VERSION = 6
"""Raised with every change of what this module does; ``translog.page`` asks for just this one."""

cdef int TRIES = 2000            # some 50 us
cdef u8 EXPLICIT = 1             # frame: the one flag of a usual one
cdef Py_ssize_t HEAD_FRONT = 36  # header up to the count of after entries
cdef Py_ssize_t AFTER = 18
cdef Py_ssize_t BACK = 20
cdef Py_ssize_t ROOT = 32
cdef Py_ssize_t SEGMENT = 45
cdef Py_ssize_t NAMED = 9        # of a segment: its kind and key name


DEF LABEL_MAX = 64
cdef u8[LABEL_MAX] _label  # of links
cdef Py_ssize_t _label_bytes = len(LINK_LABEL)
assert _label_bytes <= LABEL_MAX
memcpy(_label, PyBytes_AS_STRING(LINK_LABEL), _label_bytes)


cdef struct Reader:
    const u8* at
    const u8* end
    bint bad


cdef inline bint _has(Reader* r, Py_ssize_t count) noexcept nogil:
    if r.end - r.at < count:
        r.bad = True
    return not r.bad


cdef inline const u8* _take(Reader* r, Py_ssize_t count) noexcept nogil:
    """The next bytes; NULL, and bad, where there are fewer."""
    if not _has(r, count):
        return NULL
    r.at += count
    return r.at - count


cdef inline void _copy(Reader* r, u8* out, Py_ssize_t count) noexcept nogil:
    if _has(r, count):
        memcpy(out, r.at, count)
        r.at += count


cdef inline int _byte(Reader* r) noexcept nogil:
    cdef const u8* found = _take(r, 1)
    return 0 if found == NULL else found[0]


cdef inline u64 _number(Reader* r, int bits) noexcept nogil:
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


cdef inline void _put(u8* out, u64 number, int width) noexcept nogil:
    """Big-endian, as headers have it."""
    while width:
        width -= 1
        out[width] = number & 0xFF
        number >>= 8


cdef Py_ssize_t _head(Reader* r, u8* out) noexcept nogil:
    """Write a header's head without device and stream; its size."""
    cdef Py_ssize_t at = HEAD_FRONT
    cdef u64 other = 0
    cdef u64 size
    cdef int count, i
    out[0], out[1], out[2] = 1, 0, 0
    _put(out + 7, _number(r, 48), 6)
    _put(out + 29, _number(r, 48), 6)
    count = _byte(r)
    if count > AFTER_MAX:
        r.bad = True
    if r.bad:
        return 0
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


cdef bint _parse(
    Reading* reading, Frame* frame, const u8* data, Py_ssize_t size, u64 log_time
) noexcept nogil:
    """Read a usual frame and write its header, but the hashes of segments."""
    cdef Reader r
    cdef u64 whole = 0
    cdef int row, flags
    cdef u8* out = frame.header
    r.at, r.end, r.bad = data, data + size, False
    flags = _byte(&r)
    if r.bad or flags & ~EXPLICIT:  # own, or something is withheld
        return False
    frame.time = log_time + _number(&r, 48)
    frame.stream_ref = _number(&r, 16)
    frame.device_ref = _number(&r, 16)
    if frame.stream_ref >= reading.stream_count or frame.device_ref >= reading.device_count:
        return False
    frame.previous = _take(&r, 32) if flags else NULL
    frame.head_size = _head(&r, out)
    frame.count = _byte(&r)
    if r.bad or frame.time >> 48 or not 0 < frame.count <= SEGMENTS_MAX:
        return False
    memcpy(out + 3, reading.devices + 4 * frame.device_ref, 4)
    memcpy(out + 13, reading.streams + 16 * frame.stream_ref, 16)
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
    frame.header_size = out - frame.header
    return not r.bad and <u64>(r.end - r.at) == whole


cdef bint _hash(const u8* data, Py_ssize_t size, u8* out) noexcept nogil:
    if digest_alone(data, size, out):
        return True
    with gil:
        try:
            digest(data, size, out)
        except BaseException:
            return False
    return True


cdef bint _hash_header(Frame* frame) noexcept nogil:
    """Write the hashes of segments, and hash the header; what else its leaf is made of."""
    cdef const u8* segment = frame.segments
    cdef u8* out = frame.header + frame.head_size + 1 + SEGMENT - 32
    cdef int row
    for row in range(frame.count):
        if not _hash(segment, frame.lengths[row], out):
            return False
        segment += frame.lengths[row]
        out += SEGMENT
    frame.leaf[0] = 0
    _put(frame.leaf + 1, frame.time, 6)
    memcpy(frame.header + frame.header_size, frame.signature, 64)
    return _hash(frame.header, frame.header_size, frame.header_hash)


cdef bint chain(const u8* previous, const u8* header_hash, u8* link) noexcept nogil:
    """As ``chain.bridge``; False if it cannot be made."""
    cdef u8 chained[LABEL_MAX + 64]
    memcpy(chained, _label, _label_bytes)
    memcpy(chained + _label_bytes, previous, 32)
    memcpy(chained + _label_bytes + 32, header_hash, 32)
    return _hash(chained, _label_bytes + 64, link)


cdef bint _chain_on(Reading* reading, Frame* frame) noexcept nogil:
    """Make the frame's link, where links are made here."""
    cdef Link* newest
    cdef const u8* previous = frame.previous
    frame.chained = False
    if reading.newest == NULL:
        return True
    newest = &reading.newest[frame.device_ref]
    if previous == NULL:
        if not newest.known:
            return False
        previous = newest.link
    if not chain(previous, frame.header_hash, frame.link):
        return False
    memcpy(frame.leaf + BEFORE_LINK, previous, 32)
    newest.known = frame.chained = True
    memcpy(newest.link, frame.link, 32)
    return True


cdef void read_chunk(Reading* reading, Chunk* chunk) noexcept nogil:
    """Read what is offered, up to the first that is not usual.

    Of what another thread has close by nothing is written before the end: a line of memory that two
    processors write goes to and fro between them, which took as long as a second thread saves.
    """
    cdef Frame* frame
    cdef u64 log_time = reading.log_time
    cdef int at = 0
    while at < chunk.offered:
        frame = &chunk.frames[at]
        frame.header = frame.leaf + BEFORE_HEADER
        if not _parse(reading, frame, chunk.data[at], chunk.sizes[at], log_time):
            break
        if not _hash_header(frame) or not _chain_on(reading, frame):
            break
        log_time = frame.time
        at += 1
    reading.log_time = log_time
    chunk.read = at


cdef bint _soon(PyThread_type_lock lock) noexcept nogil:
    """Take a lock that is free within some microseconds: to sleep and be woken takes longer."""
    cdef int tries
    for tries in range(TRIES):
        if PyThread_acquire_lock(lock, NOWAIT_LOCK):
            return True
    return False


cdef void _ahead(void* argument) noexcept nogil:
    """The second thread: it ends with a chunk that is the last."""
    cdef Reading* reading = <Reading*>argument
    cdef Chunk* chunk
    cdef int at = 0
    while True:
        chunk = &reading.chunks[at]
        if not _soon(chunk.given):
            PyThread_acquire_lock(chunk.given, WAIT_LOCK)
        if chunk.last:
            break
        read_chunk(reading, chunk)
        PyThread_release_lock(chunk.made)
        at = (at + 1) % CHUNKS
    PyThread_release_lock(reading.over)


cdef bint begin_ahead(Reading* reading) noexcept:
    """Start the second thread; False if there can be none."""
    return <long>PyThread_start_new_thread(<void (*)(void*) noexcept>_ahead, reading) != -1


cdef void wait_for(PyThread_type_lock lock) noexcept:
    """Take a lock; others may use the interpreter while it is not free."""
    if not _soon(lock):
        with nogil:
            PyThread_acquire_lock(lock, WAIT_LOCK)
