from casesync.codec._msgpack cimport u8, u64
from casesync.sync._stream_row cimport Part

cdef const u8* stored_key(object packed, u64 kind, const u8* key_name) noexcept
cdef object mask_of(object form, Part* target)
