"""Case codes and short codes (protocol/record-model.md, *Case code*, *Conflict id*)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.codec import crockford
from casesync.codec.crockford import case_code, parse_case_code, parse_short_code, short_code
from casesync.foundation.errors import UsageError

records = st.binary(min_size=16, max_size=16)


def test_code_is_the_first_55_bits_and_a_check_character():
    record = bytes.fromhex("0123456789abcdef0123456789abcdef")
    bits = bin(int.from_bytes(record, "big"))[2:].zfill(128)[:55]
    data = "".join(crockford.ALPHABET[int(bits[i : i + 5], 2)] for i in range(0, 55, 5))
    assert case_code(record) == f"{data[:4]}-{data[4:8]}-{data[8:]}{crockford.check_char(data)}"
    assert case_code(record) == "04HM-ASW9-NF6G"


def test_check_character_is_luhn_mod_32():
    # By hand: 1 doubled is 2 (from the right), 31 stays, 31 doubled is 62 = 1*32 + 30 -> 31.
    assert crockford.check_char("1") == "Y"
    assert crockford.check_char("ZZ1") == crockford.ALPHABET[-(2 + 31 + 31) % 32]


@given(records)
def test_a_whole_code_is_read_back(record):
    prefix = parse_case_code(case_code(record))
    assert prefix.whole
    assert prefix.matches(record)
    assert prefix.first_record <= record <= prefix.last_record


@given(records, st.integers(3, 11))
def test_a_prefix_matches_its_record_and_shows_as_the_code_starts(record, length):
    code = case_code(record)
    prefix = parse_case_code(code.replace("-", "")[:length])
    assert not prefix.whole
    assert prefix.matches(record)
    assert code.startswith(prefix.shown)


@given(records, records)
def test_a_prefix_matches_exactly_the_codes_that_start_with_it(record, other):
    prefix = parse_case_code(case_code(record)[:4])
    assert prefix.matches(other) == case_code(other).startswith(prefix.shown)


@given(records, st.integers(0, 11), st.sampled_from(crockford.ALPHABET))
def test_one_wrong_character_in_a_whole_code_is_noticed(record, position, char):
    code = case_code(record).replace("-", "")
    typed = code[:position] + char + code[position + 1 :]
    if typed == code:
        assert parse_case_code(typed).whole
        return
    with pytest.raises(UsageError) as caught:
        parse_case_code(typed)
    assert caught.value.code == "case-code-mistyped"


@given(records, st.integers(0, 9))
def test_swapped_neighbours_are_noticed_but_for_0_and_z(record, position):
    code = case_code(record).replace("-", "")
    pair = code[position : position + 2]
    typed = code[:position] + pair[::-1] + code[position + 2 :]
    if typed == code or set(pair) == {"0", "Z"}:
        return
    with pytest.raises(UsageError):
        parse_case_code(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "04hm-asw9-nf6g",
        "O4HMASW9NF6G",
        " 04HM ASW9 NF6G ",
        "04HM–ASW9—NF6G",
        "０４ＨＭ-ＡＳＷ９-ＮＦ６Ｇ",
    ],
)
def test_what_people_type_is_read_leniently(typed):
    assert parse_case_code(typed) == parse_case_code("04HM-ASW9-NF6G")


def test_i_and_l_are_read_as_one():
    assert parse_case_code("iL1").chars == "111"


@pytest.mark.parametrize(
    "typed",
    ["", "0", "04", "--", "04H!", "U23", "04HM-ASW9-NF6GT", "đường", "0" * 10_000, "\x1b[2J"],
)
def test_what_cannot_be_a_code_is_refused(typed):
    with pytest.raises(UsageError) as caught:
        parse_case_code(typed)
    assert caught.value.code == "case-code-mistyped"


def test_short_codes_take_the_first_bits():
    data = bytes([0xFF, 0, 0, 0, 0x1F])
    assert short_code(data, 40) == "ZW00000Z"
    assert short_code(data, 30) == "ZW0000"
    assert parse_short_code("zwoo-000z", 8) == "ZW00000Z"
    assert parse_short_code("zwoo-000z", 6) is None
    assert parse_short_code("zw!", 3) is None


@pytest.mark.parametrize("bits", [0, -5, 7, 45])
def test_short_codes_of_impossible_length_are_our_own_error(bits):
    with pytest.raises(ValueError):
        short_code(b"12345", bits)


def test_a_code_is_made_of_16_bytes_only():
    with pytest.raises(ValueError):
        case_code(b"short")
