"""The public directory (protocol/membership.md, *Entry*: what relay and client verify)."""

from __future__ import annotations

import pytest

from casesync.foundation.errors import (
    AccessDenied,
    CannotDecide,
    CasesyncError,
    CryptoError,
    RemoteProtocolError,
)
from casesync.translog.control_acts import (
    ACTS_ADMINISTRATOR,
    ACTS_FOUNDER,
    ACTS_STAFF,
    AdmitPublic,
    BlobPublic,
    EmptyPublic,
    FoundPublic,
    RotatePublic,
    SuspendPublic,
    WrapFor,
)
from casesync.translog.control_entry import Act
from casesync.translog.control_public import PublicDirectory
from unit.translog.control_world import (
    BLOBS,
    FOUNDER,
    GENESIS,
    HASH,
    NETWORK,
    OTHER,
    STAFF,
    enrol_public,
    entry_of,
    genesis,
    genesis_public,
    secrets_of,
)

STAFF_NUMBER = 3


def _state(directory):
    return (
        directory.size,
        directory.head,
        directory.network,
        directory.change_size,
        directory.change_root,
        list(directory.devices()),
    )


def _founded():
    directory = PublicDirectory()
    directory.apply(GENESIS, BLOBS.get)
    directory.apply(entry_of(directory, Act.CHARTER, EmptyPublic()), BLOBS.get)
    return directory


def _with_staff(**changed):
    directory = _founded()
    directory.apply(entry_of(directory, Act.ENROL, enrol_public(**changed)), BLOBS.get)
    return directory


@pytest.fixture(scope="module")
def founded():
    return _founded()


@pytest.fixture(scope="module")
def with_staff():
    return _with_staff()


def _refuses(directory, data, error, what=None, **settings):
    before = _state(directory)
    with pytest.raises(error) as caught:
        directory.apply(data, BLOBS.get, **settings)
    assert _state(directory) == before
    if what is not None:
        assert caught.value.params["what"] == what


def test_genesis_makes_the_network_and_its_first_device():
    directory = PublicDirectory()
    directory.apply(GENESIS, BLOBS.get)
    founder = directory.device(1)
    assert founder is not None
    assert (directory.network, directory.size, directory.head) == (NETWORK, 1, NETWORK)
    assert directory.relay_key == genesis_public().relay_key
    assert founder.enrolment_hash == NETWORK
    assert (founder.acts, founder.active) == (ACTS_FOUNDER, True)
    assert directory.change_key(1) == FOUNDER.public().change


def test_a_devices_number_is_the_log_size_once_it_is_enrolled(with_staff):
    device = with_staff.device(STAFF_NUMBER)
    assert device is not None
    assert with_staff.size == STAFF_NUMBER
    assert device.enrolment_hash == with_staff.head
    assert device.feeds == enrol_public().feeds
    assert with_staff.device(2) is None
    with pytest.raises(KeyError):
        with_staff.change_key(2)


def test_a_suspended_device_is_inactive_from_its_effective_size(with_staff):
    directory = with_staff.copy()
    entry = entry_of(
        directory,
        Act.SUSPEND,
        SuspendPublic(STAFF_NUMBER, None, ()),
        change_size=9,
        change_root=b"r" * 32,
    )
    directory.apply(entry, BLOBS.get, change_size_max=9)
    device = directory.device(STAFF_NUMBER)
    assert device is not None
    assert (device.active, device.suspended) == (False, (3, 9))
    assert with_staff.device(STAFF_NUMBER).active
    mine = entry_of(
        directory, Act.ROTATE, RotatePublic(HASH, ()), signer=STAFF_NUMBER, secrets=STAFF
    )
    _refuses(directory, mine, AccessDenied, "signer-suspended")
    again = entry_of(directory, Act.SUSPEND, SuspendPublic(STAFF_NUMBER, None, ()))
    _refuses(directory, again, AccessDenied, "device-unknown")


def test_a_trusted_fold_verifies_no_signature_and_ends_alike(with_staff):
    calls = []
    again = PublicDirectory(lambda *_: calls.append(1))
    again.apply(GENESIS, BLOBS.get, trusted=True)
    again.apply(entry_of(again, Act.CHARTER, EmptyPublic()), BLOBS.get, trusted=True)
    again.apply(entry_of(again, Act.ENROL, enrol_public()), BLOBS.get, trusted=True)
    assert calls == []
    assert [d[:8] for d in again.devices()] == [d[:8] for d in with_staff.devices()]


