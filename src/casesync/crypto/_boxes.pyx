# cython: language_level=3, wraparound=False
"""Compiled twin of ``key_wrap.open_box_symmetric`` (optional).

A first sync opens several boxes for every case. The cipher is that of ``cryptography`` and the hash
that of OpenSSL; what is made here are the bytes they take. Whatever does not open at once is left
to Python, which says so in its one way. ``tests/properties/test_opening_kernels.py`` holds the two
equal.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memcpy, memset

import hmac

from casesync.crypto.key_schedule import label
from casesync.merkle._hashes cimport digest

VERSION = 1
"""Raised with every change of what this module does; its Python twin asks for just this one."""

ctypedef unsigned char u8
ctypedef unsigned long long u64

DEF KEY = 32
DEF BLOCK = 64      # of SHA-256, which HMAC pads its key to
DEF STATEMENT = 60  # as ``sealing.statement_context``
DEF BOX = 112       # as ``key_wrap.box_context``
DEF LABEL_MAX = 32

cdef bytes _nonce_label = label("box-nonce")
cdef bytes _sealing_label = label("sealing-key")
cdef bytes _commitment_label = label("commitment")
cdef object _same = hmac.compare_digest
assert max(map(len, (_nonce_label, _sealing_label, _commitment_label))) <= LABEL_MAX


cdef bint _put_bytes(u8* out, object value, Py_ssize_t size) noexcept:
    if type(value) is not bytes or PyBytes_GET_SIZE(value) != size:
        return False
    memcpy(out, PyBytes_AS_STRING(value), size)
    return True


cdef bint _put_number(u8* out, object value, int width) except -1:
    """An integer in so many bytes, big-endian; False if it does not go into them."""
    cdef u64 number
    cdef int i
    if not isinstance(value, int) or not 0 <= value < <u64>1 << 8 * width:
        return False
    number = value
    for i in range(width):
        out[i] = <u8>(number >> 8 * (width - 1 - i))
    return True


cdef bytes _expanded(const u8* key, bytes use, const u8* context):
    """As ``key_schedule.expand``, of a statement's context."""
    cdef u8 inner[BLOCK + LABEL_MAX + STATEMENT + 1]
    cdef u8 outer[BLOCK + KEY]
    cdef u8 made[KEY]
    cdef Py_ssize_t size = PyBytes_GET_SIZE(use)
    cdef int i
    for i in range(KEY):
        inner[i] = key[i] ^ 0x36
        outer[i] = key[i] ^ 0x5C
    memset(inner + KEY, 0x36, BLOCK - KEY)
    memset(outer + KEY, 0x5C, BLOCK - KEY)
    memcpy(inner + BLOCK, PyBytes_AS_STRING(use), size)
    memcpy(inner + BLOCK + size, context, STATEMENT)
    inner[BLOCK + size + STATEMENT] = 1
    digest(inner, BLOCK + size + STATEMENT + 1, outer + BLOCK)
    digest(outer, BLOCK + KEY, made)
    return PyBytes_FromStringAndSize(<const char*>made, KEY)


def open_box(cipher not None, statement not None, unit_key not None, commitment, box):
    """As ``key_wrap.open_box_symmetric``; None if that is to say why not."""
    cdef u8 context[STATEMENT]
    cdef u8 labelled[LABEL_MAX + BOX]
    cdef u8 nonce[KEY]
    cdef u8* bound = labelled + PyBytes_GET_SIZE(_nonce_label)
    cdef const u8* key
    cdef object opened
    network, stream, compartment, device, number, position = statement
    unit, key_compartment, epoch = unit_key
    if not (
        _put_bytes(context, network, 32)
        and _put_bytes(context + 32, stream, 16)
        and _put_number(context + 48, compartment, 1)
        and _put_number(context + 49, device, 4)
        and _put_number(context + 53, number, 6)
        and _put_number(context + 59, position, 1)
        and _put_bytes(bound, network, 32)
        and _put_bytes(bound + 32, unit, 16)
        and _put_number(bound + 48, key_compartment, 1)
        and _put_number(bound + 49, epoch, 4)
        and _put_bytes(bound + 80, commitment, KEY)
        and type(box) is bytes
    ):
        return None
    memcpy(bound + 53, context + 32, 16)
    memcpy(bound + 69, context + 49, 11)
    memcpy(labelled, PyBytes_AS_STRING(_nonce_label), PyBytes_GET_SIZE(_nonce_label))
    digest(labelled, PyBytes_GET_SIZE(_nonce_label) + BOX, nonce)
    try:
        opened = cipher.decrypt(
            PyBytes_FromStringAndSize(<const char*>nonce, 12),
            box,
            PyBytes_FromStringAndSize(<const char*>bound, BOX),
        )
    except Exception:  # Python says what is wrong
        return None
    if type(opened) is not bytes or PyBytes_GET_SIZE(opened) != KEY or opened == bytes(KEY):
        return None
    key = <const u8*>PyBytes_AS_STRING(opened)
    if not _same(_expanded(key, _commitment_label, context), commitment):
        return None
    return opened, _expanded(key, _sealing_label, context)
