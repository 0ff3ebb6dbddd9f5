from casesync.codec._msgpack cimport u8, u64
from casesync.sync._stream_row cimport Part

cdef object mask_of(object form, Part* target)
