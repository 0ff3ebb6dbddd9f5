# cython: language_level=3, wraparound=False
"""A stream key made ready from how the store packs the keys of its stream (optional).

For the compiled twins that open what one stream has and then ask for none of its keys again.
``tests/properties/test_packed_run.py`` holds what is found equal to what the key ring gives.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memcmp

from casesync.codec._msgpack cimport Reader, Slice, array, u8, unsigned
from casesync.crypto.aead import prepare
from casesync.sync._segment cimport bytes_of
from casesync.sync._stream_row cimport pairs, skip

VERSION = 2
"""Raised with every change of what this module does; its users ask for just this one."""

cdef object _prepare = prepare
cdef Py_ssize_t KEY_BYTES = 32
cdef Py_ssize_t KEYS_BYTES = 96  # stream key, sealing key, commitment: as the key ring stores them


cdef const u8* raw_key(object packed, u64 kind, const u8* key_name) noexcept:
    """Stream key, sealing key and commitment among a stream's stored keys, 32 bytes each.

    NULL if the key is not there, or in its older form.
    """
    cdef Reader r
    cdef Slice part
    cdef const u8* key
    cdef Py_ssize_t i, count
    if type(packed) is not bytes:
        return NULL
    r.at, r.bad = <const u8*>PyBytes_AS_STRING(packed), False
    r.end = r.at + PyBytes_GET_SIZE(packed)
    count = pairs(&r)
    for i in range(count):
        if array(&r) != 2:
            return NULL
        if unsigned(&r) != kind or r.bad:
            if r.bad or not skip(&r, &part) or not skip(&r, &part):
                return NULL
            continue
        if not skip(&r, &part):
            return NULL
        key = bytes_of(&r, KEYS_BYTES)
        if r.bad:
            return NULL
        if memcmp(key + 2 * KEY_BYTES, key_name, 8) == 0:
            return key
    return NULL


cdef object stored_key(object stored, dict made, u64 kind, bytes key_name):
    """(cipher, commitment, kind) of a stored key; None if it is not here, or in its older form.

    Args: stored: the stream's keys, packed, or None; made: by name what was asked for before.
    """
    cdef const u8* key
    cdef object found = made.get(key_name)
    if found is not None:
        return found if found[2] == kind else None
    key = raw_key(stored, kind, <const u8*>PyBytes_AS_STRING(key_name))
    if key == NULL:
        return None
    found = (
        _prepare(PyBytes_FromStringAndSize(<const char*>key + KEY_BYTES, KEY_BYTES)),
        PyBytes_FromStringAndSize(<const char*>key + 2 * KEY_BYTES, KEY_BYTES),
        kind,
    )
    made[key_name] = found
    return found
