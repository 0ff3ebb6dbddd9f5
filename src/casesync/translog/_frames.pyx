# cython: language_level=3, wraparound=False
"""Compiled twin of ``page._Reading``: usual frames of a page (translog; optional).

It takes only what most frames are (few segments, none withheld, nothing wrong) and stops before
everything else, which the Python reader then takes or refuses: there is one place that says what
is wrong with a page. ``tests/properties/test_kernels.py`` holds the two equal on hostile bytes.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Malloc
from cpython.pythread cimport (
    NOWAIT_LOCK,
    PyThread_acquire_lock,
    PyThread_allocate_lock,
    PyThread_free_lock,
    PyThread_release_lock,
    PyThread_type_lock,
)
from libc.stdint cimport uintptr_t
from libc.string cimport memcmp, memcpy

from casesync.codec._canonical cimport LongArray
from casesync.codec._msgpack cimport Slice
from casesync.merkle._hashes cimport digest, is_bound
from casesync.translog._frame_chunks cimport (
    BEFORE_HEADER, BEFORE_LINK, CHUNKS, FIRST, Chunk, Frame, Link, Reading, begin_ahead, chain,
    read_chunk, u8, u64, wait_for,
)
from casesync.translog._served_leaf cimport ServedLeaf, new_leaf, room_of

VERSION = 11
"""Raised with every change of what this module does; its Python twin asks for just this one."""

cdef Py_ssize_t HEAD_FRONT = 36  # header up to the count of after entries
cdef Py_ssize_t AFTER = 18
cdef Py_ssize_t BACK = 20
cdef Py_ssize_t ROOT = 32
cdef Py_ssize_t SEGMENT = 45
DEF LINE = 128  # of memory, as processors fetch it: one, or two together


cdef inline u64 u16(const u8* at) noexcept:
    return (<u64>at[0] << 8) | at[1]


cdef inline u64 u32(const u8* at) noexcept:
    return (u16(at) << 16) | u16(at + 2)


cdef inline u64 u48(const u8* at) noexcept:
    return (u16(at) << 32) | u32(at + 2)


cdef bint _allowed(u64 length) noexcept:
    return (
        length == 64 or length == 128 or length == 192
        or length == 256 or length == 384 or length == 512
    )


cdef tuple _plain(const u8* data, Py_ssize_t length):
    """As ``header.plain_header``."""
    cdef Py_ssize_t count, back, head, at
    cdef u64 number, device, previous, other
    cdef bint has_root
    if length < HEAD_FRONT:
        return None
    count = data[HEAD_FRONT - 1]
    if count > 8:
        return None
    back = HEAD_FRONT + AFTER * count
    head = back + BACK
    if length == head + 1 + SEGMENT:
        has_root = False
    elif length == head + ROOT + 1 + SEGMENT:
        has_root = True
        head += ROOT
    else:
        return None
    device = u32(data + 3)
    number = u48(data + 7)
    if (
        data[0] != 1
        or data[head] != 1
        or data[head + 1] == 0
        or not _allowed(u32(data + head + 10))
        or has_root != (u48(data + back + 14) != 0)
        or device == 0
        or u48(data + 29) >= number
    ):
        return None
    previous = 0
    for at in range(count):
        other = u32(data + HEAD_FRONT + AFTER * at)
        if other <= previous or other == device or u48(data + HEAD_FRONT + AFTER * at + 4) == 0:
            return None
        previous = other
    return (
        number,
        u48(data + back),
        <int>data[head + 1],
        PyBytes_FromStringAndSize(<const char*>data + head + 2, 8),
    )


def plain_header(bytes data not None):
    """As ``header.plain_header``."""
    return _plain(<const u8*>PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))


# -- frames ----------------------------------------------------------------------------------------

cdef PyThread_type_lock _taken_lock() except NULL:
    cdef PyThread_type_lock lock = PyThread_allocate_lock()
    if lock == NULL:
        raise MemoryError
    PyThread_acquire_lock(lock, NOWAIT_LOCK)
    return lock


cdef int _make_chunk(Chunk* chunk, int room) except -1:
    chunk.room = room
    chunk.frames = <Frame*>PyMem_Malloc(room * sizeof(Frame))
    chunk.data = <const u8**>PyMem_Malloc(room * sizeof(u8*))
    chunk.sizes = <Py_ssize_t*>PyMem_Malloc(room * sizeof(Py_ssize_t))
    if chunk.frames == NULL or chunk.data == NULL or chunk.sizes == NULL:
        raise MemoryError
    return 0


cdef void _free_chunk(Chunk* chunk) noexcept:
    PyMem_Free(chunk.frames)
    PyMem_Free(chunk.data)
    PyMem_Free(chunk.sizes)
    if chunk.given != NULL:
        PyThread_free_lock(chunk.given)
    if chunk.made != NULL:
        PyThread_free_lock(chunk.made)


cdef class _Ahead:
    """Frames of a page, chunk by chunk; once it is worth it, read by a second thread."""

    cdef Reading* reading
    cdef list items          # None where they lie in
    cdef LongArray array
    cdef list held           # the items that each chunk points to, those of ``first`` at the end
    cdef tuple tables        # which ``reading`` points to
    cdef Py_ssize_t offered  # every item before it was
    cdef u8* room            # where ``reading`` lies, with no line of memory that others write

    def __cinit__(self):
        self.reading = NULL
        self.room = <u8*>PyMem_Calloc(1, sizeof(Reading) + 4 * LINE)
        if self.room == NULL:
            raise MemoryError
        self.reading = <Reading*>(self.room + 2 * LINE - <uintptr_t>self.room % LINE)

    def __init__(self, items, Py_ssize_t at, bytes streams, bytes devices, u64 log_time):
        if isinstance(items, LongArray):
            self.array = items
        else:
            self.items = <list?>items
        self.offered = at
        self.tables, self.held = (streams, devices), [None] * (CHUNKS + 1)
        self.reading.streams = <const u8*>PyBytes_AS_STRING(streams)
        self.reading.stream_count = PyBytes_GET_SIZE(streams) // 16
        self.reading.devices = <const u8*>PyBytes_AS_STRING(devices)
        self.reading.device_count = PyBytes_GET_SIZE(devices) // 4
        self.reading.log_time = log_time
        _make_chunk(&self.reading.first, FIRST)

    def __dealloc__(self):
        cdef int which
        if self.reading == NULL:
            return
        for which in range(CHUNKS):
            _free_chunk(&self.reading.chunks[which])
        _free_chunk(&self.reading.first)
        PyMem_Free(self.reading.newest)
        if self.reading.over != NULL:
            PyThread_free_lock(self.reading.over)
        PyMem_Free(self.room)

    cdef int offer(self, Chunk* chunk, int which) except -1:
        """Point a chunk to the next items, as far as they may be frames."""
        cdef list held
        cdef object item
        cdef Slice* part
        cdef int offered = 0
        if self.array is not None:
            part = self.array.parts + self.offered
            while offered < min(chunk.room, self.array.count - self.offered) and part.at != NULL:
                chunk.data[offered], chunk.sizes[offered] = part.at, part.size
                offered += 1
                part += 1
        else:
            held = self.items[self.offered : self.offered + chunk.room]
            self.held[which] = held
            for item in held:
                if type(item) is not bytes:
                    break
                chunk.data[offered] = <const u8*>PyBytes_AS_STRING(item)
                chunk.sizes[offered] = PyBytes_GET_SIZE(item)
                offered += 1
        self.offered += offered
        chunk.offered = offered
        return 0

    cdef bint begin(self, int at_once, list devices, dict links) except -1:
        """Have the next items read by a second thread; False, and nothing offered, if not.

        Args: devices, links: as ``take_frames`` has them, what was read until now included.
        """
        cdef Chunk* chunk
        cdef int which
        cdef Py_ssize_t before = self.offered, at
        if not is_bound():
            return False
        self.reading.over = _taken_lock()
        self.reading.newest = <Link*>PyMem_Calloc(self.reading.device_count, sizeof(Link))
        if self.reading.newest == NULL:
            raise MemoryError
        for at in range(<Py_ssize_t>self.reading.device_count):
            link = links.get(devices[at])
            if type(link) is bytes and PyBytes_GET_SIZE(link) == 32:
                memcpy(self.reading.newest[at].link, PyBytes_AS_STRING(link), 32)
                self.reading.newest[at].known = True
        for which in range(CHUNKS):
            chunk = &self.reading.chunks[which]
            _make_chunk(chunk, at_once)
            chunk.given, chunk.made = _taken_lock(), _taken_lock()
            self.offer(chunk, which)
        if not begin_ahead(self.reading):
            PyMem_Free(self.reading.newest)
            self.reading.newest = NULL
            self.offered = before
            return False
        for which in range(CHUNKS):
            PyThread_release_lock(self.reading.chunks[which].given)
        return True

    cdef void end(self, Chunk* held) noexcept:
        """Let the second thread end; ``held`` is the chunk that it was to be given next."""
        held.last = True
        PyThread_release_lock(held.given)
        wait_for(self.reading.over)


cdef class _Leaves:
    """What a page's leaves are made with, and where they go."""

    cdef list numbers, devices, leaves, leaf_hashes
    cdef dict links
    cdef u64 position, end
    cdef object device    # of the last leaf; None: of none yet
    cdef u64 device_ref
    cdef object held      # what has its link: the leaf, or what ``links`` says
    cdef const u8* link   # NULL: ``links`` says nothing

    cdef int change_device(self, u64 device_ref) except -1:
        """Turn to another author; most leaves are of the one before."""
        self.note_link()
        self.device_ref, self.device = device_ref, self.devices[device_ref]
        self.held, self.link = self.links.get(self.device), NULL
        if self.held is not None:
            self.link = <const u8*>PyBytes_AS_STRING(<bytes?>self.held)
        return 0

    cdef int note_link(self) except -1:
        """Have ``links`` say what the last leaf's link is."""
        if self.device is not None and self.link != NULL:
            self.links[self.device] = PyBytes_FromStringAndSize(<const char*>self.link, 32)
        return 0

    cdef int take(self, Chunk* chunk, list items, LongArray array) except -1:
        """Make leaves of the frames that were read; how many, the first others are not usual.

        Args: items: those frames, or None: they lie in the message of ``array``.
        """
        cdef int taken = 0
        cdef object held
        while taken < chunk.read and self.position < self.end:
            held = items[taken] if array is None else array.message
            if not self.take_frame(&chunk.frames[taken], held):
                break
            taken += 1
        return taken

    cdef bint take_frame(self, Frame* f, object held) except -1:
        """Make the leaf of a frame, which points into ``held``; False if it cannot be usual."""
        cdef object leaf_hash
        cdef ServedLeaf leaf
        cdef const u8* start = f.segments
        cdef const u8* previous = f.previous
        cdef u8* out
        cdef int row
        if self.device is None or f.device_ref != self.device_ref:
            self.change_device(f.device_ref)
        if previous == NULL:
            if self.link == NULL:
                return False
            previous = self.link
        leaf = new_leaf(held, f.count, 64 + f.header_size)
        leaf.index, leaf.log_time_ms = self.position, f.time
        leaf.device = self.numbers[f.device_ref]
        leaf.run_starts = self.link == NULL or memcmp(self.link, previous, 32) != 0
        for row in range(f.count):
            leaf.raw_segments[row].at, leaf.raw_segments[row].size = start, f.lengths[row]
            start += f.lengths[row]
        leaf.raw_signature.at, leaf.raw_signature.size = f.signature, 64
        out = room_of(leaf)
        leaf.raw_link.at, leaf.raw_link.size = out, 32
        leaf.raw_previous.at, leaf.raw_previous.size = out + 32, 32
        leaf.raw_header.at, leaf.raw_header.size = out + 64, f.header_size
        if f.chained and memcmp(f.leaf + BEFORE_LINK, previous, 32) == 0:
            memcpy(out, f.link, 32)
        elif not chain(previous, f.header_hash, out):
            return False
        memcpy(f.leaf + BEFORE_LINK, previous, 32)
        memcpy(out + 32, f.leaf + BEFORE_LINK, 32 + f.header_size)
        leaf_hash = PyBytes_FromStringAndSize(NULL, 32)  # nobody looks at it before it is written
        digest(f.leaf, BEFORE_HEADER + f.header_size + 64, <u8*>PyBytes_AS_STRING(leaf_hash))
        self.held, self.link = leaf, out
        self.leaf_hashes.append(leaf_hash)
        self.leaves.append(leaf)
        self.position += 1
        return True


