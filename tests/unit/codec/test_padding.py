"""Padding (protocol/conventions.md, *Padding*)."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.codec.padding import is_allowed_length, pad, padded_length, unpad
from casesync.foundation.errors import RemoteProtocolError


@given(st.binary(max_size=3000), st.sampled_from([16, 1136]))
def test_a_padded_body_comes_back_and_has_an_allowed_ciphertext_length(body, overhead):
    padded = pad(body, overhead)
    assert is_allowed_length(len(padded) + overhead)
    assert unpad(padded) == body


@given(st.integers(1, 2**20))
def test_the_padded_length_is_the_smallest_allowed_one(length):
    padded = padded_length(length)
    assert padded >= length
    assert is_allowed_length(padded)
    assert not any(is_allowed_length(n) for n in range(length, padded))


@given(st.integers(513, 2**30))
def test_a_long_ciphertext_leaks_few_bits_of_its_length(length):
    """At most floor(log2(log2 n)) + 1 bits after the leading one; at most 12 % are added."""
    padded = padded_length(length)
    after_leading = padded.bit_length() - (padded & -padded).bit_length()
    assert after_leading <= math.floor(math.log2(math.log2(padded))) + 1
    assert padded <= length * 1.12


def test_only_the_listed_lengths_are_allowed_up_to_512():
    allowed = [n for n in range(513) if is_allowed_length(n)]
    assert allowed == [64, 128, 192, 256, 384, 512]


@pytest.mark.parametrize("padded", [b"", bytes(48), b"body", b"body\x81" + bytes(10)])
def test_a_plaintext_without_its_mark_is_refused(padded):
    with pytest.raises(RemoteProtocolError):
        unpad(padded)
