# cython: language_level=3, wraparound=False
"""SHA-256 for the compiled twins, and the twin of ``compact_range.node_hashes`` (optional).

The hash is OpenSSL's, from the very library that ``hashlib`` of this interpreter is bound to; what
is saved is the two Python objects of every call, which cost three times what the hash does, and
what OpenSSL does for a hash that could be any (a quarter of a short one): ``SHA256_Init``,
``SHA256_Update`` and ``SHA256_Final`` are what it calls in the end. Where that library does not
show them (a static build, or one without its older functions), ``hashlib`` is called.
"""

import _hashlib
import ctypes
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from libc.stdint cimport uintptr_t
from libc.string cimport memcmp, memcpy

from hashlib import sha256

VERSION = 3
"""Raised with every change of what this module does; its Python twin asks for just this one."""

ctypedef int (*Init)(void*) noexcept nogil
ctypedef int (*Update)(void*, const void*, size_t) noexcept nogil
ctypedef int (*Final)(u8*, void*) noexcept nogil

cdef bint _bound = False
cdef Init _init
cdef Update _update
cdef Final _final
cdef object _sha256 = sha256
DEF STATE = 32  # words of 8 bytes, of which SHA256_CTX has 14


cdef uintptr_t _address(object library, str name) except 0:
    return <uintptr_t>ctypes.cast(getattr(library, name), ctypes.c_void_p).value


cdef _bind():
    """Find OpenSSL's functions, and see that they are what they seem."""
    global _bound, _init, _update, _final
    cdef u8 made[32]
    cdef bytes known = _sha256(__doc__.encode()).digest(), data = __doc__.encode()
    library = ctypes.CDLL(_hashlib.__file__)
    _init = <Init>_address(library, "SHA256_Init")
    _update = <Update>_address(library, "SHA256_Update")
    _final = <Final>_address(library, "SHA256_Final")
    _bound = True
    _bound = (
        digest_alone(<const u8*>PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), made)
        and memcmp(made, PyBytes_AS_STRING(known), 32) == 0
    )


try:
    _bind()
except (AttributeError, OSError):
    pass


cdef bint is_bound() noexcept nogil:
    """Whether ``digest_alone`` can be of use."""
    return _bound


cdef bint digest_alone(const u8* data, Py_ssize_t size, u8* out) noexcept nogil:
    """As ``digest``, for a thread without the interpreter's lock; False where there is no such."""
    cdef unsigned long long state[STATE]
    return (
        _bound
        and _init(state) == 1
        and _update(state, data, size) == 1
        and _final(out, state) == 1
    )


cdef int digest(const u8* data, Py_ssize_t size, u8* out) except -1:
    """SHA-256 of ``size`` bytes into the 32 at ``out``."""
    if digest_alone(data, size, out):
        return 0
    made = _sha256(PyBytes_FromStringAndSize(<const char*>data, size)).digest()
    memcpy(out, PyBytes_AS_STRING(made), 32)
    return 0


def node_hashes(list row not None):
    """As ``compact_range.node_hashes``."""
    cdef list parents = []
    cdef Py_ssize_t at
    cdef object left, right
    cdef u8 node[65]
    cdef u8 made[32]
    node[0] = 1
    for at in range(0, PyList_GET_SIZE(row) - 1, 2):
        left = <object>PyList_GET_ITEM(row, at)
        right = <object>PyList_GET_ITEM(row, at + 1)
        if (
            type(left) is not bytes
            or type(right) is not bytes
            or PyBytes_GET_SIZE(left) != 32
            or PyBytes_GET_SIZE(right) != 32
        ):
            raise ValueError("a hash is 32 bytes")
        memcpy(node + 1, PyBytes_AS_STRING(left), 32)
        memcpy(node + 33, PyBytes_AS_STRING(right), 32)
        digest(node, 65, made)
        parents.append(PyBytes_FromStringAndSize(<const char*>made, 32))
    return parents
