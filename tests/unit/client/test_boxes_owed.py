"""Keys reach those who were to have them, later too, and nobody else (``protocol/keys.md``)."""

from __future__ import annotations

from casesync.client.replica import Replica
from casesync.foundation.ids import Compartment, StreamId
from casesync.sync.stream_row import StreamRow
from casesync.testing.clock import FakeClock
from casesync.testing.offices import Offices

SHARED = ["contact", "operations"]
DAY_MS = 24 * 3600 * 1000


class Street:
    """A shelter of two, an OSSO of two, a union of one."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.offices = Offices("boxes-owed", self.clock)
        self.lan = self.offices.found()
        for name, kind in (("OSSO", "osso"), ("Hội", "union")):
            self.lan.add_unit(name, kind)
        self.hoa = self._enrol("Nhà Bình Minh", "caseworker", "Hoa", self.lan)
        self.mai = self._enrol("OSSO", "counsellor", "Mai")
        self.tam = self._enrol("OSSO", "counsellor", "Tâm", self.mai)
        self.oanh = self._enrol("Hội", "caseworker", "Oanh")
        self.sync(self.lan, self.hoa, self.mai, self.tam, self.oanh)

    def _enrol(self, unit: str, role: str, name: str, colleague: Replica | None = None) -> Replica:
        newcomer = self.offices.enrol(self.lan, unit, role, name)
        if colleague is not None and colleague is not self.lan:
            step = colleague.approve_step(str(newcomer.whoami().device))
            assert (step.state, step.admitted) == ("joined", True)
            newcomer.sync()
        return newcomer

    def sync(self, *replicas: Replica) -> None:
        for replica in replicas:
            replica.sync()

    def leave_without_key(self) -> None:
        """The OSSO's keys are retired; Tâm makes new ones as soon as she syncs."""
        self.lan.suspend_device(self.mai.whoami().device, "mất máy")


def opened(owner: Replica) -> StreamId:
    view = owner.new_case(["gbv"])
    return owner.resolve_case(view.case)


def share(owner: Replica, case: StreamId, unit: str, words=SHARED, **terms):
    consent = owner.give_consent(case, "service", unit, words).hex()
    return owner.grant(case, unit, words, "service", consent, **terms)


def say(replica: Replica, case: StreamId, rule: str) -> None:
    with replica.edit(case) as edit:
        edit.set("person.contact_rule", rule)


def rules(replica: Replica, case: StreamId) -> list[object]:
    """The live values of the contact rule, as this person sees them."""
    fields = [r.fields["contact_rule"] for r in replica.show(case).records if r.type == "person"]
    return [value.value for field in fields for value in field.values]


def words(replica: Replica, case: StreamId) -> set[str]:
    return {row.value for row in replica.history(case) if isinstance(row.value, str)}


def missing(replica: Replica, case: StreamId) -> list[str]:
    return [f.code for f in replica.show(case).incomplete if f.code != "before-grant"]


def boxes(replica: Replica, case: StreamId) -> dict[bytes, int]:
    """How many boxes there are of each content key."""
    with replica.core.store.transaction() as tx:
        rights = StreamRow(tx.stream_rows([case])[case]).rights
    return {s.key_name: len(s.boxes()) for s in rights.statements if s.compartment != 1}


def held_names(replica: Replica, case: StreamId) -> set[bytes]:
    with replica.core.store.transaction() as tx:
        replica.core.engine.keys.load(tx, [case])
    return {name for _, name in replica.core.engine.keys.stream(case)}


def contact_keys(replica: Replica, case: StreamId) -> list[bytes]:
    """The keys of the safe-contact rule that a case ever had."""
    with replica.core.store.transaction() as tx:
        rights = StreamRow(tx.stream_rows([case])[case]).rights
    return [s.key_name for s in rights.statements if s.compartment == Compartment.CONTACT]


def test_a_key_is_judged_anew_once_the_control_log_moved():
    """The judgement is remembered for all streams boxed alike (``Engine.standings``)."""
    street = Street()
    cases = [opened(street.lan), opened(street.lan)]
    for case in cases:
        say(street.lan, case, "sáng")
        say(street.lan, case, "chiều")
        assert len(contact_keys(street.lan, case)) == 1
    street.lan.suspend_device(street.hoa.whoami().device, "mất máy")
    for case in cases:
        say(street.lan, case, "tối")
        say(street.lan, case, "khuya")
        assert len(contact_keys(street.lan, case)) == 2, "she had the first; nobody boxes it on"