BROKEN = {
    "index": {"index": 3},
    "previous": {"previous": b"x" * 32},
    "network": {"network": b"x" * 32},
    "signer": {"signer": 9},
    "change-size": {"change_size": 8, "change_root": b"r" * 32},
}


@pytest.mark.parametrize(("what", "changed"), BROKEN.items(), ids=BROKEN)
def test_an_entry_that_does_not_extend_the_log_is_refused(founded, what, changed):
    entry = entry_of(founded, Act.UNIT, EmptyPublic(), **changed)
    _refuses(founded, entry, RemoteProtocolError, what, change_size_max=7)


def test_an_entry_takes_effect_never_before_the_one_before_it(founded):
    """Attack 28: nobody back-dates; one size has one root."""
    directory = founded.copy()
    entry = entry_of(directory, Act.UNIT, EmptyPublic(), change_size=5, change_root=b"r" * 32)
    directory.apply(entry, BLOBS.get)
    for size, root in ((4, b"r" * 32), (5, b"q" * 32)):
        late = entry_of(directory, Act.UNIT, EmptyPublic(), change_size=size, change_root=root)
        _refuses(directory, late, RemoteProtocolError, "change-size")


def test_an_entry_of_another_network_is_refused(founded):
    """Attack 46: genesis of a second network does not lie in the first."""
    _refuses(founded, GENESIS, RemoteProtocolError, "index")


def test_a_signature_of_another_device_is_refused(with_staff):
    """Attacks 2 and 4: nobody signs for another."""
    forged = entry_of(with_staff, Act.UNIT, EmptyPublic(), secrets=STAFF)
    _refuses(with_staff, forged, CryptoError)
    _refuses(PublicDirectory(), genesis(secrets=STAFF), CryptoError)


def test_every_byte_of_an_entry_is_signed(founded):
    entry = entry_of(founded, Act.ROLES, BlobPublic(HASH))
    for at in (0, 1, 33, 39, 75, 110, 117, 125, 170, 240, 400, len(entry) - 1):
        bent = entry[:at] + bytes([entry[at] ^ 1]) + entry[at + 1 :]
        _refuses(founded, bent, CasesyncError)


NOT_ALLOWED = {
    Act.ROLES: BlobPublic(HASH),
    Act.SCHEMAS: BlobPublic(HASH),
    Act.UNIT: EmptyPublic(),
    Act.ENROL: enrol_public(OTHER),
    Act.SUSPEND: SuspendPublic(STAFF_NUMBER, None, ()),
    Act.FOUND: FoundPublic(HASH, HASH),
    Act.CHARTER: EmptyPublic(),
}


@pytest.mark.parametrize(("act", "public"), NOT_ALLOWED.items(), ids=lambda p: str(p)[:12])
def test_staff_cannot_sign_an_administrators_act(with_staff, act, public):
    """Attack 3."""
    entry = entry_of(with_staff, act, public, signer=STAFF_NUMBER, secrets=STAFF)
    _refuses(with_staff, entry, AccessDenied, "act-not-allowed")


@pytest.mark.parametrize(
    "changed",
    [
        {"acts": ACTS_FOUNDER},
        {"acts": 0},
        {"acts": 2**64 - 1},
        {"acts": ACTS_STAFF, "kind": 2},
        {"acts": ACTS_ADMINISTRATOR, "kind": 3},
    ],
)
def test_an_enrolment_cannot_hand_out_other_acts(founded, changed):
    entry = entry_of(founded, Act.ENROL, enrol_public(**changed))
    _refuses(founded, entry, AccessDenied, "acts-differ")


def test_a_founder_has_the_founders_acts():
    _refuses(
        PublicDirectory(), genesis(genesis_public(acts=2**64 - 1)), AccessDenied, "acts-differ"
    )


