# cython: language_level=3, wraparound=False
"""Compiled twin of ``own_content.made_form``: the body of one saved form (optional).

``put_form`` is the same for twins that need no objects of what they write.

It takes what is common (a form of at most 64 cells, scalars and lists of them, up to 4 kB) and
checks what ``segment_body.decode_content`` would check; of everything else it gives None, and the
Python twin encodes it, or refuses it. ``tests/properties/test_save_kernels.py`` holds
the two equal.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_AsUnsignedLongLong
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.string cimport memcpy

from casesync.codec._msgpack cimport put_unsigned, u8, u64
from casesync.model.cells import Form
from casesync.model.segment_body import Replacement

VERSION = 2
"""Raised with every change of what this module does; its Python twin asks for just this one."""

cdef int CELLS_MAX = 64
cdef u64 U48 = (<u64>1 << 48) - 1
cdef u64 U32 = (<u64>1 << 32) - 1
cdef u64 MASK_MAX = <u64>1 << 62
cdef object _form = Form
cdef object _replacement = Replacement


cdef struct Buffer:
    u8* data
    Py_ssize_t size


cdef inline bint _put(Buffer* b, u8 tag, u64 value, int width) noexcept:
    """A tag and an unsigned integer of ``width`` bytes, big-endian; False without room."""
    cdef int i
    if b.size + 9 > BODY_MAX:
        return False
    b.data[b.size] = tag
    for i in range(width):
        b.data[b.size + 1 + i] = <u8>(value >> (8 * (width - 1 - i)))
    b.size += 1 + width
    return True


cdef inline bint _raw(Buffer* b, const char* data, Py_ssize_t size) noexcept:
    if b.size + size > BODY_MAX:
        return False
    memcpy(b.data + b.size, data, size)
    b.size += size
    return True


cdef bint _unsigned(Buffer* b, u64 value) noexcept:
    if b.size + 9 > BODY_MAX:
        return False
    b.size += put_unsigned(b.data + b.size, value)
    return True


cdef bint _integer(Buffer* b, object value) except -1:
    cdef int overflow = 0
    cdef long long small = PyLong_AsLongLongAndOverflow(value, &overflow)
    if overflow:
        return False  # up to 2^64 - 1 it is a value; no form of ours has one
    if small >= 0:
        return _unsigned(b, <u64>small)
    if small >= -0x20:
        return _put(b, <u8>small, 0, 0)
    if small >= -0x80:
        return _put(b, 0xD0, <u64>small, 1)
    if small >= -0x8000:
        return _put(b, 0xD1, <u64>small, 2)
    if small >= -0x80000000LL:
        return _put(b, 0xD2, <u64>small, 4)
    return _put(b, 0xD3, <u64>small, 8)


cdef bint _bytes(Buffer* b, bytes value) noexcept:
    cdef Py_ssize_t size = PyBytes_GET_SIZE(value)
    if size <= 0xFF:
        return _put(b, 0xC4, size, 1) and _raw(b, PyBytes_AS_STRING(value), size)
    return _put(b, 0xC5, size, 2) and _raw(b, PyBytes_AS_STRING(value), size)


cdef bint _text(Buffer* b, str value) except -1:
    cdef Py_ssize_t size
    cdef const char* text
    try:
        text = PyUnicode_AsUTF8AndSize(value, &size)
    except UnicodeEncodeError:
        return False
    if size < 32:
        return _put(b, 0xA0 | <u8>size, 0, 0) and _raw(b, text, size)
    if size <= 0xFF:
        return _put(b, 0xD9, size, 1) and _raw(b, text, size)
    return size <= BODY_MAX and _put(b, 0xDA, size, 2) and _raw(b, text, size)


cdef inline bint _array(Buffer* b, Py_ssize_t count) noexcept:
    if count < 16:
        return _put(b, 0x90 | <u8>count, 0, 0)
    return count <= BODY_MAX and _put(b, 0xDC, count, 2)


cdef bint _scalar(Buffer* b, object value) except -1:
    kind = type(value)
    if kind is str:
        return _text(b, <str>value)
    if kind is int:
        return _integer(b, value)
    if value is None:
        return _put(b, 0xC0, 0, 0)
    if kind is bool:
        return _put(b, 0xC3 if value else 0xC2, 0, 0)
    if kind is bytes and PyBytes_GET_SIZE(value) <= BODY_MAX:
        return _bytes(b, <bytes>value)
    return False


cdef bint _value(Buffer* b, object value) except -1:
    cdef Py_ssize_t at
    if type(value) is not list:
        return _scalar(b, value)
    if not _array(b, PyList_GET_SIZE(value)):
        return False
    for at in range(PyList_GET_SIZE(value)):
        if not _scalar(b, <object>PyList_GET_ITEM(value, at)):
            return False
    return True


cdef bint _within(object value, u64 low, u64 high) except -1:
    """Whether ``value`` is an integer of these bounds."""
    cdef int overflow = 0
    cdef long long small
    if type(value) is not int:
        return False
    small = PyLong_AsLongLongAndOverflow(value, &overflow)
    return not overflow and small >= 0 and low <= <u64>small <= high


cdef bint _named(object entry, Named* named) except -1:
    """One entry of the replacement table; False if it is uncommon."""
    if type(entry) is not _replacement:
        return False
    device, number, link8, mask = <tuple>entry
    if (
        not _within(device, 1, U32)
        or not _within(number, 1, U48)
        or not _within(mask, 0, MASK_MAX)
        or type(link8) is not bytes
        or PyBytes_GET_SIZE(link8) != 8
    ):
        return False
    named.device, named.number, named.mask = device, number, mask
    named.link8 = <const u8*>PyBytes_AS_STRING(link8)
    return True


cdef inline bint _fixed(Buffer* b, const u8* data, Py_ssize_t size) noexcept:
    return _put(b, 0xC4, size, 1) and _raw(b, <const char*>data, size)


cdef Py_ssize_t put_form(
    u8* data,
    u64 clock_ms,
    u64 version,
    const Named* named,
    int replaces,
    const u8* record,
    object form,
    list values,
) except -1:
    """A body into the ``BODY_MAX`` bytes at ``data``; its size, 0 for what is uncommon.

    Of ``named`` nothing is checked; ``form`` is a ``Form``.
    """
    cdef Buffer b
    cdef Py_ssize_t at, cells
    cdef tuple keys = <tuple?>form.keys
    b.data, b.size = data, 0
    cells = PyTuple_GET_SIZE(keys)
    if (
        form.elements
        or not 0 < cells <= CELLS_MAX
        or cells != PyList_GET_SIZE(values)
        or replaces > REPLACES_MAX
        or clock_ms > U48
        or version > U32
    ):
        return 0
    _array(&b, 4)
    _unsigned(&b, clock_ms)
    _unsigned(&b, version)
    _array(&b, replaces)
    for at in range(replaces):
        _array(&b, 4)
        _unsigned(&b, named[at].device)
        _unsigned(&b, named[at].number)
        _fixed(&b, named[at].link8, 8)
        _unsigned(&b, named[at].mask)
    _array(&b, 1)
    _array(&b, 3)
    _fixed(&b, record, 16)
    if not _integer(&b, form.type) or not _array(&b, 2 * cells):
        return 0
    for at in range(cells):
        if not _integer(&b, <object>PyTuple_GET_ITEM(keys, at)):
            return 0
        if not _value(&b, <object>PyList_GET_ITEM(values, at)):
            return 0
    return b.size


def made_form(clock_ms, schema_version, list replaces not None, record, form, list values not None):
    """As ``own_content.made_form``; None for everything uncommon."""
    cdef u8 data[BODY_MAX]
    cdef Named named[REPLACES_MAX]
    cdef list rows = [], scalars = []
    cdef Py_ssize_t at, count = PyList_GET_SIZE(replaces), size
    if type(form) is not _form or type(record) is not bytes or PyBytes_GET_SIZE(record) != 16:
        return None
    if not _within(clock_ms, 0, U48) or not _within(schema_version, 0, U32):
        return None
    if count > REPLACES_MAX:
        return None
    for at in range(count):
        entry = <object>PyList_GET_ITEM(replaces, at)
        if not _named(entry, &named[at]):
            return None
        rows.append(list(entry))
    size = put_form(
        data, clock_ms, schema_version, named, count,
        <const u8*>PyBytes_AS_STRING(record), form, values,
    )
    if not size:
        return None
    for at in range(PyList_GET_SIZE(values)):
        scalars.append(<object>PyTuple_GET_ITEM(<tuple>form.keys, at))
        scalars.append(<object>PyList_GET_ITEM(values, at))
    body = PyBytes_FromStringAndSize(<const char*>data, size)
    return body, [clock_ms, schema_version, rows, [[record, form.type, scalars]], form]
