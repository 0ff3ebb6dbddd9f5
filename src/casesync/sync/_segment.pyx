# cython: language_level=3, wraparound=False
"""What the compiled twins share: opening a segment, and reading its body (optional).

One pass over the opened bytes checks what ``segment_body.decode_content`` checks; no value becomes
an object, because merging looks at none. Whatever is uncommon is not read: Python then takes or
refuses it. Every read is bounded, whatever the bytes are.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.list cimport PyList_GET_ITEM
from cpython.tuple cimport PyTuple_GET_ITEM
from libc.string cimport memcmp, memcpy

from casesync.codec._msgpack cimport Slice, array, big, has, unsigned
from casesync.merkle._hashes cimport digest
from casesync.codec import canonical
from casesync.crypto.key_schedule import label
from casesync.model.cells import SIMPLE_FORMS

VERSION = 3
"""Raised with every change of what this module does; ``stream_kernels`` asks for just this one."""

cdef bytes _label = label("nonce")
cdef Py_ssize_t _label_bytes = len(_label)
cdef dict _forms = SIMPLE_FORMS
DEF SHAPES = 64  # a power of two
cdef list _shapes = [None] * SHAPES  # those met last: an office saves the same few all day
DEF HEAD_MAX = 36 + 18 * 8 + 20 + 32  # of a plain header
cdef Py_ssize_t BODY_MAX = 4096
cdef u64 U48 = (<u64>1 << 48) - 1
cdef u64 U32 = (<u64>1 << 32) - 1


# -- msgpack, as far as a simple body has it ----------------------------------------------------

cdef const u8* bytes_of(Reader* r, Py_ssize_t size) noexcept:
    """The bytes of a bin of just this size, below 256."""
    cdef const u8* found
    if not has(r, 2 + size) or r.at[0] != 0xC4 or r.at[1] != size:
        r.bad = True
        return NULL
    found = r.at + 2
    r.at += 2 + size
    return found


# Well-formed UTF-8 (Unicode 15, table 3-7): what may come next after what came before.
DEF CHARACTER = 0  # a new one; elsewhere, how many bytes are to come, and which the next may be
DEF NEVER = 1
DEF ONE = 2
DEF TWO = 3
DEF THREE = 4
DEF TWO_FROM_A0 = 5
DEF TWO_TO_9F = 6
DEF THREE_FROM_90 = 7
DEF THREE_TO_8F = 8
DEF STATES = 9
DEF STATE_BITS = 6  # all states lie in one word, as far apart as a shift by a state goes
cdef u64[256] _next_states


cdef int _next_state(int state, int byte) noexcept:
    if state == CHARACTER:
        if byte < 0x80:
            return CHARACTER
        if 0xC2 <= byte <= 0xDF:
            return ONE
        if 0xE0 <= byte <= 0xEF:
            return TWO_FROM_A0 if byte == 0xE0 else TWO_TO_9F if byte == 0xED else TWO
        if 0xF0 <= byte <= 0xF4:
            return THREE_FROM_90 if byte == 0xF0 else THREE_TO_8F if byte == 0xF4 else THREE
        return NEVER
    if state == NEVER or not 0x80 <= byte <= 0xBF:
        return NEVER
    if state == TWO_FROM_A0 and byte < 0xA0 or state == TWO_TO_9F and byte > 0x9F:
        return NEVER
    if state == THREE_FROM_90 and byte < 0x90 or state == THREE_TO_8F and byte > 0x8F:
        return NEVER
    if state == ONE:
        return CHARACTER
    return ONE if state in (TWO, TWO_FROM_A0, TWO_TO_9F) else TWO


cdef void _fill_states() noexcept:
    cdef int byte, state
    for byte in range(256):
        _next_states[byte] = 0
        for state in range(STATES):
            _next_states[byte] |= <u64>(STATE_BITS * _next_state(state, byte)) << STATE_BITS * state


_fill_states()


cdef bint _is_utf8(const u8* at, const u8* end) noexcept:
    """Whether the bytes are well-formed UTF-8.

    Text here is of short words, ASCII and Vietnamese mixed: to branch on its bytes, which cannot be
    foreseen, takes three times as long.
    """
    cdef u64 state = STATE_BITS * CHARACTER
    while at < end:
        state = _next_states[at[0]] >> (state & 63)
        at += 1
    return state & 63 == STATE_BITS * CHARACTER


cdef void _value(Reader* r) noexcept:
    """Step over a scalar or a flat list of them."""
    cdef Py_ssize_t i, count
    if has(r, 1) and (r.at[0] & 0xF0 == 0x90 or r.at[0] == 0xDC):
        count = array(r)
        for i in range(count):
            if r.bad:
                return
            _scalar(r)
    else:
        _scalar(r)


cdef void _scalar(Reader* r) noexcept:
    """Step over an integer, text, bytes, a boolean or nil."""
    cdef u8 tag
    cdef Py_ssize_t size
    if not has(r, 1):
        return
    tag = r.at[0]
    r.at += 1
    if tag < 0x80 or tag >= 0xE0 or tag == 0xC0 or tag == 0xC2 or tag == 0xC3:
        return
    if tag & 0xE0 == 0xA0:
        size = tag & 31
    elif tag == 0xD9 or tag == 0xC4:
        if not has(r, 1):
            return
        size = r.at[0]
        r.at += 1
    elif tag == 0xDA or tag == 0xC5:
        if not has(r, 2):
            return
        size = big(r.at, 2)
        r.at += 2
    elif 0xCC <= tag <= 0xCF or 0xD0 <= tag <= 0xD3:
        size = 1 << (tag & 3)
        if has(r, size):
            r.at += size
        return
    else:
        r.bad = True
        return
    if not has(r, size):
        return
    if tag & 0xE0 == 0xA0 or tag == 0xD9 or tag == 0xDA:
        if not _is_utf8(r.at, r.at + size):
            r.bad = True
    r.at += size


# -- opening ---------------------------------------------------------------------------------------

cdef bint is_bytes(object value, Py_ssize_t size) noexcept:
    """Whether reading ``size`` bytes of a value of the row stays inside it."""
    return type(value) is bytes and PyBytes_GET_SIZE(value) == size


cdef object opened(
    object key, Slice previous, Slice header, Py_ssize_t head_size, u8 position, Slice sealed
):
    """The padded plaintext of a segment; None if it does not open."""
    cdef object nonce, aad, commitment, ciphertext
    cdef u8* out
    cdef u8 made[32]
    cdef u8 joined[HEAD_MAX + 128]
    commitment = <object>PyTuple_GET_ITEM(key, 1)
    if not 0 <= head_size <= HEAD_MAX or head_size > header.size or previous.size != 32:
        return None
    if sealed.at == NULL or not is_bytes(commitment, 32):
        return None
    memcpy(joined, PyBytes_AS_STRING(_label), _label_bytes)
    out = joined + _label_bytes
    memcpy(out, previous.at, 32)
    memcpy(out + 32, header.at, head_size)
    out[32 + head_size] = position
    digest(joined, _label_bytes + 33 + head_size, made)
    nonce = PyBytes_FromStringAndSize(<const char*>made, 12)
    aad = PyBytes_FromStringAndSize(NULL, 65)
    out = <u8*>PyBytes_AS_STRING(aad)
    digest(header.at, head_size, out)
    out[32] = position
    memcpy(out + 33, PyBytes_AS_STRING(commitment), 32)
    ciphertext = PyBytes_FromStringAndSize(<const char*>sealed.at, sealed.size)
    try:
        return (<object>PyTuple_GET_ITEM(key, 0)).decrypt(nonce, ciphertext, aad)
    except Exception:  # the Python path says what is wrong
        return None


cdef Py_ssize_t unpadded(bytes body) noexcept:
    """The length of an opened plaintext without its padding, -1 if that is wrong."""
    cdef const u8* raw = <const u8*>PyBytes_AS_STRING(body)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(body)
    while size and raw[size - 1] == 0:
        size -= 1
    return size - 1 if size and raw[size - 1] == 0x80 else -1


# -- a body ---------------------------------------------------------------------------------------

cdef bint read_body(bytes padded, Body* body) noexcept:
    """Read ``[clock, version, replaces, [[record, type, [key, value, ...]]]]``; False if uncommon.

    What it finds lies in ``padded``.
    """
    cdef Reader r
    cdef Replaced* named
    cdef const u8* raw = <const u8*>PyBytes_AS_STRING(padded)
    cdef Py_ssize_t size = unpadded(padded), count, pairs, i, j
    cdef u64 clock
    if not 0 < size <= BODY_MAX:
        return False
    r.at, r.end, r.bad = raw, raw + size, False
    if array(&r) != 4:
        return False
    clock = unsigned(&r)
    body.version = unsigned(&r)
    count = array(&r)
    if r.bad or clock > U48 or body.version > U32 or count > 16:
        return False
    body.replaces = count
    for i in range(count):
        if array(&r) != 4:
            return False
        named = &body.replaced[i]
        named.device = unsigned(&r)
        named.number = unsigned(&r)
        named.link8 = bytes_of(&r, 8)
        named.mask = unsigned(&r)
        if r.bad or not 0 < named.device <= U32 or not 0 < named.number <= U48:
            return False
        for j in range(i):
            if body.replaced[j].device == named.device and body.replaced[j].number == named.number:
                return False
    if array(&r) != 1 or array(&r) != 3:
        return False
    body.record = bytes_of(&r, 16)
    body.type = unsigned(&r)
    pairs = array(&r)
    if r.bad or pairs < 2 or pairs & 1 or pairs > 128 or body.type > 0xFFFF:
        return False
    body.size = pairs // 2
    for i in range(body.size):
        body.keys[i] = unsigned(&r)
        if r.bad or body.keys[i] > 0xFFFFF:
            return False
        _value(&r)
        if r.bad:
            return False
    return r.at == r.end


cdef class Shape:
    """A checked form without elements, with its row and that row packed."""

    def __init__(self, form, row):
        self.form = form
        self.row = row
        self.packed = canonical.pack(row)


cdef Shape shape_of(const Body* body):
    """The shape of a body's cells; None if this form was not met yet."""
    cdef int i
    cdef u64 place = body.type * 31 + body.size
    cdef Shape shape
    for i in range(body.size):
        place = place * 31 + body.keys[i]
    place &= SHAPES - 1
    shape = <Shape>PyList_GET_ITEM(_shapes, <Py_ssize_t>place)
    if (
        shape is not None
        and shape.type == body.type
        and shape.size == body.size
        and memcmp(shape.keys, body.keys, body.size * sizeof(u64)) == 0
    ):
        return shape
    row = [body.type]
    for i in range(body.size):
        row.append(body.keys[i])
    form = _forms.get(tuple(row))
    if form is None:
        return None
    shape = Shape(form, row)
    shape.type, shape.size = body.type, body.size
    memcpy(shape.keys, body.keys, body.size * sizeof(u64))
    _shapes[place] = shape
    return shape