def test_no_key_serves_two_devices(with_staff):
    for changed in (
        {"change_key": STAFF.public().change},
        {"request_key": STAFF.public().change},
        {"request_key": FOUNDER.public().request},
    ):
        entry = entry_of(with_staff, Act.ENROL, enrol_public(OTHER, **changed))
        _refuses(with_staff, entry, AccessDenied, "keys-taken")


def test_an_unfit_key_is_refused_at_enrolment(founded):
    """Attack 10: of small order, not canonical, all zeros."""
    for bad in (bytes(32), b"\x01" + bytes(31), b"\xff" * 32):
        for name in ("change_key", "request_key"):
            entry = entry_of(founded, Act.ENROL, enrol_public(**{name: bad}))
            _refuses(founded, entry, CryptoError)
    _refuses(PublicDirectory(), genesis(genesis_public(relay_key=bytes(32))), CryptoError)


def test_a_device_keys_blob_must_be_here_and_be_the_one_named(founded):
    """Attack 1: the relay substitutes a key."""
    entry = entry_of(founded, Act.ENROL, enrol_public())
    with pytest.raises(CannotDecide) as caught:
        founded.apply(entry, lambda _: None)
    assert caught.value.code == "blob-missing"
    for blob in (OTHER.public().blob(), b""):
        with pytest.raises(CryptoError):
            founded.apply(entry, lambda _, blob=blob: blob)


def test_an_administrator_is_not_suspended_by_one():
    directory = _with_staff(acts=ACTS_ADMINISTRATOR)
    for target, signer, secrets in ((STAFF_NUMBER, 1, FOUNDER), (1, STAFF_NUMBER, STAFF)):
        entry = entry_of(
            directory,
            Act.SUSPEND,
            SuspendPublic(target, None, ()),
            signer=signer,
            secrets=secrets,
        )
        _refuses(directory, entry, AccessDenied, "target-administrator")


@pytest.mark.parametrize(
    ("act", "public", "what"),
    [
        (Act.SUSPEND, SuspendPublic(9, None, ()), "device-unknown"),
        (Act.SUSPEND, SuspendPublic(STAFF_NUMBER, HASH, (WrapFor(9, HASH),)), "device-unknown"),
        (
            Act.SUSPEND,
            SuspendPublic(STAFF_NUMBER, HASH, (WrapFor(STAFF_NUMBER, HASH),)),
            "wrap-for-suspended",
        ),
        (Act.ADMIT, AdmitPublic(2, HASH), "device-unknown"),
        (Act.ROTATE, RotatePublic(HASH, (WrapFor(2, HASH),)), "device-unknown"),
        (Act.CHARTER, EmptyPublic(), "out-of-place"),
    ],
)
def test_an_act_on_nobody_or_out_of_place_is_refused(with_staff, act, public, what):
    _refuses(with_staff, entry_of(with_staff, act, public), AccessDenied, what)


def test_the_founder_founds_once(founded):
    directory = founded.copy()
    directory.apply(entry_of(directory, Act.FOUND, FoundPublic(HASH, HASH)), BLOBS.get)
    again = entry_of(directory, Act.FOUND, FoundPublic(HASH, HASH))
    _refuses(directory, again, AccessDenied, "out-of-place")


def test_an_act_of_a_later_version_is_refused_by_this_one(founded):
    entry = entry_of(founded, 12, EmptyPublic())
    _refuses(founded, entry, RemoteProtocolError)


def test_what_is_not_about_devices_leaves_them_alone(with_staff):
    directory = with_staff.copy()
    for act, public in (
        (Act.UNIT, EmptyPublic()),
        (Act.ROLES, BlobPublic(HASH)),
        (Act.NETWORK_BOX, EmptyPublic()),
        (Act.ADMIT, AdmitPublic(STAFF_NUMBER, HASH)),
        (Act.ROTATE, RotatePublic(HASH, (WrapFor(1, HASH),))),
    ):
        directory.apply(entry_of(directory, act, public), BLOBS.get)
    assert list(directory.devices()) == list(with_staff.devices())
    assert directory.size == with_staff.size + 5


def test_a_stranger_is_not_enrolled_by_itself(founded):
    stranger = secrets_of(b"stranger")
    entry = entry_of(founded, Act.ENROL, enrol_public(stranger), signer=3, secrets=stranger)
    _refuses(founded, entry, RemoteProtocolError, "signer")