def test_the_owner_reads_later_what_a_partner_wrote_while_the_owner_had_no_key():
    street = Street()
    case = opened(street.mai)
    say(street.mai, case, "đầu")
    share(street.mai, case, "Nhà Bình Minh", write=True)
    street.sync(street.mai, street.lan)
    street.leave_without_key()
    say(street.lan, case, "viết khi đối tác chưa có khóa")
    street.sync(street.lan, street.tam, street.lan, street.tam)
    assert rules(street.tam, case) == ["viết khi đối tác chưa có khóa"]
    assert street.tam.quarantine() == []


def test_the_owner_reads_it_even_if_it_takes_the_grant_back_first():
    street = Street()
    case = opened(street.mai)
    say(street.mai, case, "đầu")
    grant = share(street.mai, case, "Nhà Bình Minh", write=True)
    street.sync(street.mai, street.lan)
    street.leave_without_key()
    say(street.lan, case, "viết khi đối tác chưa có khóa")
    street.sync(street.lan, street.tam)
    street.tam.revoke_grant(case, grant.id_hex, "xong")
    street.sync(street.tam, street.lan, street.tam)
    assert rules(street.tam, case) == ["viết khi đối tác chưa có khóa"]


def test_an_office_without_a_key_reads_snapshot_and_later_words_once_it_has_one():
    street = Street()
    case = opened(street.lan)
    say(street.lan, case, "đầu")
    street.leave_without_key()
    share(street.lan, case, "OSSO")
    say(street.lan, case, "giữa")
    union = share(street.lan, case, "Hội")
    street.lan.revoke_grant(case, union.id_hex, "nhầm")
    say(street.lan, case, "cuối")
    street.sync(street.lan, street.tam, street.lan, street.tam)
    assert rules(street.tam, case) == ["cuối"]
    assert missing(street.tam, case) == []


def test_what_replaced_a_word_that_an_office_holds_replaces_it_there_too():
    """A copy could not: it stands beside the original that it replaced (decision 5)."""
    street = Street()
    case = opened(street.lan)
    say(street.lan, case, "đầu")
    share(street.lan, case, "OSSO")
    say(street.lan, case, "giữa")
    union = share(street.lan, case, "Hội")
    street.sync(street.lan, street.tam)
    street.leave_without_key()
    street.lan.revoke_grant(case, union.id_hex, "nhầm")
    say(street.lan, case, "cuối")
    share(street.lan, case, "Hội")
    street.sync(street.lan, street.tam, street.lan, street.tam)
    assert rules(street.tam, case) == ["cuối"]


def test_an_older_snapshot_is_boxed_to_no_office_that_came_later():
    street = Street()
    case = opened(street.lan)
    say(street.lan, case, "nơi ở cũ")
    street.leave_without_key()
    share(street.lan, case, "OSSO")
    say(street.lan, case, "nơi ở mới")
    earlier = held_names(street.lan, case)
    share(street.lan, case, "Hội")
    street.sync(street.lan, street.tam, street.lan, street.tam, street.oanh)
    earlier &= boxes(street.lan, case).keys()
    assert held_names(street.tam, case) & earlier
    assert not held_names(street.oanh, case) & earlier
    assert rules(street.oanh, case) == ["nơi ở mới"]


def test_acts_under_base_keys_that_two_colleagues_began_at_once_are_read_by_the_next_office():
    street = Street()
    case = opened(street.lan)
    grant = share(street.lan, case, "OSSO", write=True)
    street.sync(street.lan, street.hoa, street.mai)
    street.lan.revoke_grant(case, grant.id_hex, "xong")
    street.sync(street.lan, street.hoa, street.mai)
    say(street.lan, case, "của Lan")
    say(street.hoa, case, "của Hoa")
    share(street.lan, case, "OSSO", write=True)
    share(street.hoa, case, "Hội", write=True)
    for _ in range(2):
        street.sync(street.lan, street.hoa, street.mai, street.oanh)
    for reader in (street.mai, street.oanh):
        assert reader.quarantine() == []
        assert len([g for g in reader.grants(case) if g.state == "active"]) == 2
        assert sorted(map(str, rules(reader, case))) == ["của Hoa", "của Lan"]


