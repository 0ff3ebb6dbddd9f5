# cython: language_level=3, wraparound=False
"""Compiled twin of ``listed.ListedRecords.take``: what lists take of an opened segment (optional).

It takes a segment of one group, as nearly all are, and changes nothing before it is sure; what is
uncommon it leaves to Python. A text of a plain field is looked at here, any other value by its
bytes, which name what was found out about it before. ``tests/properties/test_list_kernels.py``
holds the two equal.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8

from casesync.codec._msgpack cimport Reader, array, binary, has, text, unsigned, value

from unicodedata import is_normalized

from casesync.model.listed_values import DISPUTED, Gathered

VERSION = 1
"""Raised with every change of what this module does; its Python twin asks for just this one."""

ctypedef unsigned char u8
ctypedef unsigned long long u64

cdef int CELLS_MAX = 64
cdef Py_ssize_t RECORD = 16
cdef object _gathered = Gathered
cdef object _disputed = DISPUTED


def take(bytes body not None, mask, dict found not None, listed not None):
    """As ``listed.ListedRecords.take``; False, and nothing changed, if anything is uncommon."""
    cdef Reader r
    cdef Py_ssize_t i, scalars, items, elements = 0
    cdef u64 clock, kind, live
    cdef list names = [], values = [], texts = [], members = []
    cdef dict steps = listed.steps
    cdef bint is_simple = True
    r.at = <const u8*>PyBytes_AS_STRING(body)
    r.end = r.at + PyBytes_GET_SIZE(body)
    r.bad = False
    if array(&r) != 4:
        return False
    clock = unsigned(&r)
    unsigned(&r)  # the schema's version
    for i in range(array(&r)):  # what it replaces
        value(&r)
    if array(&r) != 1:
        return False
    items = array(&r)
    record = _bytes(&r, RECORD)
    kind = unsigned(&r)
    scalars = array(&r)
    if r.bad or not 3 <= items <= 4 or scalars & 1 or scalars > 2 * CELLS_MAX or kind > 0xFFFF:
        return False
    scalars //= 2
    try:
        live = mask
    except OverflowError:
        return False
    for i in range(scalars):
        step = _step(listed, steps, kind, unsigned(&r))
        known = _known(&r, step)
        if r.bad or known is None:
            return False
        if live >> <u64>i & 1:
            names.append((<tuple>step)[0])
            values.append((<tuple>known)[0])
            texts.extend(<tuple>(<tuple>known)[1])
            is_simple = is_simple and (<tuple>known)[0] is not _disputed
    if items == 4:
        elements = array(&r)
    if r.bad or scalars + elements > CELLS_MAX:
        return False
    for i in range(scalars, scalars + elements):
        if array(&r) != 4:
            return False
        step = _step(listed, steps, kind, unsigned(&r))
        element = _element(&r)
        part = unsigned(&r)
        is_in = has(&r, 1) and r.at[0] == 0xC3
        value(&r)
        if r.bad or step is None or not (<tuple>step)[4] or element is None:
            return False
        if live >> <u64>i & 1:
            members.append((step, (element, part) if part else element, not part and is_in))
    if r.at != r.end:
        return False
    if names or members:
        _gather(found, (kind, record), clock, names, values, texts, members, is_simple)
    return True


cdef int _gather(
    dict found, tuple name, u64 clock, list names, list values, list texts, list members,
    bint simple
) except -1:
    """Add what was read to what is known of the record."""
    cdef dict held
    cdef Py_ssize_t size
    one = found.get(name)
    if one is None:
        one = found[name] = _gathered()
    held = one.values
    size = len(held) + len(names)
    held.update(zip(names, values))
    simple = simple and len(held) == size
    for step, member, is_in in members:
        simple = simple and one.put(step, member, is_in)
    # As ``Gathered.note``, without a call for each of the segments of a case.
    if clock > <u64>one.newest_ms:
        one.newest_ms = clock
    if clock < <u64>one.oldest_ms:
        one.oldest_ms = clock
    if texts:
        (<list>one.texts).extend(texts)
    if not simple:
        one.is_simple = False
    return 0


cdef object _step(object listed, dict steps, u64 kind, u64 key):
    """As ``ListedRecords.step``."""
    if key > 0xFFFFF:
        return None
    step = steps.get(kind << 20 | key)
    return listed.step(kind, key) if step is None else step


cdef tuple _known(Reader* r, object step):
    """What the next value gives; None if it is not of a field without elements."""
    cdef tuple known
    cdef const u8* start = r.at
    value(r)
    if r.bad or step is None or (<tuple>step)[4]:
        return None
    known = _plain_text(start, r.at, (<tuple>step)[2])
    if known is None:
        packed = PyBytes_FromStringAndSize(<const char*>start, r.at - start)
        known = (<dict>(<tuple>step)[1]).get(packed)
        if known is None:
            known = (<tuple>step)[3](packed)
    return known


cdef tuple _plain_text(const u8* start, const u8* end, Py_ssize_t chars_max):
    """Of a text that surely fits its field; None if it is none, or has to be looked at again."""
    cdef Reader r
    cdef Py_ssize_t size
    r.at, r.end, r.bad = start, end, False
    size = text(&r)
    if r.bad or not size or not chars_max:
        return None
    plain = _is_plain(r.at, end)
    found = PyUnicode_DecodeUTF8(<const char*>r.at, size, NULL)
    if len(found) > chars_max:
        return None
    if not plain and (
        not found.isprintable() or found.isspace() or not is_normalized("NFC", found)
    ):
        return None
    return found, (found,)


cdef bint _is_plain(const u8* at, const u8* end) noexcept:
    """Whether UTF-8 is seen at once to be printable and NFC: Latin and Vietnamese letters."""
    cdef bint spaces = True
    while at < end:
        if 0x20 <= at[0] < 0x7F:
            spaces = spaces and at[0] == 0x20
            at += 1
            continue
        spaces = False
        if end - at >= 2 and 0xC3 <= at[0] <= 0xCB:  # U+00C0 to U+02FF
            at += 2
        elif end - at >= 3 and at[0] == 0xE1 and (
            (at[1] == 0xBA and at[2] >= 0xA0) or (at[1] == 0xBB and at[2] <= 0xB9)
        ):  # U+1EA0 to U+1EF9
            at += 3
        else:
            return False
    return not spaces


cdef bytes _bytes(Reader* r, Py_ssize_t size):
    """The next bytes, which are as many as this; else None, and the reader is bad."""
    cdef const u8* start
    if binary(r) != size:
        r.bad = True
    if r.bad:
        return None
    start = r.at
    r.at += size
    return PyBytes_FromStringAndSize(<const char*>start, size)


cdef object _element(Reader* r):
    """The name of an element."""
    cdef Py_ssize_t size
    cdef const u8* start
    if not has(r, 1):
        return None
    if r.at[0] == 0xC4:
        return _bytes(r, RECORD)
    size = text(r)
    if r.bad:
        return None
    start = r.at
    r.at += size
    return PyUnicode_DecodeUTF8(<const char*>start, size, NULL)
