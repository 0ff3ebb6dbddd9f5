# cython: language_level=3, wraparound=False
"""Leaves on their way to a helper and there again (optional, like the helper itself).

The bytes are private to two processes of one program on one machine, so numbers are as the machine
has them. ``tests/properties/test_packed_run.py`` holds what a helper makes equal to what is made
here.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.tuple cimport PyTuple_GET_ITEM
from libc.string cimport memcpy

from casesync.codec._msgpack cimport Reader, Slice, array, binary, u8, u64
from casesync.translog._served_leaf cimport ServedLeaf, new_leaf, room_of

VERSION = 3
"""Raised with every change of what this module does; ``stream_kernels`` asks for just this one."""

DEF LINK = 32

cdef struct Beside:
    u64 index
    u64 log_time
    u8 link[LINK]


cdef list _leaves_of(object pair):
    if type(pair) is not tuple or len(<tuple>pair) != 2:
        raise TypeError("a stream and its leaves")
    return <list?><object>PyTuple_GET_ITEM(pair, 1)


def beside(list batch not None, list placed not None):
    """What is not stored of the leaves of every stream that is placed, in one run of bytes.

    Raises: ValueError, TypeError: a leaf that no page reader made.
    """
    cdef Beside said
    cdef ServedLeaf leaf
    cdef list leaves
    cdef bytes made
    cdef u8* out
    cdef Py_ssize_t at, count = 0
    for pair, last in zip(batch, placed):
        if last is not None:
            count += PyList_GET_SIZE(_leaves_of(pair))
    made = PyBytes_FromStringAndSize(NULL, count * sizeof(Beside))
    out = <u8*>PyBytes_AS_STRING(made)
    for pair, last in zip(batch, placed):
        if last is None:
            continue
        leaves = _leaves_of(pair)
        for at in range(PyList_GET_SIZE(leaves)):
            leaf = <ServedLeaf?><object>PyList_GET_ITEM(leaves, at)
            if leaf.raw_link.size != LINK:
                raise ValueError("a link is 32 bytes")
            said.index, said.log_time = leaf.index, leaf.log_time_ms
            memcpy(said.link, leaf.raw_link.at, LINK)
            memcpy(out, &said, sizeof(Beside))
            out += sizeof(Beside)
    return made


cdef Slice _binary(Reader* r) noexcept:
    """Bytes, or nil, which is withheld."""
    cdef Slice part
    part.at, part.size = NULL, 0
    if r.at < r.end and r.at[0] == 0xC0:
        r.at += 1
        return part
    part.size = binary(r)
    part.at = r.at
    r.at += part.size
    return part


cdef ServedLeaf _leaf(Reader* r, bytes changes, const u8* said):
    """The next leaf; it points into ``changes``, and has a copy of what is said beside them."""
    cdef ServedLeaf leaf
    cdef Slice previous, header
    cdef Py_ssize_t count
    cdef Beside known
    cdef int row
    if array(r) != 4:
        raise ValueError("no change")
    previous, header = _binary(r), _binary(r)
    _binary(r)  # the signature, which was checked
    count = array(r)
    if r.bad or previous.size != LINK or header.at == NULL or count > r.end - r.at:
        raise ValueError("no change")
    leaf = new_leaf(changes, <int>count, LINK)
    for row in range(count):
        leaf.raw_segments[row] = _binary(r)
    if r.bad:
        raise ValueError("no change")
    memcpy(&known, said, sizeof(Beside))
    leaf.index, leaf.log_time_ms = known.index, known.log_time
    leaf.raw_previous, leaf.raw_header = previous, header
    leaf.raw_link.at, leaf.raw_link.size = room_of(leaf), LINK
    memcpy(room_of(leaf), known.link, LINK)
    return leaf


def leaves(bytes changes not None, bytes said not None, counts):
    """A list of leaves for each of ``counts``, 0 where none are.

    Of a leaf there is what ``_packed_run.take`` looks at.

    Args: changes: as they are stored, one behind the other; said: what ``beside`` made of them.

    Raises: ValueError: they are not, or it did not.
    """
    cdef Reader r
    cdef list streams = [], some
    cdef const u8* next_said = <const u8*>PyBytes_AS_STRING(said)
    cdef Py_ssize_t at, left = PyBytes_GET_SIZE(said)
    r.at, r.bad = <const u8*>PyBytes_AS_STRING(changes), False
    r.end = r.at + PyBytes_GET_SIZE(changes)
    for count in counts:
        some = []
        for at in range(<Py_ssize_t>count):
            left -= sizeof(Beside)
            if left < 0:
                raise ValueError("cut short")
            some.append(_leaf(&r, changes, next_said))
            next_said += sizeof(Beside)
        streams.append(some)
    if r.at != r.end or left:
        raise ValueError("too long")
    return streams
