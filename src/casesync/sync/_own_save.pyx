# cython: language_level=3, wraparound=False
"""Compiled twin of ``own_save``: sealing and noting of plain saves (optional).

It takes what is common and changes nothing before it is sure; of everything else it says so, and
the Python twin does it. The seal is made by the cipher that it is given, hashes by OpenSSL.
``tests/properties/test_save_kernels.py`` holds the two equal.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from libc.string cimport memcmp, memcpy, memset

from casesync.merkle._hashes cimport digest
from casesync.access.stream_facts import END_OF_LOG
from casesync.access.verdicts import COUNTS
from casesync.crypto.key_schedule import label
from casesync.foundation.limits import PADDING_CLASSES
from casesync.model.cells import Form
from casesync.model.state_row import TABLE_MAX
from casesync.translog.chain import LINK_LABEL
from casesync.translog.header import SUITE

VERSION = 2
"""Raised with every change of what this module does; its Python twin asks for just this one."""

DEF CLASSES = 6
DEF LABEL_MAX = 64
DEF LARGEST = 512
cdef Py_ssize_t TAG = 16
cdef u64 U48 = (<u64>1 << 48) - 1
cdef u64 U32 = (<u64>1 << 32) - 1
cdef bytes _nonce_label = label("nonce")
cdef bytes _link_label = LINK_LABEL
cdef Py_ssize_t[CLASSES] _classes = PADDING_CLASSES
cdef object _form = Form
cdef object _counts = COUNTS
cdef object _end_of_log = END_OF_LOG
cdef u8 _suite = SUITE
cdef Py_ssize_t _table_max = TABLE_MAX
assert max(len(_nonce_label), len(_link_label)) <= LABEL_MAX


cdef inline void _put(u8* at, u64 value, int width) noexcept:
    cdef int i
    for i in range(width):
        at[i] = <u8>(value >> (8 * (width - 1 - i)))


cdef inline bint _is_bytes(object value, Py_ssize_t size) noexcept:
    return type(value) is bytes and PyBytes_GET_SIZE(value) == size


cdef inline const u8* _data(object value) noexcept:
    return <const u8*>PyBytes_AS_STRING(value)


cdef inline bytes _made(const u8* data, Py_ssize_t size):
    return PyBytes_FromStringAndSize(<const char*>data, size)


cdef Py_ssize_t put_head(
    u8* head,
    u64 device,
    u64 number,
    const u8* stream,
    u64 previous,
    const After* after,
    Py_ssize_t count,
    u64 control,
    const u8* random8,
) noexcept:
    """The head's bytes, at most ``HEAD_MAX``; their number, 0 for what is uncommon."""
    cdef Py_ssize_t at = 36, i
    cdef u64 last = 0
    if count > AFTER_COMMON or not 0 < device <= U32 or number > U48:
        return 0
    if previous >= number or control > U48:
        return 0
    head[0] = _suite
    _put(head + 1, 0, 2)
    _put(head + 3, device, 4)
    _put(head + 7, number, 6)
    memcpy(head + 13, stream, 16)
    _put(head + 29, previous, 6)
    head[35] = <u8>count
    for i in range(count):
        if not last < after[i].device <= U32 or after[i].device == device:
            return 0
        if not 0 < after[i].number <= U48:
            return 0
        last = after[i].device
        _put(head + at, after[i].device, 4)
        _put(head + at + 4, after[i].number, 6)
        memcpy(head + at + 10, after[i].link8, 8)
        at += 18
    _put(head + at, control, 6)
    memcpy(head + at + 6, random8, 8)
    _put(head + at + 14, 0, 6)
    return at + 20


cdef Py_ssize_t _head(u8* head, object place, list after) except -1:
    """As ``put_head``, of what Python has."""
    cdef After named[AFTER_COMMON]
    cdef Py_ssize_t count = PyList_GET_SIZE(after), at
    if (
        count > AFTER_COMMON
        or not _is_bytes(place[2], 16)
        or not _is_bytes(place[5], 8)
        or not _is_bytes(place[6], LINK)
    ):
        return 0
    for at in range(count):
        device, number, link8 = <object>PyList_GET_ITEM(after, at)
        if not _is_bytes(link8, 8):
            return 0
        named[at].device, named[at].number, named[at].link8 = device, number, _data(link8)
    return put_head(
        head, place[0], place[1], _data(place[2]), place[3], named, count, place[4], _data(place[5])
    )


