from casesync.codec._msgpack cimport u8, u64

cdef enum:
    LINK = 32
    AFTER_COMMON = 8        # up to here a header is plain
    HEAD_MAX = 36 + 18 * 8 + 20
    TABLE = 46              # of one segment, its count included


cdef struct After:
    u64 device
    u64 number
    const u8* link8


cdef Py_ssize_t put_head(
    u8* head,
    u64 device,
    u64 number,
    const u8* stream,
    u64 previous,
    const After* after,
    Py_ssize_t count,
    u64 control,
    const u8* random8,
) noexcept
cdef bytes padded(const u8* body, Py_ssize_t size)
cdef bytes seal(
    u8* header,
    Py_ssize_t size,
    const u8* previous,
    object cipher,
    const u8* commitment,
    u8 compartment,
    bytes plain,
    u8* link,
)
