"""Chain, leaf and stream id (protocol/change.md, *Chain and signature*)."""

from __future__ import annotations

from hashlib import sha256

from casesync.translog import chain


def test_a_link_binds_the_previous_link_and_the_header():
    expected = sha256(b"casesync/v1/link\x00" + b"p" * 32 + sha256(b"header").digest()).digest()
    assert chain.link(b"p" * 32, b"header") == expected
    assert chain.bridge(b"p" * 32, chain.header_hash(b"header")) == expected
    assert chain.link(b"q" * 32, b"header") != expected
    assert chain.link(b"p" * 32, b"headed") != expected


def test_leaves_begin_with_the_log_time():
    assert chain.change_leaf(1, b"p" * 32, b"h", b"s" * 64) == (
        b"\x00\x00\x00\x00\x00\x01" + b"p" * 32 + b"h" + b"s" * 64
    )
    assert chain.control_leaf(258, b"entry") == b"\x00\x00\x00\x00\x01\x02entry"
