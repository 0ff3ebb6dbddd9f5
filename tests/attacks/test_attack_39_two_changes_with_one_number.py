"""Attack 39: two changes with one (device, sequence).

Layers: an honest relay takes the first (``relay/push``, ``device-forked``); at a replica the first
in the log counts and the other is quarantined (``sync/ingest``). Both headers under the device's
own signature are the portable proof: anybody with the control log can check it.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from attack_world import AttackWorld
from casesync.crypto.signatures import verify_change
from casesync.foundation.errors import AuditFailed, LocalStateError
from casesync.relay import pages
from casesync.relay.push import _Push
from casesync.testing.hostile_member import HostileMember, Made
from casesync.translog.header import parse_header


@pytest.fixture
def world() -> AttackWorld:
    return AttackWorld()


def twins(world: AttackWorld, stream) -> tuple[HostileMember, Made, Made]:
    """Two changes of Mai's with one number and one previous link."""
    mai = HostileMember(world.mai)
    person = world.person("lan", stream)
    one, other = (
        mai.write(
            stream,
            bodies={2: mai.content(person, {"person.given_name": name})},
            queued=False,
        )
        for name in ("Một", "Hai")
    )
    return mai, one, other


def test_an_honest_relay_takes_the_first_only(world):
    stream = world.case()
    world.sync()
    mai, one, other = twins(world, stream)
    assert mai.push(one).receipts
    assert mai.push(other).refusal.refusal.value == "device-forked"
    world.sync("lan")
    assert world.values("lan", stream, "person.given_name") == ["Hòa", "Một"]


def test_both_are_a_proof_that_anybody_can_check(world):
    stream = world.case()
    world.sync()
    mai, one, other = twins(world, stream)
    control = world.dung.core.engine.control
    headers = [parse_header(made.header) for made in (one, other)]
    assert {(h.device, h.number) for h in headers} == {(mai.device, one.number)}
    assert one.link != other.link
    for made in (one, other):
        network = mai.engine.network
        verify_change(control.change_key(mai.device), network, made.link, made.signature)


@pytest.mark.parametrize("between", [False, True], ids=["one page", "two pages"])
def test_where_a_relay_took_both_the_first_counts_and_the_other_is_quarantined(
    world, monkeypatch, between
):
    stream = world.case()
    world.sync()
    mai, one, other = twins(world, stream)
    mai.push(one)
    if between:
        world.sync("lan")
    connection = world.relay._stores["honest"]._connection
    connection.execute("delete from device_leaves where device = ?", (mai.device,))
    with monkeypatch.context() as patch:
        _forget(patch, one)
        assert mai.push(other).receipts
    world.sync("lan", "dung")
    assert world.values("lan", stream, "person.given_name") == ["Hòa", "Một"]
    assert list(world.reasons("lan").values()) == ["copied-device"]
    assert {q.state for q in world.lan.quarantine()} == {"quarantined"}
    world.set("lan", stream, "person.given_name", "Hoa")
    world.sync("lan")
    assert world.values("lan", stream, "person.given_name") == ["Hoa"]


@pytest.mark.parametrize("between", [False, True], ids=["one page", "two pages"])
def test_in_two_streams_too_the_first_in_the_log_counts_and_auditors_are_told(
    world, monkeypatch, between
):
    first, second = world.case(given_name="Hòa"), world.case(given_name="Lý")
    world.sync()
    mai = HostileMember(world.mai)
    one, other = (
        mai.write(
            case,
            bodies={2: mai.content(world.person("lan", case), {"person.family_name": name})},
            queued=False,
        )
        for case, name in ((first, "Một"), (second, "Hai"))
    )
    mai.push(one)
    if between:
        world.sync("lan", "dung")
    connection = world.relay._stores["honest"]._connection
    connection.execute("delete from device_leaves where device = ?", (mai.device,))
    with monkeypatch.context() as patch:
        _forget(patch, one)
        assert mai.push(other).receipts
    world.sync("lan", "dung")
    assert world.values("lan", first, "person.family_name") == ["Một"]
    assert world.values("lan", second, "person.family_name") == []
    [shown] = world.lan.quarantine()
    assert (shown.reason, shown.state) == ("copied-device", "quarantined")
    with pytest.raises(AuditFailed) as error:
        world.dung.audit_verify(offline=True)
    assert error.value.code == "audit-device-failed"
    assert error.value.params["what"] == "change-repeated"


def test_a_device_that_was_copied_is_told_whatever_case_the_copy_wrote_in(world, monkeypatch):
    """The copy's change stands in the log; the relay denies it until it serves it."""
    first, second = world.case(given_name="Hòa"), world.case(given_name="Lý")
    world.sync()
    copy = HostileMember(world.mai)
    body = copy.content(world.person("lan", first), {"person.family_name": "Một"})
    copy.push(copy.write(first, bodies={2: body}, queued=False))
    world.set("mai", second, "person.family_name", "Hai")
    device = int(world.mai.core.engine.device)
    deny = (0, bytes(32))
    world.relay.edit = lambda caller, answer: (
        replace(answer, newest=deny, refusal=None) if caller.device == device else answer
    )
    honest = pages._build
    whole = lambda *arguments, **_: honest(*arguments)  # noqa: E731 - not by number alone
    monkeypatch.setattr(pages, "_build", whole)
    with pytest.raises(LocalStateError) as error:
        world.sync("mai")
    assert error.value.code == "device-restored"


def _forget(patch: pytest.MonkeyPatch, made: Made) -> None:
    """A relay that believes the device stands before ``made``, whatever it stored."""
    honest = _Push.__init__

    def rewound(self, session) -> None:
        before = {"newest_number": made.number - 1, "newest_link": made.previous_link}
        session.asking = session.asking._replace(**before)
        honest(self, session)

    patch.setattr(_Push, "__init__", rewound)
    patch.setattr("casesync.relay.push._is_forked", lambda *_: False)
