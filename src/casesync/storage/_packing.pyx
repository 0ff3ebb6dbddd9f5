# cython: language_level=3, wraparound=False
"""Compiled twin of ``packing.pack_all``: our own rows as msgpack (optional).

It knows what our rows are made of and nothing else: lists, tuples, dictionaries, integers, bytes,
text, booleans and None. ``tests/properties/test_kernels.py`` holds its bytes equal to msgpack's.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_Next
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_AsUnsignedLongLong
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_Check, PyTuple_GET_ITEM, PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.string cimport memcpy

from casesync.codec._msgpack cimport put_unsigned, u8, u64

VERSION = 1
"""Raised with every change of what this module does; its Python twin asks for just this one."""

cdef int DEPTH_MAX = 64


cdef struct Buffer:
    u8* data
    Py_ssize_t size
    Py_ssize_t room


cdef int _grow(Buffer* b, Py_ssize_t count) except -1:
    cdef Py_ssize_t room = max(b.size + count, 2 * b.room, 1024)
    cdef u8* data = <u8*>PyMem_Realloc(b.data, room)
    if data == NULL:
        raise MemoryError
    b.data, b.room = data, room
    return 0


cdef inline int _tagged(Buffer* b, u8 tag, u64 value, int width) except -1:
    """A tag and an unsigned integer of ``width`` bytes, big-endian."""
    cdef int i
    if b.room - b.size < 9:
        _grow(b, 9)
    b.data[b.size] = tag
    b.size += 1
    for i in range(width):
        b.data[b.size + i] = <u8>(value >> (8 * (width - 1 - i)))
    b.size += width
    return 0


cdef int _raw(Buffer* b, const char* data, Py_ssize_t size) except -1:
    if b.room - b.size < size:
        _grow(b, size)
    memcpy(b.data + b.size, data, size)
    b.size += size
    return 0


cdef int _integer(Buffer* b, object value) except -1:
    cdef int overflow = 0
    cdef long long small = PyLong_AsLongLongAndOverflow(value, &overflow)
    cdef u64 large
    if overflow < 0:
        raise OverflowError("an integer below -2^63")
    if overflow or small >= 0:
        large = PyLong_AsUnsignedLongLong(value) if overflow else <u64>small
        if b.room - b.size < 9:
            _grow(b, 9)
        b.size += put_unsigned(b.data + b.size, large)
        return 0
    if small >= -0x20:
        return _tagged(b, <u8>small, 0, 0)
    if small >= -0x80:
        return _tagged(b, 0xD0, <u64>small, 1)
    if small >= -0x8000:
        return _tagged(b, 0xD1, <u64>small, 2)
    if small >= -0x80000000LL:
        return _tagged(b, 0xD2, <u64>small, 4)
    return _tagged(b, 0xD3, <u64>small, 8)


cdef int _length(Buffer* b, Py_ssize_t size, u8 fix, int fix_below, u8 tag16) except -1:
    """The head of an array, map or text: short, of 16 bits or of 32."""
    if size < fix_below:
        return _tagged(b, fix | <u8>size, 0, 0)
    if size <= 0xFFFF:
        return _tagged(b, tag16, size, 2)
    if size <= 0xFFFFFFFFLL:
        return _tagged(b, tag16 + 1, size, 4)
    raise ValueError("too long for msgpack")


cdef int _value(Buffer* b, object value, int depth) except -1:
    cdef Py_ssize_t size, i = 0
    cdef const char* text
    cdef PyObject* key
    cdef PyObject* item
    if depth > DEPTH_MAX:
        raise ValueError("too deep for a row")
    kind = type(value)
    if kind is int:
        return _integer(b, value)
    if kind is bytes:
        size = PyBytes_GET_SIZE(value)
        if size <= 0xFF:
            _tagged(b, 0xC4, size, 1)
        elif size <= 0xFFFF:
            _tagged(b, 0xC5, size, 2)
        elif size <= 0xFFFFFFFFLL:
            _tagged(b, 0xC6, size, 4)
        else:
            raise ValueError("too long for msgpack")
        return _raw(b, PyBytes_AS_STRING(value), size)
    if kind is list:
        size = PyList_GET_SIZE(value)
        _length(b, size, 0x90, 16, 0xDC)
        for i in range(size):
            _value(b, <object>PyList_GET_ITEM(value, i), depth + 1)
        return 0
    if kind is dict:
        _length(b, len(<dict>value), 0x80, 16, 0xDE)
        while PyDict_Next(value, &i, &key, &item):
            _value(b, <object>key, depth + 1)
            _value(b, <object>item, depth + 1)
        return 0
    if value is None:
        return _tagged(b, 0xC0, 0, 0)
    if value is True:
        return _tagged(b, 0xC3, 0, 0)
    if value is False:
        return _tagged(b, 0xC2, 0, 0)
    if kind is str:
        text = PyUnicode_AsUTF8AndSize(value, &size)
        if size >= 32 and size <= 0xFF:
            _tagged(b, 0xD9, size, 1)
        else:
            _length(b, size, 0xA0, 32, 0xDA)
        return _raw(b, text, size)
    if PyTuple_Check(value):
        size = PyTuple_GET_SIZE(value)
        _length(b, size, 0x90, 16, 0xDC)
        for i in range(size):
            _value(b, <object>PyTuple_GET_ITEM(value, i), depth + 1)
        return 0
    if isinstance(value, int):
        return _integer(b, value)
    if isinstance(value, bytes):
        return _value(b, bytes(value), depth)
    raise TypeError(f"no part of a row: {kind.__name__}")


def pack_all(values):
    """As ``packing.pack_all``."""
    cdef Buffer b
    cdef list packed = []
    b.data, b.room = NULL, 0
    try:
        for value in values:
            b.size = 0
            _value(&b, value, 0)
            packed.append(PyBytes_FromStringAndSize(<const char*>b.data, b.size))
    finally:
        PyMem_Free(b.data)
    return packed
