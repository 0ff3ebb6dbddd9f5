"""What happens to a grantee's copy when its grant ends (DESIGN.md 5, *Grants*)."""

from __future__ import annotations

import pytest

from casesync.client.case_cells import parse_path
from casesync.foundation.errors import UsageError
from casesync.sync.stream_row import StreamRow
from casesync.testing.offices import Offices

SHARED = ["contact", "operations"]


def shared_case():
    """A shelter's case, shared with an OSSO that wrote into it."""
    offices = Offices("revoked-copy")
    lan = offices.found()
    lan.add_unit("OSSO", "osso")
    mai = offices.enrol(lan, "OSSO", "counsellor", "Mai")
    sets = [
        parse_path("person.contact_rule", "set", "gọi buổi sáng"),
        parse_path("person.given_name", "set", "Hòa"),
    ]
    code = lan.new_case(["gbv"], sets).case
    case = lan.resolve_case(code)
    grant = share(lan, mai, case)
    with mai.edit(case) as edit:
        edit.set("person.contact_rule", "gọi buổi chiều")
    mai.sync()
    lan.sync()
    return lan, mai, case, code, grant


def share(lan, mai, case):
    consent = lan.give_consent(case, "service", "OSSO", SHARED)
    grant = lan.grant(case, "OSSO", SHARED, "service", consent.hex(), write=True)
    lan.sync()
    mai.sync()
    return grant


def revoke_with_late_work(lan, mai, case, grant):
    with mai.edit(case) as edit:
        edit.new_record("note", {"text": "viết muộn"})
    lan.revoke_grant(case, grant.id_hex, "rút lại")
    lan.sync()
    mai.sync()
    lan.sync()


def keys_and_row(replica, case):
    with replica.core.store.transaction() as tx:
        return tx.stream_keys([case]).get(case, []), StreamRow(tx.stream_rows([case])[case])


def test_the_revoked_office_reads_the_revocation_and_destroys_keys_and_content():
    lan, mai, case, code, grant = shared_case()
    revoke_with_late_work(lan, mai, case, grant)
    assert [g.state for g in mai.grants()] == ["revoked"]
    for attempt in (lambda: mai.show(case), lambda: mai.resolve_case(code)):
        with pytest.raises(UsageError) as unknown:
            attempt()
        assert unknown.value.code == "case-unknown"
    assert mai.find("gọi").count == 0
    assert mai.cases().count == 0
    assert (mai.status().cases, lan.status().cases) == (0, 1)
    keys, row = keys_and_row(mai, case)
    assert (keys, row.merge_row) == ([], [])


def test_a_destroyed_copy_stays_destroyed_whatever_is_synced_later():
    lan, mai, case, _, grant = shared_case()
    revoke_with_late_work(lan, mai, case, grant)
    with lan.edit(case) as edit:
        edit.set("person.contact_rule", "gọi buổi tối")
    lan.add_unit("Hội", "union")
    for replica in (lan, mai, lan, mai):
        replica.sync()
    assert keys_and_row(mai, case)[0] == []
    assert [(q.reason, q.author) for q in mai.quarantine()] == [("grant-revoked", "Mai")]


def test_late_work_is_shown_in_quarantine_and_leaves_no_empty_record():
    lan, mai, case, _, grant = shared_case()
    revoke_with_late_work(lan, mai, case, grant)
    assert [(q.reason, q.author) for q in lan.quarantine()] == [("grant-revoked", "Mai")]
    assert "note" not in [record.type for record in lan.show(case).records]


def test_an_office_that_is_granted_again_reads_and_writes_again():
    lan, mai, case, _, grant = shared_case()
    revoke_with_late_work(lan, mai, case, grant)
    share(lan, mai, case)
    person = next(r for r in mai.show(case).records if r.type == "person")
    assert person.fields["contact_rule"].value == "gọi buổi chiều"
    assert person.fields["given_name"].sealed
    with mai.edit(case) as edit:
        edit.new_record("note", {"text": "trở lại"})
    mai.sync()
    lan.sync()
    notes = [r for r in lan.show(case).records if r.type == "note"]
    assert [note.fields["text"].value for note in notes] == ["trở lại"]


def test_status_counts_no_case_of_which_nothing_can_be_read():
    offices = Offices("nothing-to-show")
    lan = offices.found()
    lan.add_unit("Kiểm tra", "audit")
    auditor = offices.enrol(lan, "Kiểm tra", "auditor", "Dung")
    lan.new_case(["gbv"])
    lan.sync()
    auditor.sync()
    assert auditor.status().changes > 0
    assert (auditor.status().cases, lan.status().cases) == (0, 1)
