from casesync.codec._msgpack cimport u8, u64
from casesync.codec._msgpack cimport Slice

cdef object mask_of(object form, Slice* target)
