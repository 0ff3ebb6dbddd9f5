# cython: language_level=3, wraparound=False
"""Compiled twin of the loops of ``packed_rows`` (optional): rows by serial number in their groups.

``tests/properties/test_page_kernels.py`` holds both equal.
"""

from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE

VERSION = 3
"""Raised with every change of what this module does; its Python twin asks for just this one."""

DEF SHIFT = 6
DEF ROWS = 64


def read(dict groups not None, serials, load):
    """As ``packed_rows.read_rows``."""
    cdef list bodies = [], slots
    cdef unsigned long long serial
    for number in serials:
        if number is None:
            bodies.append(None)
            continue
        serial = number
        slots = groups.get(serial >> SHIFT)
        if slots is None:
            slots = load(serial >> SHIFT)
        if PyList_GET_SIZE(slots) != ROWS:
            raise IndexError("a group has 64 slots")
        bodies.append(<object>PyList_GET_ITEM(slots, <Py_ssize_t>(serial & ROWS - 1)))
    return bodies


def count(list serials not None):
    """As ``packed_rows.count_rows``."""
    cdef dict counts = {}
    cdef unsigned long long group, last = 0
    cdef Py_ssize_t of_last = 0
    for number in serials:
        if number is None:
            continue
        group = <unsigned long long>number >> SHIFT
        if group != last and of_last:
            counts[last] = counts.get(last, 0) + of_last
            of_last = 0
        last = group
        of_last += 1
    if of_last:
        counts[last] = counts.get(last, 0) + of_last
    return counts


def write(dict groups not None, dict unplaced not None, dict rows not None, load):
    """As ``packed_rows.write_rows``."""
    cdef list slots, elsewhere = []
    cdef dict changed
    cdef unsigned long long serial
    cdef object group, slot
    for number, body in rows.items():
        serial = number
        group, slot = serial >> SHIFT, serial & ROWS - 1
        slots = groups.get(group)
        if slots is None:
            slots = load(group)
        if slots[slot] is True:
            elsewhere.append(number)
            continue
        slots[slot] = body
        changed = unplaced.get(group)
        if changed is None:
            changed = unplaced[group] = {}
        changed[slot] = body
    return elsewhere
