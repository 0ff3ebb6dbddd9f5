from casesync.codec._msgpack cimport u8, u64

cdef enum:
    SEGMENTS = 8  # more in one change are uncommon


cdef struct ContentHeader:
    u64 device
    u64 number
    u64 control_size
    Py_ssize_t head_size
    int count
    u64 kinds[SEGMENTS]
    const u8* key_names[SEGMENTS]


cdef bint read_content_header(const u8* raw, Py_ssize_t size, ContentHeader* header) noexcept
