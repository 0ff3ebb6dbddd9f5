# cython: language_level=3, wraparound=False
"""Compiled twin of ``page_leaves``: the leaves of a page by author and by stream (optional).

``tests/properties/test_page_kernels.py`` holds it equal to the Python.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE

from casesync.translog.header import STREAM_PART

VERSION = 1
"""Raised with every change of what this module does; its Python twin asks for just this one."""

cdef Py_ssize_t STREAM_AT = STREAM_PART.start
cdef Py_ssize_t STREAM_BYTES = STREAM_PART.stop - STREAM_PART.start


cdef inline object _checked(object leaf):
    """The leaf, as long as it must be for what is read of it."""
    if not isinstance(leaf, tuple) or PyTuple_GET_SIZE(leaf) < 9:
        raise TypeError("not a leaf")
    return leaf


def runs_of(list leaves not None):
    """As ``page_leaves.runs_of``."""
    cdef dict runs = {}, newest = {}
    cdef object leaf, device, last, previous
    cdef list of_device
    cdef Py_ssize_t position
    for position in range(PyList_GET_SIZE(leaves)):
        leaf = _checked(<object>PyList_GET_ITEM(leaves, position))
        if <object>PyTuple_GET_ITEM(leaf, 6) is not None:
            continue
        device = <object>PyTuple_GET_ITEM(leaf, 7)
        previous = <object>PyTuple_GET_ITEM(leaf, 2)
        last = newest.get(device)
        if last is None:
            runs[device] = [[position]]
        else:
            of_device = <list>runs[device]
            if last is previous or last == previous:
                (<list>PyList_GET_ITEM(of_device, PyList_GET_SIZE(of_device) - 1)).append(position)
            else:
                of_device.append([position])
        newest[device] = <object>PyTuple_GET_ITEM(leaf, 8)
    return runs


def by_stream(list leaves not None):
    """As ``page_leaves.by_stream``."""
    cdef dict streams = {}
    cdef object leaf, stream, held
    cdef bytes header
    cdef Py_ssize_t at
    for at in range(PyList_GET_SIZE(leaves)):
        leaf = _checked(<object>PyList_GET_ITEM(leaves, at))
        header = <bytes?><object>PyTuple_GET_ITEM(leaf, 3)
        if PyBytes_GET_SIZE(header) >= STREAM_AT + STREAM_BYTES:
            stream = PyBytes_FromStringAndSize(PyBytes_AS_STRING(header) + STREAM_AT, STREAM_BYTES)
        else:
            stream = header[STREAM_PART]
        held = streams.get(stream)
        if held is None:
            streams[stream] = [leaf]
        else:
            (<list>held).append(leaf)
    return list(streams.items())
