ctypedef unsigned char u8

cdef int digest(const u8* data, Py_ssize_t size, u8* out) except -1
