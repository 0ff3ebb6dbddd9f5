from casesync.codec._msgpack cimport u8, u64

cdef enum:
    BODY_MAX = 4096
    REPLACES_MAX = 15   # more is uncommon, and stands in a longer array


cdef struct Named:
    u64 device
    u64 number
    const u8* link8
    u64 mask


cdef Py_ssize_t put_form(
    u8* data,
    u64 clock_ms,
    u64 version,
    const Named* named,
    int replaces,
    const u8* record,
    object form,
    list values,
) except -1
