ctypedef unsigned char u8

cdef void* shared_context() noexcept
cdef void* new_context() noexcept nogil
cdef void free_context(void* context) noexcept nogil
cdef bint digest_in(void* context, const u8* data, Py_ssize_t size, u8* out) noexcept nogil
cdef int digest(const u8* data, Py_ssize_t size, u8* out) except -1
