# cython: language_level=3, wraparound=False
"""Compiled twin of ``served_leaf.ServedLeaf`` (optional).

A page has tens of thousands of leaves, and most of them are only ever looked at by other compiled
twins. So a leaf is one object that points into the frame it was read from: its parts become
objects when Python asks for them, each time anew.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc

VERSION = 1
"""Raised with every change of what this module does; ``served_leaf`` asks for just this one."""


cdef Slice slice_of(object data) except *:
    """The bytes of an object that stays; None is withheld."""
    cdef Slice part
    part.at, part.size = NULL, 0
    if data is not None:
        part.at, part.size = <const u8*>PyBytes_AS_STRING(<bytes?>data), PyBytes_GET_SIZE(data)
    return part


cdef object _bytes(Slice part):
    return None if part.at == NULL else PyBytes_FromStringAndSize(<const char*>part.at, part.size)


cdef ServedLeaf new_leaf(object held, int segment_count, Py_ssize_t room):
    """A leaf whose parts are still to be pointed to.

    Args: held: bytes that they will lie in; room: bytes of its own that they may lie in as well.
    """
    cdef ServedLeaf leaf = ServedLeaf.__new__(ServedLeaf)
    leaf.made = <u8*>PyMem_Malloc(segment_count * sizeof(Slice) + room + 1)
    if leaf.made == NULL:
        raise MemoryError
    leaf.raw_segments = <Slice*>leaf.made
    leaf.segment_count, leaf.held = segment_count, held
    return leaf


cdef u8* room_of(ServedLeaf leaf) noexcept:
    """Where the room of its own begins."""
    return leaf.made + leaf.segment_count * sizeof(Slice)


def _fill(
    ServedLeaf leaf not None,
    u64 index,
    u64 log_time_ms,
    bytes previous_link not None,
    bytes header not None,
    bytes signature not None,
    tuple segments not None,
    own,
    u64 device,
    bytes link not None,
    bint run_starts,
):
    cdef Py_ssize_t count = len(segments), at
    if own is not None and type(own) is not int:
        raise TypeError("a number, or None")
    leaf.held = (previous_link, header, signature, segments, link)
    leaf.index, leaf.log_time_ms, leaf.device = index, log_time_ms, device
    leaf.own, leaf.run_starts = own, run_starts
    leaf.raw_previous, leaf.raw_header = slice_of(previous_link), slice_of(header)
    leaf.raw_signature, leaf.raw_link = slice_of(signature), slice_of(link)
    leaf.made = <u8*>PyMem_Malloc(count * sizeof(Slice) + 1)
    if leaf.made == NULL:
        raise MemoryError
    leaf.raw_segments = <Slice*>leaf.made
    for at in range(count):
        leaf.raw_segments[at] = slice_of(segments[at])
    leaf.segment_count = count


@cython.final
@cython.no_gc  # of bytes and numbers alone: no leaf is part of a cycle
cdef class ServedLeaf:
    """As ``served_leaf.ServedLeaf``."""

    def __cinit__(self, *parts):
        """Args: as ``PlainServedLeaf`` has them; of a leaf without any, ``new_leaf`` is at work."""
        if parts:
            _fill(self, *parts)

    def __dealloc__(self):
        PyMem_Free(self.made)

    @property
    def previous_link(self):
        return _bytes(self.raw_previous)

    @property
    def header(self):
        return _bytes(self.raw_header)

    @property
    def signature(self):
        return _bytes(self.raw_signature)

    @property
    def segments(self):
        cdef int at
        return tuple([_bytes(self.raw_segments[at]) for at in range(self.segment_count)])

    @property
    def link(self):
        return _bytes(self.raw_link)

    def __eq__(self, other):
        return isinstance(other, ServedLeaf) and _fields(self) == _fields(other)

    def __repr__(self):
        return f"ServedLeaf{_fields(self)}"


cdef tuple _fields(ServedLeaf leaf):
    return (
        leaf.index, leaf.log_time_ms, leaf.previous_link, leaf.header, leaf.signature,
        leaf.segments, leaf.own, leaf.device, leaf.link, leaf.run_starts,
    )
