# cython: language_level=3, wraparound=False
"""Compiled twin of ``listing_entry._joined_words``: the words of many texts (optional).

What stands between spaces is looked up by its bytes; what it folds to is asked of Python once.
``tests/properties/test_list_kernels.py`` holds the two equal.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_AsUTF8AndSize

VERSION = 1
"""Raised with every change of what this module does; its Python twin asks for just this one."""

ctypedef unsigned char u8

cdef Py_ssize_t BYTES_MAX = 48
"""Longer pieces are not remembered."""


cdef class Piece:
    """The words of one piece, and for which case they were taken last."""

    cdef object folded
    cdef object exact
    cdef unsigned long long case


cdef class IndexWords:
    """Finds words case by case; remembers pieces, for one thread."""

    cdef dict _known
    cdef object _learn
    cdef Py_ssize_t _pieces_max
    cdef unsigned long long _case

    def __init__(self, learn, Py_ssize_t pieces_max):
        """Args: learn: gives the words of a piece, folded and exact text first; pieces_max: how
        many are remembered."""
        self._known = {}
        self._learn = learn
        self._pieces_max = pieces_max

    def joined(self, texts):
        """As ``listing_entry._joined_words``."""
        cdef list folded = [], exact = []
        self._case += 1
        for text in texts:
            self._take(text, folded, exact)
        return " ".join(set(folded)), " ".join(set(exact))

    cdef int _take(self, str text, list folded, list exact) except -1:
        cdef Py_ssize_t size
        cdef const u8* at
        cdef const u8* end
        cdef const u8* start
        cdef Piece piece
        cdef bytes packed
        try:
            at = <const u8*>PyUnicode_AsUTF8AndSize(text, &size)
        except UnicodeEncodeError:
            packed = text.encode("utf-8", "surrogatepass")
            at, size = <const u8*>PyBytes_AS_STRING(packed), PyBytes_GET_SIZE(packed)
        end = at + size
        while at < end:
            if _is_space(at[0]):
                at += 1
                continue
            start = at
            while at < end and not _is_space(at[0]):
                at += 1
            piece = self._piece(PyBytes_FromStringAndSize(<const char*>start, at - start))
            if piece.case != self._case:
                piece.case = self._case
                folded.append(piece.folded)
                if piece.exact:
                    exact.append(piece.exact)
        return 0

    cdef Piece _piece(self, bytes packed):
        cdef Piece piece = self._known.get(packed)
        if piece is None:
            piece = Piece.__new__(Piece)
            piece.folded, piece.exact = self._learn(packed.decode("utf-8", "surrogatepass"))[:2]
            if len(packed) <= BYTES_MAX:
                if len(self._known) >= self._pieces_max:
                    self._known.clear()
                self._known[packed] = piece
        return piece


cdef inline bint _is_space(u8 byte) noexcept:
    """As ``str.split`` has it, within ASCII; what is beyond, folding takes apart."""
    return byte <= 0x20 and (byte == 0x20 or 0x09 <= byte <= 0x0D or byte >= 0x1C)
