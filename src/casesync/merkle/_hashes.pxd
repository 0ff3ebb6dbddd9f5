ctypedef unsigned char u8

cdef bint is_bound() noexcept nogil
cdef bint digest_alone(const u8* data, Py_ssize_t size, u8* out) noexcept nogil
cdef int digest(const u8* data, Py_ssize_t size, u8* out) except -1
