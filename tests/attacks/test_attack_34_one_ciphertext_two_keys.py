"""Attack 34: one ciphertext under two keys.

AES-GCM-SIV does not commit to its key: whoever knows two keys makes one ciphertext, with one nonce
and one tag, that opens under both to different words (RFC 8452 POLYVAL is linear). Shown here
against the bare cipher; then refused by the crypto floor, because a key is accepted for a statement
only if it is the one committed to, and the whole commitment stands in the associated data
(change.md, Sealing a segment; keys.md).
"""

from __future__ import annotations

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from casesync.crypto.aead import prepare, siv_open
from casesync.crypto.key_schedule import H
from casesync.crypto.key_wrap import (
    StatementId,
    UnitKeyId,
    box_cipher,
    box_context,
    check_commitment,
    open_box_symmetric,
)
from casesync.crypto.sealing import open_segment, segment_keys, segment_nonce
from casesync.foundation.errors import CryptoError

STATEMENT = StatementId(b"n" * 32, b"s" * 16, 2, 5, 9, 1)
KEYS = (b"1" * 32, b"2" * 32)
LINK, HEAD = b"l" * 32, b"head" * 20
HEAD_HASH = sha256(HEAD).digest()
SEALING = [segment_keys(key, STATEMENT.context())[0] for key in KEYS]
COMMITMENTS = [segment_keys(key, STATEMENT.context())[1] for key in KEYS]
NONCE = segment_nonce(LINK, HEAD, 0)

# -- GF(2^128) as POLYVAL counts it: little-endian, x^128 = x^127 + x^126 + x^121 + 1 --------------
_REDUCTION = 1 << 127 | 1 << 126 | 1 << 121 | 1


def _times(one, other):
    product = 0
    while other:
        if other & 1:
            product ^= one
        other >>= 1
        one = one << 1 ^ (_REDUCTION | 1 << 128 if one >> 127 else 0)
    return product


def _power(base, exponent):
    result = 1
    while exponent:
        if exponent & 1:
            result = _times(result, base)
        base, exponent = _times(base, base), exponent >> 1
    return result


def _inverse(element):
    return _power(element, 2**128 - 2)


def _aes(key, block, *, decrypt=False):
    cipher = Cipher(algorithms.AES(key), modes.ECB())
    context = cipher.decryptor() if decrypt else cipher.encryptor()
    return context.update(block)


def _number(block):
    return int.from_bytes(block, "little")


class _OneKey:
    """What RFC 8452 derives from a key and a nonce, and the linear equation it gives for a tag."""

    def __init__(self, key, aad):
        parts = [_aes(key, i.to_bytes(4, "little") + NONCE)[:8] for i in range(6)]
        self.encryption = b"".join(parts[2:])
        x_to_minus_128 = _inverse(_power(2, 128))
        self.h = _times(_number(b"".join(parts[:2])), x_to_minus_128)
        self.aad = aad

    def keystream(self, tag, blocks):
        start = bytearray(tag)
        start[15] |= 0x80
        counter = _number(start[:4])
        return [
            _number(
                _aes(
                    self.encryption,
                    ((counter + i) % 2**32).to_bytes(4, "little") + bytes(start[4:]),
                )
            )
            for i in range(blocks)
        ]

    def equation(self, tag, first_block, blocks):
        """(a, b, c) with a * C[1] + b * C[2] = c, or None if no message has this tag."""
        before = bytearray(_aes(self.encryption, tag, decrypt=True))
        if before[15] & 0x80:
            return None
        for i in range(12):
            before[i] ^= NONCE[i]
        aad = self.aad + bytes(-len(self.aad) % 16)
        lengths = (8 * len(self.aad)).to_bytes(8, "little") + (128 * blocks).to_bytes(8, "little")
        stream = self.keystream(tag, blocks)
        known = [_number(aad[i : i + 16]) for i in range(0, len(aad), 16)]
        known += [first_block ^ stream[0], stream[1], stream[2], _number(lengths)]
        total = 0
        for block in known:
            total = _times(total ^ block, self.h)
        return _power(self.h, 3), _power(self.h, 2), total ^ _number(before)


def _salamander(aads):
    """48 bytes of ciphertext and a tag that both sealing keys accept, each with its own data."""
    first_block = _number(b"any sixteen byte")
    keys = [_OneKey(key, aad) for key, aad in zip(SEALING, aads, strict=True)]
    for attempt in range(200):
        tag = sha256(attempt.to_bytes(4, "big")).digest()[:16]
        equations = [key.equation(tag, first_block, 3) for key in keys]
        if None in equations:
            continue
        (a, b, c), (d, e, f) = equations
        inverse = _inverse(_times(a, e) ^ _times(b, d))
        second = _times(_times(c, e) ^ _times(b, f), inverse)
        third = _times(_times(a, f) ^ _times(c, d), inverse)
        blocks = (first_block, second, third)
        return b"".join(block.to_bytes(16, "little") for block in blocks) + tag
    raise AssertionError("no tag fits both keys")


def _aad(commitment):
    return HEAD_HASH + b"\x00" + commitment


@pytest.fixture(scope="module")
def salamander():
    """Made for the first statement: both keys accept it with the same associated data."""
    return _salamander([_aad(COMMITMENTS[0])] * 2)


def test_the_bare_cipher_opens_one_ciphertext_under_two_keys(salamander):
    opened = [siv_open(prepare(key), NONCE, _aad(COMMITMENTS[0]), salamander) for key in SEALING]
    assert opened[0] != opened[1]


def test_the_second_key_is_refused_for_the_statement(salamander):
    """No reader gets as far as opening: the key must be the one the statement commits to."""
    check_commitment(KEYS[0], STATEMENT, COMMITMENTS[0])
    with pytest.raises(CryptoError):
        check_commitment(KEYS[1], STATEMENT, COMMITMENTS[0])
    unit_key, seed = UnitKeyId(b"u" * 16, 2, 1), b"3" * 32
    cipher = box_cipher(seed, STATEMENT.network, unit_key)
    context = box_context(STATEMENT, unit_key, COMMITMENTS[0])
    forged_box = cipher.encrypt(H("box-nonce", context)[:12], KEYS[1], context)
    with pytest.raises(CryptoError):
        open_box_symmetric(cipher, STATEMENT, unit_key, COMMITMENTS[0], forged_box)


def test_under_its_own_commitment_the_second_key_does_not_open_it(salamander):
    with pytest.raises(CryptoError):
        open_segment(prepare(SEALING[1]), LINK, HEAD, HEAD_HASH, 0, COMMITMENTS[1], salamander)


def test_where_both_keys_have_a_statement_the_name_in_the_header_decides():
    """Made for two statements it opens for both, so two statements of a stream must never share a
    name: of two that do, the later is refused (keys.md).
    """
    both = _salamander([_aad(commitment) for commitment in COMMITMENTS])
    opened = [
        siv_open(prepare(key), NONCE, _aad(commitment), both)
        for key, commitment in zip(SEALING, COMMITMENTS, strict=True)
    ]
    assert opened[0] != opened[1]
    assert COMMITMENTS[0][:8] != COMMITMENTS[1][:8]
    for key, commitment in zip(SEALING, reversed(COMMITMENTS), strict=True):
        with pytest.raises(CryptoError):
            open_segment(prepare(key), LINK, HEAD, HEAD_HASH, 0, commitment, both)
