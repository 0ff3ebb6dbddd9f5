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
    "reported-not-admitted": "reported, not yet admitted: {type}.{field} = {value}",
    "newer-schema": "{type} is from a newer version and shown as it is",
    "outbox-pending": "{count} changes are not acknowledged by the relay",
    "behind-checkpoint": "{count} changes at the relay are not here yet",
    "backfills-pending": "{count} cases still miss older changes",
    "push-stopped": "nothing is sent any more: {reason}; run 'casesync doctor'",
    "colleague-needed": "a colleague must run 'casesync member approve' before you can read: "
    "{compartments}",
    "unit-one-device": "{unit} has one device only: if it is lost, what only it could read is "
    "lost; enrol a second one",
    "network-one-administrator": "the network has one administrator only; invite a second one "
    "with --administrator",
    "no-witnesses": "no witnesses yet: a relay could show two histories; compare the checkpoints "
    "by telephone",
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
    "reason.no-grant": "the office has no grant to write in this case",
    "reason.grant-revoked": "the grant was revoked before this arrived; decide with the office "
    "what to do with it",
    "reason.compartment-not-allowed": "role or grant do not allow writing this compartment",
    "reason.statement-missing": "the key it was sealed under is not introduced yet",
    "reason.statement-invalid": "it introduces a key in a way that is not allowed",
    "reason.restored-or-copied": "two changes with one number: a restored or copied device",
    "reason.does-not-open": "it does not open with its key",
    "reason.malformed": "its content is malformed",
    "reason.no-key": "this device has no key for it",
    "reason.field-not-allowed": "a field does not belong to the compartment it was written in",
}