def take_frames(
    items not None,
    Py_ssize_t at,
    bytes streams not None,
    bytes device_ids not None,
    list numbers not None,
    list devices not None,
    dict links not None,
    list leaves not None,
    list leaf_hashes not None,
    u64 position,
    u64 end,
    u64 log_time,
    fold not None,
    Py_ssize_t fold_at,
    int at_once,
    Py_ssize_t worth_a_thread,
):
    """Take frames from item ``at`` on; where it stopped, the next position, the last log time.

    Args:
        items: of the page, a list or a ``LongArray``.
        at: a place in it.
        streams: ids, 16 bytes each.
        device_ids: 4 bytes each, as ``devices`` has them.
        numbers: theirs.
        devices: as headers name them.
        links: by device, the link that was read last; added to.
        leaves: added to.
        leaf_hashes: likewise.
        position: of the next leaf.
        end: positions are below it.
        log_time: of the frame before, ms.
        fold: puts ``leaf_hashes`` into their tree, and returns a new list of them.
        fold_at: as many are put there while the second thread is at work.
        at_once: frames that one thread hands to the other together; as many are read before.
        worth_a_thread: items to come from which on there is a second one; negative: never.
    """
    cdef _Ahead reader = _Ahead(items, at, streams, device_ids, log_time)
    cdef _Leaves made = _Leaves()
    cdef Chunk* chunk = &reader.reading.first
    cdef Py_ssize_t alone_until = at + at_once
    cdef bint ahead = False, alone = worth_a_thread < 0
    cdef int which = CHUNKS, taken
    made.numbers, made.devices, made.links = numbers, devices, links
    made.leaves, made.leaf_hashes = leaves, leaf_hashes
    made.position, made.end = position, end
    reader.offer(chunk, which)
    try:
        while True:
            if ahead:
                wait_for(chunk.made)
            else:
                read_chunk(reader.reading, chunk)
            taken = made.take(chunk, reader.held[which], reader.array)
            at += taken
            if taken:
                log_time = chunk.frames[taken - 1].time
            if taken < chunk.room:
                break
            if ahead and len(made.leaf_hashes) >= fold_at:
                made.leaf_hashes = fold()
            if ahead:
                reader.offer(chunk, which)
                PyThread_release_lock(chunk.given)
                which = (which + 1) % CHUNKS
                chunk = &reader.reading.chunks[which]
                continue
            if not alone and at >= alone_until and len(items) - at >= worth_a_thread:
                made.note_link()
                ahead = reader.begin(at_once, devices, links)
                alone = not ahead
            if ahead:
                which, chunk = 0, &reader.reading.chunks[0]
            else:
                reader.offer(chunk, which)
    finally:
        if ahead:
            reader.end(chunk)
    made.note_link()
    return at, made.position, log_time