cdef bytes padded(const u8* body, Py_ssize_t size):
    """The plaintext of a body that fits into the largest class, else None."""
    cdef Py_ssize_t i
    cdef u8 plain[LARGEST]
    for i in range(CLASSES):
        if size + 1 + TAG <= _classes[i]:
            memcpy(plain, body, size)
            plain[size] = 0x80
            memset(plain + size + 1, 0, _classes[i] - TAG - size - 1)
            return _made(plain, _classes[i] - TAG)
    return None


cdef int _sealing(
    const u8* head, Py_ssize_t size, const u8* previous, const u8* commitment, u8* nonce, u8* aad
) except -1:
    """The 12 bytes of the nonce (in a buffer of 32) and the 65 of the associated data."""
    cdef u8 hashed[LABEL_MAX + LINK + HEAD_MAX + 1]
    cdef Py_ssize_t at = PyBytes_GET_SIZE(_nonce_label)
    memcpy(hashed, _data(_nonce_label), at)
    memcpy(hashed + at, previous, LINK)
    memcpy(hashed + at + LINK, head, size)
    hashed[at + LINK + size] = 0
    digest(hashed, at + LINK + size + 1, nonce)
    digest(head, size, aad)
    aad[LINK] = 0
    memcpy(aad + LINK + 1, commitment, LINK)
    return 0


cdef int _link(const u8* previous, const u8* header, Py_ssize_t size, u8* out) except -1:
    cdef u8 hashed[LABEL_MAX + 2 * LINK]
    cdef Py_ssize_t at = PyBytes_GET_SIZE(_link_label)
    memcpy(hashed, _data(_link_label), at)
    memcpy(hashed + at, previous, LINK)
    digest(header, size, hashed + at + LINK)
    digest(hashed, at + 2 * LINK, out)
    return 0


cdef bytes seal(
    u8* header,
    Py_ssize_t size,
    const u8* previous,
    object cipher,
    const u8* commitment,
    u8 compartment,
    bytes plain,
    u8* link,
):
    """The segment of a change that has no other.

    ``header`` holds a head of ``size`` bytes, and gets the ``TABLE`` of its segments behind it;
    ``link`` gets the change's.
    """
    cdef u8 nonce[LINK]
    cdef u8 aad[2 * LINK + 1]
    cdef bytes segment
    _sealing(header, size, previous, commitment, nonce, aad)
    segment = cipher.encrypt(_made(nonce, 12), plain, _made(aad, 2 * LINK + 1))
    header[size] = 1
    header[size + 1] = compartment
    memcpy(header + size + 2, commitment, 8)
    _put(header + size + 10, PyBytes_GET_SIZE(segment), 4)
    digest(_data(segment), PyBytes_GET_SIZE(segment), header + size + 14)
    _link(previous, header, size + TABLE, link)
    return segment


def sealed_save(place, after, key, body):
    """As ``own_save.sealed_save``, as a plain tuple; None for what is uncommon."""
    cdef u8 header[HEAD_MAX + TABLE]
    cdef u8 link[LINK]
    cdef Py_ssize_t size
    commitment, compartment = key[1], key[4]
    if (
        type(after) is not list
        or type(body) is not bytes
        or type(compartment) is not int
        or not _is_bytes(commitment, LINK)
    ):
        return None
    size = _head(header, place, after)
    plain = padded(_data(body), PyBytes_GET_SIZE(body))
    if not size or plain is None or not 0 < compartment < 16:
        return None
    segment = seal(
        header, size, _data(place[6]), key[0], _data(commitment), compartment, plain, link
    )
    return _made(header, size + TABLE), _made(link, LINK), segment


