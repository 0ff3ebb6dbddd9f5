# cython: language_level=3, wraparound=False
"""Compiled twin of ``listing_entry._joined_words`` and ``_joined_tokens`` (optional).

What stands between spaces is looked up by its bytes; what it folds to is asked of Python once.
``tests/properties/test_list_kernels.py`` holds the two equal.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.string cimport memcpy

from casesync.merkle._hashes cimport digest, u8

VERSION = 2
"""Raised with every change of what this module does; its Python twin asks for just this one."""

cdef Py_ssize_t BYTES_MAX = 48
"""Longer pieces are not remembered."""
cdef const char* _digits = b"0123456789abcdef"
DEF TOKEN_BYTES = 10
DEF TEXT_MAX = 512  # longer values are left to Python


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


cdef object _token(str name, object value, token):
    """As ``listing_entry.token``."""
    cdef u8 text[TEXT_MAX]
    cdef u8 made[32]
    cdef char shown[2 * TOKEN_BYTES]
    cdef Py_ssize_t front, size
    cdef const char* at
    cdef int i
    if type(value) is not str:
        return token(name, value)
    try:
        at = PyUnicode_AsUTF8AndSize(name, &front)
        if front > TEXT_MAX // 2:
            return token(name, value)
        memcpy(text, at, front)
        at = PyUnicode_AsUTF8AndSize(value, &size)
    except UnicodeEncodeError:
        return token(name, value)
    if front + 5 + size > TEXT_MAX:
        return token(name, value)
    memcpy(text + front, <const char*>b"\0str\0", 5)
    memcpy(text + front + 5, at, size)
    digest(text, front + 5 + size, made)
    for i in range(TOKEN_BYTES):
        shown[2 * i], shown[2 * i + 1] = _digits[made[i] >> 4], _digits[made[i] & 15]
    return shown[: 2 * TOKEN_BYTES].decode("ascii")


def joined_tokens(dict fields not None, tuple scalars not None, token not None):
    """As ``listing_entry._joined_tokens``.

    Args: scalars: types of values that have a token; token: makes one.
    """
    cdef set found = set()
    for name, value in fields.items():
        if isinstance(value, scalars):
            found.add(_token(name, value, token))
        elif isinstance(value, (list, tuple, dict)):
            for item in value:
                if isinstance(item, scalars):
                    found.add(_token(name, item, token))
    return " ".join(found)
