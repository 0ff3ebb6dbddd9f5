from casesync.codec._msgpack cimport Reader, Slice, u8, u64

cdef struct Replaced:
    u64 device
    u64 number
    const u8* link8
    u64 mask


cdef struct Body:
    u64 version
    int replaces
    Replaced replaced[16]
    const u8* record
    u64 type
    int size  # cells
    u64 keys[64]


cdef class Shape:
    cdef readonly object form
    cdef list row
    cdef bytes packed
    cdef u64 type
    cdef int size
    cdef u64 keys[64]


cdef const u8* bytes_of(Reader* r, Py_ssize_t size) noexcept
cdef bint is_bytes(object value, Py_ssize_t size) noexcept
cdef object opened(
    object key, Slice previous, Slice header, Py_ssize_t head_size, u8 position, Slice sealed
)
cdef Py_ssize_t unpadded(bytes body) noexcept
cdef bint read_body(bytes padded, Body* body) noexcept
cdef Shape shape_of(const Body* body)
