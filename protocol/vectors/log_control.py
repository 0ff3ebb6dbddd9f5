"""Scenarios of control entries (``membership.md``)."""

from __future__ import annotations

import json
from pathlib import Path

from log_bytes import (
    Device,
    ed25519,
    entry_before_signature,
    h,
    label,
    pack,
    public,
)

FOLDER = Path(__file__).resolve().parent / "control-entry"
SEALED = b"N" * 8 + b"c" * 64
FEEDS = [b"f" * 16, b"a" * 16]
BLOB = h(b"some blob")


class ControlLog:
    """Genesis, charter, one enrolment."""

    def __init__(self, kept):
        self.kept = kept
        self.founder, self.staff, self.relay = Device(0x20), Device(0x30), ed25519(9)
        self.entries = []
        self.network = bytes(32)
        genesis = [
            public(self.relay),
            public(self.founder.change),
            public(self.founder.request),
            h(self.founder.blob),
            0xFFC,
            FEEDS,
            bytes(32),
        ]
        self.entries = [self.entry("genesis", 1, pack(genesis), sealed=b"")]
        self.network = h(self.entries[0])
        self.entries.append(self.entry("charter", 2, pack([])))
        self.entries.append(self.entry("enrol", 6, pack(self.enrolment())))

    def enrolment(self):
        return [
            1,
            public(self.staff.change),
            public(self.staff.request),
            h(self.staff.blob),
            0xA80,
            FEEDS,
            BLOB,
            None,
        ]

    def entry(self, name, act, public_part, *, signer=1, key=None, sealed=SEALED, **bent):
        fields = {
            "network": self.network,
            "index": len(self.entries),
            "previous": h(self.entries[-1]) if self.entries else bytes(32),
            "signer": signer,
            "act": act,
            "public_part": public_part,
            "sealed": sealed,
            **bent,
        }
        before = entry_before_signature(**fields)
        return before + self.kept.signature(name, before, key or self.founder)


class KeptSignatures:
    """Composite signatures of the last run, by the names of their entries."""

    BYTES = 3373

    def __init__(self):
        self.old = {}
        for path in FOLDER.glob("*.json"):
            vector = json.loads(path.read_text())
            rows = [(path.stem, vector["entry"])] if "entry" in vector else []
            rows += zip(("genesis", "charter", "enrol"), vector.get("entries", ()), strict=False)
            for name, entry in rows:
                data = bytes.fromhex(entry)
                self.old[name] = (data[: -self.BYTES], data[-self.BYTES :])

    def signature(self, name, before, key):
        kept_before, kept = self.old.get(name, (b"", b""))
        return kept if kept_before == before else key.composite_sign(label(b"control") + before)


def write_control_entries():
    log = ControlLog(KeptSignatures())
    yield (
        "control-entry/three-entries",
        {
            "what": "genesis, charter and the enrolment of device 3",
            "expect": "accepted",
            "network": log.network,
            "blobs": [log.founder.blob, log.staff.blob],
            "entries": log.entries,
            "values": {
                "entry_hashes": [h(entry) for entry in log.entries],
                "devices": [1, 3],
                "relay_key": public(log.relay),
            },
        },
    )
    unit = pack([])
    rows = log.enrolment()
    refused = {
        "suite-2": ("another suite", "frame", (5, unit), {"suite": 2}),
        "root-without-size": ("size 0 with a root", "frame", (5, unit), {"change": (0, b"r" * 32)}),
        "sealed-no-class": (
            "a sealed part of 65 bytes",
            "frame",
            (5, unit),
            {"sealed": SEALED + b"x"},
        ),
        "index": ("the index is taken", "chain", (5, unit), {"index": 2}),
        "previous": ("it follows another entry", "chain", (5, unit), {"previous": bytes(32)}),
        "other-network": ("it is of another network", "chain", (5, unit), {"network": b"n" * 32}),
        "unknown-signer": ("nobody has the signer's number", "chain", (5, unit), {"signer": 2}),
        "other-signer": ("device 3 signs for device 1", "signature", (5, unit), {"key": log.staff}),
        "staff-adds-unit": (
            "device 3 may not sign this act",
            "rights",
            (5, unit),
            {"signer": 3, "key": log.staff},
        ),
        "acts-of-nobody": (
            "an enrolment hands out the founder's acts",
            "rights",
            (6, pack([*rows[:4], 0xFFC, *rows[5:]])),
            {},
        ),
        "public-not-canonical": (
            "the public part is not in its shortest form",
            "public part",
            (5, b"\xdc\x00\x00"),
            {},
        ),
        "public-null": ("a key is nil", "public part", (6, pack([1, None, *rows[2:]])), {}),
        "public-float": (
            "the kind is a floating-point number",
            "public part",
            (6, b"\x98\xca\x3f\x80\x00\x00" + pack(rows)[2:]),
            {},
        ),
        "public-too-long": ("an element too many", "public part", (5, pack([1])), {}),
        "public-nested": ("nesting without end", "public part", (5, b"\x91" * 200 + b"\x90"), {}),
        "act-unknown": ("an act this version does not know", "public part", (12, unit), {}),
    }
    for name, (what, expect, (act, part), fields) in refused.items():
        yield (
            f"control-entry/{name}",
            {
                "what": what,
                "expect": expect,
                "after": "three-entries",
                "entry": log.entry(name, act, part, **fields),
            },
        )
