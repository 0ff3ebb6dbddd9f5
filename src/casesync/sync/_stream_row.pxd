from casesync.codec._msgpack cimport Reader, Slice, u8, u64

cdef enum:  # more than this is uncommon
    SLOTS = 24   # of a stream: devices x compartments
    LIVE = 256
    TABLE = 32   # as state_row.TABLE_MAX
    FACTS = 32
    NEWEST = 32
    ADDED = 64   # changes of a stream in one page


cdef struct Fact:
    u64 kind
    const u8* key_name
    long long index


cdef struct Newest:
    u64 device
    u64 number
    const u8* link8


cdef struct Live:
    u64 number
    Slice raw            # as it is stored, where it is not changed
    bint simple         # the rest of this was read from it
    const u8* link8
    u64 location
    u64 mask
    u64 record
    u64 form
    bint added
    bint gone
    int next            # of its slot, -1 = none


cdef struct Slot:
    u64 key
    Slice numbers        # what is stored of the numbers applied
    u64 count           # of them
    u64 last
    Slice rare
    bint has_rare
    int first
    int newest
    int live


cdef struct Added:
    u64 index
    u64 device
    u64 number
    u64 location
    u64 log_time


cdef struct Row:
    Slice history
    u64 history_count
    bint all_count      # every verdict is "counts"
    long long last      # largest index of others' changes, -1 = none
    Slice rights
    Slice owner
    bint shared
    Fact facts[FACTS]
    int fact_count
    Newest newest[NEWEST]
    int newest_count
    Slice rest           # behind the newest numbers
    Slot slots[SLOTS]
    int slot_count
    Live live[LIVE]
    int live_count
    const u8* records[TABLE]
    int record_count
    Slice forms[TABLE]
    int form_count
    u8 new_records[TABLE][16]
    Added added[ADDED]
    int added_count


cdef struct Buffer:
    u8* data
    Py_ssize_t size
    Py_ssize_t room


cdef bint skip(Reader* r, Slice* part) noexcept
cdef Py_ssize_t pairs(Reader* r) noexcept
cdef bint read_row(object packed, Row* row, u64 own_device) noexcept
cdef int put_array(Buffer* b, u64 count) except -1
cdef int put_slice(Buffer* b, Slice part) except -1
cdef int write_row(Buffer* b, Row* row) except -1
cdef Newest* newest_of(Row* row, u64 device) noexcept
cdef Slot* slot_of(Row* row, u64 key) noexcept
cdef Live* live_of(Row* row, Slot* slot, u64 number) noexcept
cdef bint was_applied(Row* row, Slot* slot, u64 number) noexcept
cdef void link_live(Row* row, Slot* slot, int at) noexcept
cdef int record_of(Row* row, const u8* record) noexcept
cdef int form_of(Row* row, const u8* form, Py_ssize_t size) noexcept
cdef bint takes(Row* row, u64 slot_key, u64 number) noexcept
cdef Live* add_live(
    Row* row,
    u64 slot_key,
    u64 number,
    const u8* link,
    const u8* record,
    int record_at,
    Slice form,
    int form_at,
    u64 full,
) noexcept
cdef void replace(Slot* slot, Live* live, u64 mask) noexcept
cdef Newest* newest_for(Row* row, u64 device) noexcept
