"""Facts, findings and reasons, in English (cli)."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    # facts (client/views.py, FACTS)
    "waiting-for-change": "waiting for change {number} of {unit}",
    "waiting-for-unit": "waiting for {unit}",
    "waiting-for-control": "waiting for a newer control log; run 'casesync sync'",
    "waiting-for-stream": "waiting for the beginning of this case; run 'casesync sync'",
    "waiting-for-key": "waiting for {unit}: no key for {compartment} yet",
    "backfill-owed": "older changes are still to be fetched; run 'casesync sync'",
    "before-grant": "what {unit} wrote before your grant is not shared",
    "reported-not-admitted": "reported, not yet admitted: {field} = {value}",
    "newer-schema": "{type} is from a newer version and shown as it is",
    "access-pending": "entries of the access log that go along with the next sync: {count}",
    "relay-contradicted": "the relay's last answer contradicts its log ({reason}); nothing of it "
    "was taken, tell your administrator",
    "outbox-pending": "changes that the relay has not acknowledged: {count}",
    "behind-checkpoint": "changes at the relay that are not here yet: {count}",
    "backfills-pending": "cases that still miss older changes: {count}",
    "push-stopped": "nothing is sent any more: {reason}; run 'casesync doctor'",
    "push-stopped.device-restored": "nothing is sent any more: the relay says that it holds "
    "changes of this device that are not here, so that this folder was restored or copied. Sync "
    "again. If this stays, leave the folder as it is, ask an administrator to suspend this device "
    "and to invite you again, run 'casesync join' with another --home, and write again there what "
    "was not sent",
    "push-stopped.device-forked": "nothing is sent any more: the relay holds other changes under "
    "this device's numbers, so that this folder was restored or copied. If it is a copy, work "
    "where it was copied from. Otherwise leave the folder as it is, ask an administrator to "
    "suspend this device and to invite you again, run 'casesync join' with another --home, and "
    "write again there what was not sent",
    "push-stopped.database-rolled-back": "nothing is sent any more: the database is older than the "
    "file 'anchor' beside it, or that file is missing: something here was restored, copied or "
    "moved. If the newer files lie elsewhere, put them back. Otherwise leave the folder as it is, "
    "ask an administrator to suspend this device and to invite you again, run 'casesync join' with "
    "another --home, and write again there what was not sent",
    "push-stopped.anchor-damaged": "nothing is sent any more: the file 'anchor' of this replica is "
    "damaged. Do not delete it; tell your administrator",
    "device-suspended": "this device was suspended: the relay takes nothing from it and gives it "
    "nothing; what was not sent stays here and will never be sent. Talk to your administrator",
    "colleague-needed": "a colleague must run 'casesync member approve' before you can read: "
    "{compartments}",
    "disk-nearly-full": "this disk has only {megabytes} MB left; free some space before saving and "
    "syncing stop",
    "access-reserve-missing": "the room kept for access entries is used up or not made yet: on a "
    "full disk no case could be shown; free some space",
    "folder-copied": "the relay had seen later requests of this device: this folder was restored "
    "or copied. If it is a copy, work where it was copied from and never sync from here. If it was "
    "restored, run 'casesync sync' once more: it says whether anything written since is missing "
    "here, and sends nothing then",
    "colleague-waits": "{member} (device {device}) cannot read yet: run 'casesync member approve'",
    "unit-one-device": "{unit} has one device only: if it is lost, what only it could read is "
    "lost; enrol a second one",
    "network-one-administrator": "the network has one administrator only; invite a second one "
    "with --administrator",
    "no-witnesses": "no witnesses yet: a relay could show two histories; both offices sync "
    "and read their comparison code over the telephone: with equal numbers of control entries and "
    "changes the digits must be equal, otherwise stop and tell your administrator",
    "no-audit-unit": "no audit office yet: the access log waits on the devices",
    "clock-skew": "this computer's clock is off by {minutes} minutes; set it",
    "role-not-held": "no device of {unit} can replace its keys",
    "suspend-sole-device": "this is the only device of {unit}: what only this office could read "
    "waits for recovery, which this version does not have",
    "suspend-rotates-now": "the keys of {unit} will be replaced in the same step",
    "suspend-rotates-later": "the keys of {unit} will be replaced by its first device that syncs",
    "suspend-unsent-lost": "what device {device} has not sent yet will not count",
    "risk-without-assessment": "risk level without a risk assessment",
    "late-entry": "late entry: {type} was written without knowledge of the closing",
    "approval-again": "edited beside the approval: approval is requested again",
    "illegal-step": "{field}: this step is not one of the declared ones",
    "integrity-conflict": "{field}: written once, but more than one value exists",
    # reasons in quarantine (protocol/membership.md, Verdict)
    "reason.device-unknown": "the device was not enrolled when it wrote this",
    "reason.control-missing": "a newer control log is needed first; run 'casesync sync'",
    "reason.suspended": "the device was suspended before this arrived",
    "reason.stream-unopened": "the beginning of the case is not here yet",
    "reason.opening-invalid": "the case was opened in a way that is not allowed",
    "reason.base-missing": "earlier administrative changes of the case cannot be opened yet",
    "reason.base-unreadable": "its administrative part cannot be opened here; the key box of its "
    "author for this office is missing or holds nothing",
    "reason.no-grant": "the office has no grant to write in this case",
    "reason.grant-revoked": "the grant was revoked before this arrived; decide with the office "
    "what to do with it",
    "reason.compartment-not-allowed": "role or grant do not allow writing this compartment",
    "reason.statement-missing": "the key it was sealed under is not introduced yet",
    "reason.statement-invalid": "it introduces a key in a way that is not allowed",
    "reason.copied-device": "two changes with one number: a restored or copied device",
    "reason.signature-missing": "no signature proves its author yet",
    "reason.author-unproven": "no signature proves its author, and what followed it was not shown "
    "to this office",
    "reason.change-malformed": "its content is malformed",
    "reason.no-key": "this device has no key for it",
    "reason.copies-not-allowed": "it copies what others wrote, and its author's office may not",
    "reason.copy-differs": "it copies what others wrote, but not as they wrote it; here their own "
    "words count, an office with a grant may see the copy: revoke the grant and grant again",
    "reason.field-not-allowed": "a field does not belong to the compartment it was written in",
    "reason.segment-does-not-open": "a sealed part does not open with its key",
    "reason.segment-malformed": "a sealed part is malformed inside",
    # findings of doctor that are neither facts nor errors
    "finding.database-current": "the database is not older than what this device knew last",
    "finding.database-sound": "every page of the database passes its check",
    "finding.relay-reachable": "the relay answers and has the pinned key",
    "finding.relay-key-changed": "another relay answers at this address: its key is not the pinned "
    "one. Nothing is sent to it; compare with 'casesync relay serve --print-key' at the relay",
    "finding.database-opens": "the database opens with its key",
    "finding.vault-sound": "the key of the database opens with this passphrase",
    "finding.anchor-sound": "the file 'anchor' is whole",
    "finding.anchor-missing": "the file 'anchor' of this replica is missing; without it nobody can "
    "tell whether the database is the newest, so nothing is written or sent. If it was moved, put "
    "it back; otherwise leave the folder as it is and enrol this device anew with an invitation.",
    "finding.relay-unchecked": "relay and what is not sent yet were not looked at: the replica "
    "does not open",
    "finding.database-corrupt": "a page of the database fails its check. Stop working here and "
    "leave the folder as it is; what was sent is safe at the relay. Ask an administrator to "
    "suspend this device and to invite you again, then run 'casesync join' with another --home. "
    "What was not sent must be written again there; an older copy of the folder is of no use, it "
    "would send nothing",
    "finding.database-does-not-open": "the database does not open: the file 'replica.db' was "
    "damaged or replaced. If it was moved, put it back; otherwise leave the folder as it is, ask "
    "an administrator to suspend this device and to invite you again, then run 'casesync join' "
    "with another --home",
    "finding.push-stopped": "the relay refused a change of this device ({reason}), and nothing "
    "is sent any more. Tell your administrator this word; work goes on here, but reaches nobody",
    "finding.keep": "Leave the folder as it is and tell your administrator what this list says.",
    # what an audit found (access/audit.py, FindingCode)
    "audit.change-missing": "a change between two others is not shown",
    "audit.change-repeated": "two changes carry one number",
    "audit.chain-broken": "a change does not continue the device's chain",
    "audit.signature-invalid": "no signature of the device proves a change",
    "audit.segment-unreadable": "entries are here that this device has no key for",
    "audit.segment-malformed": "a sealed part is malformed",
    "audit.entry-malformed": "an entry is malformed",
    "audit.entries-missing": "entries are missing",
    "audit.entries-repeated": "entries came twice",
    "audit.entry-chain-broken": "an entry does not continue the one before",
    "audit.contradicts-earlier": "an entry differs from the one shown earlier",
    "audit.entries-withdrawn": "entries shown earlier are gone",
    "audit.author-mismatch": "member, role or office are not those of the control log",
    "audit.control-size-impossible": "an entry names a control log that cannot be",
    "audit.late": "written or delivered behind the suspension",
}
