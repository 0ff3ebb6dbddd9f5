# cython: language_level=3, wraparound=False
"""Compiled twin of ``page_leaves``: the leaves of a page by author and by stream (optional).

``tests/properties/test_page_kernels.py`` holds it equal to the Python.
"""

from array import array
from cpython cimport array as arrays
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from libc.string cimport memcmp

from casesync.codec._msgpack cimport Slice
from casesync.translog._served_leaf cimport ServedLeaf
from casesync.translog.header import STREAM_PART

VERSION = 5
"""Raised with every change of what this module does; its Python twin asks for just this one."""

cdef Py_ssize_t STREAM_AT = STREAM_PART.start
cdef Py_ssize_t STREAM_BYTES = STREAM_PART.stop - STREAM_PART.start


cdef inline bint _equal(Slice one, Slice other) noexcept:
    return one.size == other.size and (
        one.size == 0 or memcmp(one.at, other.at, one.size) == 0
    )


cdef arrays.array _none = array("q")


def runs_of(list leaves not None):
    """As ``page_leaves.runs_of``."""
    cdef dict runs = {}, newest = {}
    cdef ServedLeaf leaf, last = None  # of the same device, which most leaves are of in turn
    cdef list of_device
    cdef arrays.array run = None
    cdef Py_ssize_t position, count
    for position in range(PyList_GET_SIZE(leaves)):
        leaf = <ServedLeaf?><object>PyList_GET_ITEM(leaves, position)
        if leaf.own is not None:
            continue
        if last is None or leaf.device != last.device:
            if last is not None:
                newest[last.device] = last
            last = newest.get(leaf.device)
            of_device = runs.setdefault(leaf.device, [])
            run = None
            if of_device:
                run = <arrays.array>PyList_GET_ITEM(of_device, PyList_GET_SIZE(of_device) - 1)
        if last is None or not _equal(last.raw_link, leaf.raw_previous):
            run = arrays.clone(_none, 0, False)
            of_device.append(run)
        count = len(run)
        arrays.resize_smart(run, count + 1)
        run.data.as_longlongs[count] = position
        last = leaf
    return runs


def by_stream(list leaves not None):
    """As ``page_leaves.by_stream``."""
    cdef dict streams = {}
    cdef object stream, held
    cdef ServedLeaf leaf
    cdef Slice header
    cdef Py_ssize_t at, size
    for at in range(PyList_GET_SIZE(leaves)):
        leaf = <ServedLeaf?><object>PyList_GET_ITEM(leaves, at)
        header = leaf.raw_header
        size = min(STREAM_BYTES, max(0, header.size - STREAM_AT))
        stream = b""
        if size:
            stream = PyBytes_FromStringAndSize(<const char*>header.at + STREAM_AT, size)
        held = streams.get(stream)
        if held is None:
            streams[stream] = [leaf]
        else:
            (<list>held).append(leaf)
    return list(streams.items())
