from casesync.codec._msgpack cimport Slice, u8, u64


cdef class ServedLeaf:
    cdef readonly u64 index
    cdef readonly u64 log_time_ms
    cdef readonly u64 device
    cdef readonly object own
    cdef readonly bint run_starts
    cdef int segment_count
    cdef Slice raw_previous    # of all these, NULL is what is withheld, or not known here
    cdef Slice raw_header
    cdef Slice raw_signature
    cdef Slice raw_link
    cdef Slice* raw_segments   # the beginning of ``made``
    cdef object held           # what they point into,
    cdef u8* made              # or memory of the leaf's own


cdef ServedLeaf new_leaf(object held, int segment_count, Py_ssize_t room)
cdef Slice slice_of(object data) except *
cdef u8* room_of(ServedLeaf leaf) noexcept
