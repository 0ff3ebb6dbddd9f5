"""Arrays inside a message, whose items are not made objects of, for other twins (codec)."""

from casesync.codec._msgpack cimport Slice


cdef class LongArray:
    cdef readonly bytes message
    cdef Py_ssize_t count
    cdef Slice* parts   # of each byte string its content in ``message``; NULL: it is another item
    cdef dict others    # by their places
