"""The project's own vectors of keys, made by a generator that does not know this implementation."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest

from casesync.crypto.aead import prepare
from casesync.crypto.enrolment import (
    enrol_commitment,
    invitation_id,
    open_slot,
    rendezvous_key,
    sas_code,
)
from casesync.crypto.kem_keys import kem_private, unit_key_from_seed
from casesync.crypto.key_wrap import (
    StatementId,
    UnitKeyId,
    box_cipher,
    open_base_predecessor,
    open_box_public,
    open_box_symmetric,
    open_predecessor,
    open_wrap,
    unit_key_name,
)
from casesync.crypto.passphrase import KdfCosts, derive, unwrap_database_key
from casesync.crypto.sealing import (
    network_keys,
    open_blob,
    open_control,
    open_segment,
    segment_keys,
)
from casesync.foundation.errors import CryptoError, RemoteProtocolError

FOLDER = Path(__file__).resolve().parents[2] / "protocol" / "vectors"
GENERATOR = FOLDER / "generate_keys.py"
FAMILIES = ("segment", "box", "wrap", "enrolment")
FILES = sorted(file for family in FAMILIES for file in (FOLDER / family).glob("*.json"))
ERRORS = {
    "does-not-verify": CryptoError,
    "kdf-below-floor": CryptoError,
    "malformed": RemoteProtocolError,
}


class Given:
    """The inputs of a vector; hex becomes bytes."""

    def __init__(self, values):
        self._values = values

    def __getattr__(self, name):
        value = self._values[name]
        return bytes.fromhex(value) if isinstance(value, str) else value

    def text(self, name):
        return self._values[name]

    def statement(self, name="statement", compartment=None):
        compartment = self.compartment if compartment is None else compartment
        return StatementId(self.network, self.stream, compartment, *self._values[name])

    def unit_key(self):
        return UnitKeyId(self.unit, self.compartment, self.epoch)

    def publics(self):
        return {
            UnitKeyId(bytes.fromhex(unit), compartment, epoch): bytes.fromhex(public)
            for unit, compartment, epoch, public in self._values["publics"]
        }


def _open_segment(g):
    sealing, _ = segment_keys(g.stream_key, g.statement().context())
    head_hash = sha256(g.head).digest()
    return open_segment(
        prepare(sealing),
        g.previous_link,
        g.head,
        head_hash,
        g.segment_number,
        g.commitment,
        g.message,
    )


def _open_box_symmetric(g):
    cipher = box_cipher(g.seed, g.network, g.unit_key())
    return open_box_symmetric(cipher, g.statement(), g.unit_key(), g.commitment, g.message)[0]


def _open_wrap(g):
    wrap = open_wrap(
        kem_private(g.seed), g.network, g.device, g.control_index, g.publics(), g.message
    )
    rows = [[key.unit.hex(), key.compartment, key.epoch, s.hex()] for key, s in wrap.seeds.items()]
    return {"network_keys": [key.hex() for key in wrap.network_keys], "seeds": rows}


def _unit_key(g):
    public = unit_key_from_seed(g.seed)
    return {"public": public.hex(), "name": unit_key_name(g.unit_key(), public).hex()}


def _sas_code(g):
    invitation = invitation_id(g.secret)
    commitment = enrol_commitment(g.reveal_hash, g.joiner_nonce)
    code = sas_code(
        g.network, invitation, commitment, g.inviter_nonce, g.joiner_nonce, g.reveal_hash
    )
    return {"invitation": invitation.hex(), "commitment": commitment.hex(), "code": code}


def _open_vault(g):
    costs = KdfCosts(*g.costs)
    passphrase_key = derive(g.text("passphrase"), g.salt, costs)
    return unwrap_database_key(passphrase_key, g.salt, costs, g.message).reveal()


OPERATIONS = {
    "open_segment": _open_segment,
    "open_control": lambda g: open_control(
        network_keys(g.network_key, g.network), g.prefix, g.message
    ),
    "open_blob": lambda g: open_blob(network_keys(g.network_key, g.network), g.kind, g.message),
    "open_box_symmetric": _open_box_symmetric,
    "open_box_public": lambda g: open_box_public(
        kem_private(g.seed), g.statement(), g.unit_key(), g.commitment, g.message
    )[0],
    "open_base_predecessor": lambda g: open_base_predecessor(
        g.stream_key,
        g.commitment,
        g.statement("predecessor", 1),
        g.predecessor_commitment,
        g.message,
    )[0],
    "open_wrap": _open_wrap,
    "unit_key": _unit_key,
    "open_predecessor": lambda g: open_predecessor(
        g.seed, g.network, g.unit_key(), g.predecessor_public, g.message
    ),
    "open_vault": _open_vault,
    "open_slot": lambda g: open_slot(
        rendezvous_key(g.secret, g.network), g.network, invitation_id(g.secret), g.slot, g.message
    ),
    "sas_code": _sas_code,
}


def _name(file):
    return f"{file.parent.name}/{file.stem}"


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_vector(file):
    vector = json.loads(file.read_text(encoding="utf-8"))
    run = OPERATIONS[vector["operation"]]
    given = Given(vector["given"])
    if vector["expect"] == "accepted":
        found = run(given)
        assert (found.hex() if isinstance(found, bytes) else found) == vector["gives"]
        return
    code = vector["code"]
    with pytest.raises(ERRORS[code]) as raised:
        run(given)
    assert raised.value.code == code
    assert _layer(raised.value) == vector["expect"]


def _layer(error):
    """The floor whose function raised the error."""
    frame = error.__traceback__
    while frame.tb_next:
        frame = frame.tb_next
    return Path(frame.tb_frame.f_code.co_filename).parent.name


def test_every_operation_has_a_vector_that_opens_and_one_that_is_refused():
    counted = Counter()
    for file in FILES:
        vector = json.loads(file.read_text(encoding="utf-8"))
        counted[vector["operation"], "gives" in vector] += 1
    for operation in OPERATIONS:
        assert counted[operation, True], operation
        if operation not in ("unit_key", "sas_code"):  # computations; nothing to refuse
            assert counted[operation, False], operation


def test_the_generator_makes_exactly_the_vectors_that_stand_here():
    spec = importlib.util.spec_from_file_location("generate_keys", GENERATOR)
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    made = {name: generator.readable(content) for name, content in generator.vectors()}
    stored = {_name(file): json.loads(file.read_text(encoding="utf-8")) for file in FILES}
    assert made == stored


def test_the_generator_does_not_import_the_implementation():
    code = (
        "import runpy, sys; runpy.run_path(sys.argv[1]);"
        "sys.exit(any(name.partition('.')[0] == 'casesync' for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code, str(GENERATOR)], check=True, timeout=60)