# -- the stream's row ---------------------------------------------------------------------------

cdef Py_ssize_t _record_at(list table, bytes record) noexcept:
    """Where a record stands; the table's length if it can be added, -1 if that is full."""
    cdef Py_ssize_t at
    for at in range(PyList_GET_SIZE(table)):
        held = <object>PyList_GET_ITEM(table, at)
        if _is_bytes(held, 16) and memcmp(_data(held), _data(record), 16) == 0:
            return at
    return -1 if PyList_GET_SIZE(table) >= _table_max else PyList_GET_SIZE(table)


cdef Py_ssize_t _form_at(list table, list shape) except -2:
    """As ``_record_at``, of a form's row."""
    cdef Py_ssize_t at
    for at in range(PyList_GET_SIZE(table)):
        if <object>PyList_GET_ITEM(table, at) == shape:
            return at
    return -1 if PyList_GET_SIZE(table) >= _table_max else PyList_GET_SIZE(table)


cdef list _slot_of(list keys, list slots, object key):
    cdef Py_ssize_t at
    for at in range(PyList_GET_SIZE(keys)):
        if <object>PyList_GET_ITEM(keys, at) == key:
            return <list?>PyList_GET_ITEM(slots, at)
    return None


cdef list _replaced(list merge, object compartment, list replaces, object record, object form):
    """(live, number, reference, mask) of each entry; None unless all are live and common."""
    cdef list found = []
    for device, number, link8, mask in replaces:
        slot = _slot_of(merge[0], merge[1], device << 4 | compartment)
        reference = None if slot is None else slot[1].get(number)
        if (
            reference is None
            or reference[3] != record
            or reference[0] != link8
            or type(reference[2]) is not int
            or type(reference[4]) is not int
        ):
            return None
        shape = <list?>(<list>merge[3])[reference[4]]
        if shape != form.row:  # of the bits it names, those of cells that are written
            mask &= form.mask_of(shape)
        found.append((slot[1], number, reference, mask))
    return found


def note_save(
    list row not None, device, number, bytes link not None, location, dict decoded not None, after
):
    """As ``own_save.note_save``; False, and nothing changed, for what is uncommon."""
    cdef list merge = row[1], slot, replaced, keys, newest
    cdef Py_ssize_t record_at, form_at
    if not merge or len(decoded) != 1 or merge[4]:
        return False
    [(compartment, content)] = decoded.items()
    form, replaces = content[4], content[2]
    if type(form) is not _form or type(replaces) is not list:
        return False
    record = content[3][0][0]
    if not _is_bytes(record, 16):
        return False
    record_at = _record_at(merge[2], record)
    form_at = _form_at(merge[3], form.row)
    if record_at < 0 or form_at < 0:
        return False
    keys = merge[0]
    slot = _slot_of(keys, merge[1], device << 4 | compartment)
    if slot is not None:
        numbers = slot[0]
        if slot[2] is not None or not numbers or numbers[len(numbers) - 1] >= number:
            return False
    replaced = _replaced(merge, compartment, replaces, record_at, form)
    held = (<dict?>row[4]).get(device)
    if replaced is None or (held is not None and held[0] >= number):
        return False
    link8 = link[:8]
    if record_at == PyList_GET_SIZE(merge[2]):
        (<list>merge[2]).append(record)
    if form_at == PyList_GET_SIZE(merge[3]):
        (<list>merge[3]).append(form.row)
    if slot is None:
        slot = [[], {}, None]
        keys.append(device << 4 | compartment)
        (<list>merge[1]).append(slot)
    slot[0].append(number)
    slot[1][number] = [link8, location, form.full, record_at, form_at]
    for live, old, reference, mask in replaced:
        reference[2] &= ~mask
        if not reference[2]:
            live.pop(old, None)
    (<dict>row[4])[device] = [number, link8]
    (<list>row[0]).extend((_end_of_log + number, device, number, location, _counts, 0))
    row[6] = number
    for seen, seen_number, _ in after:
        (<dict>row[5])[seen] = seen_number
    return True
