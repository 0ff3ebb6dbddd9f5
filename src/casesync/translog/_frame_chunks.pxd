"""Usual frames of a page, parsed and hashed some hundred at a time, by a second thread or not."""

from cpython.pythread cimport PyThread_type_lock

ctypedef unsigned char u8
ctypedef unsigned long long u64

cdef enum:
    CHUNKS = 8                   # on their way between two threads
    FIRST = 16                   # frames of a chunk that stays with one
    AFTER_MAX = 32               # heads before a change; more are uncommon
    SEGMENTS_MAX = 8             # segments of one; likewise
    HEADER_MAX = 29 + 7 + 18 * 32 + 20 + 32 + 1 + 45 * 8
    BEFORE_LINK = 1 + 6          # in what a leaf's hash is made of: mark, log time
    BEFORE_HEADER = 1 + 6 + 32   # and the link

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
    Py_ssize_t header_size
    u8* header                   # in ``leaf``
    u8 header_hash[32]
    bint chained                 # who read the frame made its link, behind the one in ``leaf``
    u8 link[32]
    u8 leaf[BEFORE_HEADER + HEADER_MAX + 64]  # what its hash is made of, all but the previous link


cdef struct Chunk:
    int room
    Frame* frames
    const u8** data              # what is to be read, and how long it is
    Py_ssize_t* sizes
    int offered                  # how many these are
    int read                     # how many of them are usual frames: those before the first other
    bint last                    # nothing is read behind it
    PyThread_type_lock given     # released when there is something to read
    PyThread_type_lock made      # released when it is read


cdef struct Link:
    bint known
    u8 link[32]


cdef struct Reading:
    Chunk chunks[CHUNKS]
    Chunk first                  # read by the first thread, before there is a second
    const u8* streams            # 16 bytes each
    u64 stream_count
    const u8* devices            # 4 bytes each
    u64 device_count
    u64 log_time                 # of the frame before
    Link* newest                 # of each device; NULL: who makes leaves makes links, too
    PyThread_type_lock over      # released when the thread is


cdef bint chain(const u8* previous, const u8* header_hash, u8* link) noexcept nogil
cdef void read_chunk(Reading* reading, Chunk* chunk) noexcept nogil
cdef bint begin_ahead(Reading* reading) noexcept
cdef void wait_for(PyThread_type_lock lock) noexcept
