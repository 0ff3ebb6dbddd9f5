"""The vectors of headers, chains, checkpoints, spans and control entries (protocol/vectors).

Each is one scenario; where it must fail, the named layer refuses and the layers below accept, so
that an early refusal cannot hide a missing one.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from casesync.codec.canonical import unpack
from casesync.crypto.signatures import verify_change
from casesync.foundation.errors import (
    AccessDenied,
    CryptoError,
    RelayMisbehaviour,
    RemoteProtocolError,
)
from casesync.merkle.compact_range import CompactRange
from casesync.merkle.hashing import leaf_hash
from casesync.translog import chain
from casesync.translog.checkpoint import Checkpoint, LogName, key_id
from casesync.translog.comparison import LogState, comparison_code
from casesync.translog.control_acts import decode_public
from casesync.translog.control_entry import parse_entry
from casesync.translog.control_public import PublicDirectory
from casesync.translog.header import head_bytes, parse_header
from casesync.translog.page import OwnChange, read_page
from casesync.translog.unsealed import stream_id

VECTORS = Path(__file__).resolve().parents[2] / "protocol" / "vectors"


def vectors(kind):
    found = sorted((VECTORS / kind).glob("*.json"))
    assert found
    return pytest.mark.parametrize(
        "vector", [json.loads(path.read_text()) for path in found], ids=[p.stem for p in found]
    )


def unhex(value):
    if isinstance(value, str):
        return bytes.fromhex(value)
    return [unhex(item) for item in value]


@vectors("header")
def test_header_vectors(vector):
    data = unhex(vector["header"])
    if vector["expect"] == "header":
        with pytest.raises(RemoteProtocolError):
            parse_header(data)
        return
    values = vector["values"]
    header = parse_header(data)
    assert (header.device, header.number) == (values["device"], values["number"])
    assert len(header.segments) == values["segments"]
    assert head_bytes(data, header) == unhex(values["head"])
    assert chain.header_hash(data) == unhex(values["header_hash"])


@vectors("chain")
def test_chain_vectors(vector):
    if "stream" in vector:
        made = stream_id(
            unhex(vector["network"]), vector["device"], vector["number"], unhex(vector["random"])
        )
        assert made == unhex(vector["stream"])
        return
    previous = unhex(vector["changes"][0]["previous_link"])
    for change in vector["changes"]:
        header, signature = unhex(change["header"]), unhex(change["signature"])
        parse_header(header)
        assert unhex(change["previous_link"]) == previous
        previous = chain.link(previous, header)
        assert previous == unhex(change["link"])
        if vector["expect"] == "accepted":
            leaf = chain.change_leaf(
                change["log_time_ms"], unhex(change["previous_link"]), header, signature
            )
            assert leaf_hash(leaf) == unhex(change["leaf_hash"])
    arguments = unhex(vector["change_key"]), unhex(vector["network"]), previous, signature
    if vector["expect"] == "accepted":
        verify_change(*arguments)
    else:
        assert vector["expect"] == "signature"
        with pytest.raises(CryptoError):
            verify_change(*arguments)


@vectors("checkpoint")
def test_checkpoint_vectors(vector):
    name = LogName(unhex(vector["network"]), vector["log"])
    log_key = unhex(vector["log_key"])
    forms = [
        lambda field=field, read=read: read(name, unhex(vector[field]), log_key)
        for field, read in (("note", Checkpoint.from_note), ("binary", Checkpoint.from_binary))
        if field in vector
    ]
    assert forms
    if vector["expect"] == "checkpoint":
        for form in forms:
            with pytest.raises(RelayMisbehaviour):
                form()
        return
    values = vector["values"]
    for form in forms:
        read = form()
        assert (read.size, read.root) == (values["size"], unhex(values["root"]))
    assert key_id(name, log_key) == unhex(values["key_id"])
    if "binary" in vector:
        assert read.to_binary() == unhex(vector["binary"])
        assert read.to_note(log_key) == unhex(vector["note"])


@vectors("comparison")
def test_comparison_vectors(vector):
    states = [
        LogState(vector[f"{log}_size"], unhex(vector[f"{log}_root"]))
        for log in ("control", "change")
    ]
    network = unhex(vector["network"])
    assert comparison_code(network, *states) == vector["code"]
    for at, log in enumerate(states):
        for other in (log._replace(size=log.size + 1), log._replace(root=bytes(32))):
            changed = [other if i == at else kept for i, kept in enumerate(states)]
            assert comparison_code(network, *changed) != vector["code"]
    assert comparison_code(network, states[1], states[0]) != vector["code"]
    assert comparison_code(bytes(32), *states) != vector["code"]


@vectors("span")
def test_span_vectors(vector):
    held = CompactRange.from_bytes(unhex(vector["compact_range"]))
    page = unpack(unhex(vector["page"]))
    target = vector["target_size"], unhex(vector["target_root"])
    own = {
        row["number"]: OwnChange(
            unhex(row["previous_link"]),
            unhex(row["header"]),
            unhex(row["signature"]),
            tuple(unhex(row["segments"])),
        )
        for row in vector["own"]
    }
    if vector["expect"] == "page":
        with pytest.raises(RelayMisbehaviour) as caught:
            read_page(page, held, *target, own.get)
        assert caught.value.code == "page-contradicts-log"
        return
    values = vector["values"]
    leaves, reached = read_page(page, held, *target, own.get)
    assert reached.to_bytes() == unhex(values["compact_range"])
    assert [
        (leaf.index, leaf.log_time_ms, leaf.previous_link, leaf.header, leaf.run_starts)
        for leaf in leaves
    ] == [
        (
            row["index"],
            row["log_time_ms"],
            unhex(row["previous_link"]),
            unhex(row["header"]),
            row["run_starts"],
        )
        for row in values["leaves"]
    ]


def _three_entries():
    vector = json.loads((VECTORS / "control-entry" / "three-entries.json").read_text())
    blobs = {chain.header_hash(blob): blob for blob in unhex(vector["blobs"])}
    directory = PublicDirectory()
    for entry in unhex(vector["entries"]):
        directory.apply(entry, blobs.get)
    return vector, directory, blobs


LAYERS = {
    "chain": (RemoteProtocolError, "control-log-broken"),
    "signature": (CryptoError, "does-not-verify"),
    "rights": (AccessDenied, "control-act-void"),
}


@vectors("control-entry")
def test_control_entry_vectors(vector):
    whole, directory, blobs = _three_entries()
    if vector["expect"] == "accepted":
        values = whole["values"]
        hashes = [parse_entry(entry).entry_hash for entry in unhex(whole["entries"])]
        assert hashes == unhex(values["entry_hashes"])
        assert directory.network == unhex(whole["network"]) == hashes[0]
        assert [device.number for device in directory.devices()] == values["devices"]
        assert directory.relay_key == unhex(values["relay_key"])
        return
    data = unhex(vector["entry"])
    if vector["expect"] == "frame":
        with pytest.raises(RemoteProtocolError):
            parse_entry(data)
        return
    entry = parse_entry(data)
    if vector["expect"] == "public part":
        with pytest.raises(RemoteProtocolError) as caught:
            decode_public(entry.act, entry.public)
        assert caught.value.code == "malformed"
        return
    decode_public(entry.act, entry.public)
    error, code = LAYERS[vector["expect"]]
    with pytest.raises(error) as caught:
        directory.apply(data, blobs.get)
    assert caught.value.code == code


def test_the_generator_makes_exactly_the_files_that_lie_there():
    done = subprocess.run(
        [sys.executable, str(VECTORS / "generate_logs.py"), "--check"],
        capture_output=True,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_generator_does_not_know_the_implementation():
    for path in [VECTORS / "generate_logs.py", *VECTORS.glob("log_*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names.append(node.module or "")
            assert not any(name.split(".")[0] == "casesync" for name in names), path
