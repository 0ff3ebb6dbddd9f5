from casesync.codec._msgpack cimport u8, u64

cdef const u8* raw_key(object packed, u64 kind, const u8* key_name) noexcept
cdef object stored_key(object stored, dict made, u64 kind, bytes key_name)
