# cython: language_level=3, wraparound=False
"""SHA-256 for the compiled twins, and the twin of ``compact_range.node_hashes`` (optional).

The hash is OpenSSL's, from the very library that ``hashlib`` of this interpreter is bound to; what
is saved is the two Python objects of every call, which cost three times what the hash does. Where
that library does not show its functions (a static build), ``hashlib`` is called.
"""

import _hashlib
import ctypes
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from libc.stdint cimport uintptr_t
from libc.string cimport memcpy

from hashlib import sha256

VERSION = 2
"""Raised with every change of what this module does; its Python twin asks for just this one."""

ctypedef void* (*New)() noexcept nogil
ctypedef void (*Free)(void*) noexcept nogil
ctypedef const void* (*Fetch)(void*, const char*, const char*) noexcept nogil
ctypedef int (*Init)(void*, const void*, void*) noexcept nogil
ctypedef int (*Update)(void*, const void*, size_t) noexcept nogil
ctypedef int (*Final)(void*, u8*, unsigned int*) noexcept nogil

cdef void* _context = NULL  # one is enough: it is used under the interpreter's lock
cdef const void* _algorithm = NULL
cdef New _new
cdef Free _free
cdef Init _init
cdef Update _update
cdef Final _final
cdef object _sha256 = sha256


cdef uintptr_t _address(object library, str name) except 0:
    return <uintptr_t>ctypes.cast(getattr(library, name), ctypes.c_void_p).value


cdef _bind():
    """Find OpenSSL's functions (3.0 and newer)."""
    global _context, _algorithm, _new, _free, _init, _update, _final
    library = ctypes.CDLL(_hashlib.__file__)
    _init = <Init>_address(library, "EVP_DigestInit_ex")
    _update = <Update>_address(library, "EVP_DigestUpdate")
    _final = <Final>_address(library, "EVP_DigestFinal_ex")
    _new = <New>_address(library, "EVP_MD_CTX_new")
    _free = <Free>_address(library, "EVP_MD_CTX_free")
    fetch = <Fetch>_address(library, "EVP_MD_fetch")
    _algorithm = fetch(NULL, b"SHA256", NULL)
    if _algorithm != NULL:
        _context = _new()


try:
    _bind()
except (AttributeError, OSError):
    pass


cdef void* shared_context() noexcept:
    """For whoever has the interpreter's lock; NULL where there is none."""
    return _context


cdef void* new_context() noexcept nogil:
    """For a thread without the interpreter's lock; NULL where there is none."""
    return NULL if _context == NULL else _new()


cdef void free_context(void* context) noexcept nogil:
    """Release what ``new_context`` made; NULL is harmless."""
    if context != NULL:
        _free(context)


cdef bint digest_in(void* context, const u8* data, Py_ssize_t size, u8* out) noexcept nogil:
    """As ``digest``, in a context of the caller's own; False where that is NULL or fails."""
    return (
        context != NULL
        and _init(context, _algorithm, NULL) == 1
        and _update(context, data, size) == 1
        and _final(context, out, NULL) == 1
    )


cdef int digest(const u8* data, Py_ssize_t size, u8* out) except -1:
    """SHA-256 of ``size`` bytes into the 32 at ``out``."""
    if digest_in(_context, data, size, out):
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