def test_with_history_keys_that_the_granting_device_had_not_seen_follow():
    """A copy would stand beside what its original replaced, which history shows (decision 5)."""
    street = Street()
    case = opened(street.lan)
    say(street.lan, case, "đầu")
    union = share(street.lan, case, "Hội")
    street.sync(street.lan, street.hoa)
    street.lan.revoke_grant(case, union.id_hex, "xong")
    say(street.lan, case, "cuối")
    share(street.hoa, case, "OSSO", history=True)
    street.sync(street.lan, street.hoa, street.mai, street.lan, street.mai)
    assert rules(street.mai, case) == ["cuối"]
    assert {"đầu", "cuối"} <= words(street.mai, case)
    assert missing(street.mai, case) == []


def test_a_grant_behind_one_that_ran_out_boxes_its_history_once_more():
    street = Street()
    case = opened(street.lan)
    say(street.lan, case, "đầu")
    share(street.lan, case, "OSSO", until_ms=street.clock.now_ms() + DAY_MS, history=True)
    say(street.lan, case, "giữa")
    street.sync(street.lan, street.mai)
    street.clock.advance(2 * DAY_MS)
    before = boxes(street.lan, case)
    share(street.lan, case, "OSSO", history=True)
    after = boxes(street.lan, case)
    assert all(after[name] > count for name, count in before.items())
    street.sync(street.lan, street.mai)
    assert {"đầu", "giữa"} <= words(street.mai, case)


def test_a_grant_behind_one_that_ran_out_opens_nothing_older():
    street = Street()
    case = opened(street.lan)
    share(street.lan, case, "OSSO", until_ms=street.clock.now_ms() + DAY_MS)
    say(street.lan, case, "giữa")
    street.sync(street.lan, street.mai)
    assert rules(street.mai, case) == ["giữa"]
    street.clock.advance(2 * DAY_MS)
    say(street.lan, case, "cuối")
    share(street.lan, case, "OSSO")
    street.sync(street.lan, street.mai)
    assert rules(street.mai, case) == ["cuối"]
    assert "giữa" not in words(street.mai, case)


def test_late_work_in_a_compartment_that_one_of_two_grants_gave_waits_in_quarantine():
    """Honest late work is never refused (``protocol/membership.md``, Verdict, 6)."""
    street = Street()
    case = opened(street.lan)
    say(street.lan, case, "đầu")
    consent = street.lan.give_consent(case, "service", "OSSO", SHARED).hex()
    [first, _] = [
        street.lan.grant(case, "OSSO", [word], "service", consent, write=True) for word in SHARED
    ]
    street.sync(street.lan, street.mai)
    say(street.mai, case, "viết muộn")
    street.lan.revoke_grant(case, first.id_hex, "rút lại")
    street.sync(street.lan, street.mai, street.lan)
    for replica in (street.lan, street.mai):
        assert [(q.state, q.reason) for q in replica.quarantine()] == [
            ("quarantined", "grant-revoked")
        ]


def test_nobody_waits_for_the_snapshot_of_a_grant_that_came_to_nothing():
    street = Street()
    case = opened(street.lan)
    first = share(street.lan, case, "OSSO")
    street.sync(street.lan, street.hoa, street.mai)
    street.lan.revoke_grant(case, first.id_hex, "xong")
    street.lan.sync()
    share(street.hoa, case, "OSSO", ["contact"])  # void: Hoa had not seen the revocation
    share(street.lan, case, "OSSO", ["contact"])
    street.sync(street.hoa, street.lan, street.mai)
    assert len(street.mai.grants(case)) == 2
    assert missing(street.mai, case) == []


def test_a_copy_meant_for_another_office_does_not_stand_for_a_supplement():
    """It does not say what its original replaced, which would stay beside it."""
    street = Street()
    case = opened(street.lan)
    say(street.lan, case, "đầu")
    street.sync(street.lan, street.hoa)
    share(street.hoa, case, "Hội")
    say(street.lan, case, "cuối")
    share(street.lan, case, "OSSO")
    street.sync(street.hoa, street.lan, street.hoa, street.oanh)
    assert rules(street.oanh, case) == ["cuối"]
