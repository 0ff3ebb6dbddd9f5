# cython: language_level=3, wraparound=False
"""Headers of changes whose segments are all sealed, as the compiled twins read them (optional).

What is read here, ``translog.header.parse_header`` reads alike; of every other header nothing is
said (``tests/properties/test_packed_run.py``).
"""

from casesync.codec._msgpack cimport big

VERSION = 2
"""Raised with every change of what this module does; ``stream_kernels`` asks for just this one."""

cdef Py_ssize_t FRONT = 36   # up to the count of after entries
cdef Py_ssize_t AFTER = 18
cdef Py_ssize_t BACK = 20
cdef Py_ssize_t ROOT = 32
cdef Py_ssize_t ROW = 45     # of the segment table
cdef int AFTER_MAX = 8


cdef bint _is_usual_length(u64 length) noexcept:
    return (
        length == 64 or length == 128 or length == 192
        or length == 256 or length == 384 or length == 512
    )


cdef bint read_content_header(const u8* raw, Py_ssize_t size, ContentHeader* header) noexcept:
    """Read a valid header of segments that are all sealed; False if it is another one, or large."""
    cdef const u8* row
    cdef Py_ssize_t head
    cdef u64 other, previous = 0
    cdef int i
    if size < FRONT or raw[FRONT - 1] > AFTER_MAX:
        return False
    head = FRONT + AFTER * raw[FRONT - 1] + BACK
    if size < head + 1 or raw[0] != 1:
        return False
    header.device = big(raw + 3, 4)
    header.number = big(raw + 7, 6)
    header.control_size = big(raw + head - BACK, 6)
    if header.device == 0 or big(raw + 29, 6) >= header.number:
        return False
    for i in range(raw[FRONT - 1]):
        row = raw + FRONT + AFTER * i
        other = big(row, 4)
        if other <= previous or other == header.device or big(row + 4, 6) == 0:
            return False
        previous = other
    if big(raw + head - 6, 6):
        head += ROOT
    header.head_size = head
    if size < head + 1 or not 0 < raw[head] <= SEGMENTS:
        return False
    header.count = raw[head]
    if size != head + 1 + ROW * header.count:
        return False
    previous = 0
    for i in range(header.count):
        row = raw + head + 1 + ROW * i
        if row[0] <= previous or not _is_usual_length(big(row + 9, 4)):
            return False
        previous = row[0]
        header.kinds[i] = row[0]
        header.key_names[i] = row + 1
    return True
