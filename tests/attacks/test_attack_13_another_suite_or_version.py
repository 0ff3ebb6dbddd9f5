"""Attack 13: an older, unknown or negotiated suite or format version.

There is one suite and nothing chooses it: what names another is refused by the parser, before any
key is touched (keys.md, Suite 1; change.md, Header; membership.md, Entry).
"""

from __future__ import annotations

import inspect
from hashlib import sha256

import pytest

from casesync.client.home import Home
from casesync.client.system_ports import SystemEntropy
from casesync.client.vault import create_vault, open_vault
from casesync.codec.canonical import pack, unpack
from casesync.crypto import aead, enrolment, key_wrap, passphrase, sealing, signatures
from casesync.foundation.errors import LocalStateError, RemoteProtocolError
from casesync.translog.control_acts import EmptyPublic, encode_public
from casesync.translog.control_entry import Act, complete_entry, entry_prefix, parse_entry
from casesync.translog.header import encode_head, encode_header, parse_header

OTHER_SUITES = [0, 2, 3, 255]


@pytest.mark.parametrize("suite", OTHER_SUITES)
def test_a_change_of_another_suite_is_refused(suite):
    body = b"unsealed"
    head = encode_head(
        device=1,
        number=1,
        stream=b"s" * 16,
        previous_here=0,
        after=(),
        control_size=1,
        random8=b"r" * 8,
    )
    header = encode_header(head, [(0, bytes(8), len(body), sha256(body).digest())])
    assert parse_header(header).suite == 1
    with pytest.raises(RemoteProtocolError):
        parse_header(bytes([suite]) + header[1:])


@pytest.mark.parametrize("suite", OTHER_SUITES)
def test_a_control_entry_of_another_suite_is_refused(suite):
    prefix = entry_prefix(
        network=b"n" * 32,
        index=1,
        previous=b"p" * 32,
        signer=1,
        change_size=1,
        change_root=b"r" * 32,
        act=Act.CHARTER,
        public=encode_public(EmptyPublic()),
    )
    entry = complete_entry(prefix, bytes(8 + 64), lambda message: bytes(3373))
    assert parse_entry(entry).act == Act.CHARTER
    with pytest.raises(RemoteProtocolError):
        parse_entry(bytes([suite]) + entry[1:])


@pytest.mark.parametrize(("version", "code"), [(2, "vault-newer"), (0, "vault-damaged")])
def test_a_vault_of_another_version_is_not_opened(tmp_path, version, code):
    create_vault(tmp_path, "correct horse battery", SystemEntropy())
    vault = Home(tmp_path).vault
    vault.write_bytes(pack([version, *unpack(vault.read_bytes())[1:]]))
    with pytest.raises(LocalStateError) as raised:
        open_vault(tmp_path, "correct horse battery")
    assert raised.value.code == code


def test_no_function_of_the_crypto_floor_lets_a_caller_choose_an_algorithm():
    named = {"suite", "algorithm", "cipher_name", "hash_name", "kem", "version", "curve"}
    functions = [
        function
        for module in (aead, enrolment, key_wrap, passphrase, sealing, signatures)
        for _, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
    ]
    assert len(functions) > 40
    for function in functions:
        assert not named & set(inspect.signature(function).parameters), function
