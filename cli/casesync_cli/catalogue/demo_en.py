"""The demo's story, in English (cli)."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    # chapters
    "chapter.founding": "Three offices and an auditor found a network",
    "chapter.offline": "The line is down, and everybody works",
    "chapter.conflict": "Two colleagues edit the same fields",
    "chapter.sharing": "A consent, and two compartments of one case",
    "chapter.revoking": "She changes her mind",
    "chapter.theft": "A laptop is stolen",
    "chapter.audit": "Who saw this case?",
    "chapter.blindness": "What does the relay know?",
    # the story
    "tell.opening": "A story with a relay, five laptops and {cases} invented cases. Every process "
    "is real, no person is.",
    "tell.relay": "The relay is a process of its own (id {pid}, {url}). It stores and forwards; "
    "nothing in it can open anything.",
    "tell.founded": "{member} of '{unit}' founds '{network}', adds an OSSO, a district union and "
    "an audit office, and invites four colleagues. Each newcomer's screen shows a code; {member} "
    "types what she hears on the telephone.",
    "tell.line-down": "A storm: the relay is stopped. Nobody can sync.",
    "tell.written": "{member} opens {count} cases, each one durable before the next ({seconds} "
    "s). The others open a few of their own.",
    "tell.kept": "{count} changes wait on the four laptops for the line to come back.",
    "tell.line-up": "The relay runs again, on the same database.",
    "tell.found": "{member} types '{typed}', without accents, and finds {name} ({case}), which a "
    "colleague wrote.",
    "tell.edited": "The line is down again. {one} and {other} both sit at case {case} and both "
    "change its risk level, its contact rule and the spelling of the name. OSSO and union write "
    "into cases of their own.",
    "tell.disputed": "After syncing, both laptops show the dispute in case {case}:",
    "tell.counts": "Until a person decides, the more protective value counts: {value}.",
    "tell.decided": "{member} decides, by name: '{reason}'.",
    "tell.consent": "She agrees that '{unit}' may know how to reach her. The words she was read "
    "are kept (consent {id}): '{notice}'",
    "tell.granted": "On that consent {member} shares two compartments with '{unit}', writing "
    "allowed (grant {id}).",
    "tell.osso-sees": "{member} sees how to reach her ('{rule}'; {safe}) and how far her support "
    "has come. Name, address and risk stay sealed.",
    "tell.used": "{member} writes into the case: '{text}'. The shelter reads it under her name.",
    "tell.revoked": "{member} records the withdrawal and ends the grant: '{reason}'. {other} has "
    "not synced yet and still writes into the case.",
    "tell.late": "{member}'s late work arrives at the shelter. It is authentic, and it does not "
    "count:",
    "tell.suspended": "{member}'s laptop (device {device}) is gone, switched on and open. "
    "'{unit}' suspends it with one command.",
    "tell.thief-asks": "The thief tries to sync. The answer: {answer}",
    "tell.epochs": "{member} works on. The new case {case} lies under the unit's keys of epoch "
    "{epoch}, which the stolen laptop never held.",
    "tell.disk": "The thief reads the disk: {files} files, {bytes} bytes, everything planted is "
    "looked for.",
    "tell.verified": "{member} verifies {entries} access entries in {changes} changes against the "
    "relay; checkpoint {checkpoint}...",
    "tell.who-saw": "Who saw case {case}:",
    "tell.planted": "{texts} names, numbers, units, types, fields and values were planted. They "
    "are looked for in {spellings} spellings: UTF-8 and UTF-16, composed and decomposed, folded, "
    "hex, base64, msgpack.",
    "tell.searched": "Searched: {files} ({bytes} bytes).",
    "tell.hit": "FOUND: {kind} '{text}' in {file}",
    "tell.left": "Everything is kept in {folder}; LOOK-AROUND.txt there says how to look around.",
    # what people type
    "typed.rule-lan": "call in the morning only, as her former teacher",
    "typed.rule-cuc": "do not call any more, that man has her telephone",
    "typed.reason-lan": "she says she feels calmer since she changed rooms",
    "typed.reason-cuc": "the man came to the gate and asked for her by name",
    "typed.decision": "heard both of us; the danger at the gate is real",
    "typed.note-osso": "appointment for the sewing course next week",
    "typed.note-union": "asked about a loan for the vegetable stall",
    "typed.notice": "I agree that the OSSO may know how to reach me safely and how my support is "
    "coordinated, for vocational training only. I may take this back at any time.",
    "typed.talk": "talked about the sewing course; we meet at the culture house at three",
    "typed.rule-osso": "send a text first, signed as the sewing class",
    "typed.late": "introduced her to the sewing group at the market",
    "typed.withdrawn": "she changed her mind and wants to get in touch by herself",
    "typed.stolen": "lost on the bus last night",
    "typed.thief": "a thief scribbles into this case",
    "typed.after": "gate lock changed, night guard informed",
    # what is kept with --keep
    "kept.relay": "Start the relay again, in a terminal of its own:",
    "kept.laptop": "Laptop of {member}, {unit} (then the passphrase):",
    # progress
    "progress.joining": "joining",
    "progress.writing": "opening cases",
    "progress.syncing": "syncing",
    # columns
    "column.person": "person",
    "column.unit": "office",
    "column.role": "role",
    "column.process": "process",
    "column.code": "code compared",
    "column.cases": "cases here",
    "column.value": "value",
    "column.change": "change",
    "column.reason": "reason",
    "column.entries": "entries",
    "column.actions": "what was done",
    "column.check": "checked",
    # risk levels, as people say them
    "risk.low": "low",
    "risk.medium": "medium",
    "risk.high": "high",
    # safe to contact, as people say it
    "safe.no": "not safe to contact",
    "safe.only_as_agreed": "only as agreed",
    "safe.yes": "safe to contact",
    # checks
    "check.five-laptops": "five laptops, each a process with an encrypted replica of its own, in "
    "one network",
    "check.codes-compared": "every newcomer was let in by comparing the code on her screen",
    "check.offline-unreachable": "without the relay a sync says so (exit 4)",
    "check.offline-kept": "everything written offline is kept and waits to be sent",
    "check.all-synced": "when the line is back, every laptop syncs completely",
    "check.own-cases-only": "each office holds its own cases and no others",
    "check.found-unaccented": "a name is found without its accents",
    "check.both-words": "both colleagues' words are kept, on both laptops",
    "check.protective-value": "the disputed risk level counts as high until a person decides, "
    "with authors named",
    "check.no-silent-overwrite": "a disputed field cannot be overwritten in passing (exit 7)",
    "check.decided-by-name": "a named person decided, and the history keeps every earlier word",
    "check.same-everywhere": "both laptops show exactly the same case",
    "check.consent-limits": "more than the consent covers cannot be shared",
    "check.two-compartments": "the OSSO reads the two shared compartments and nothing of the "
    "others",
    "check.grant-used": "what the OSSO writes reaches the shelter under its author's name",
    "check.grant-limited": "outside the grant the OSSO cannot write (exit 5)",
    "check.late-quarantined": "work the OSSO wrote before it knew of the end arrives in quarantine",
    "check.late-not-counted": "that late work does not count",
    "check.copy-destroyed": "the OSSO's copy is destroyed",
    "check.thief-refused": "the stolen laptop is refused (exit 5)",
    "check.thief-learns-nothing": "it gets no new case and no new word",
    "check.new-keys": "the office works on under new keys, which the stolen laptop does not hold",
    "check.thief-writes-nothing": "what the thief writes reaches nobody",
    "check.disk-closed": "the stolen disk shows none of what was planted",
    "check.audit-verified": "the access log is whole: signatures, chains, both logs against the "
    "relay",
    "check.who-saw": "exactly those who saw the case are named, the OSSO's looks with their grant",
    "check.refusal-logged": "the refused attempt stands in the log too",
    "check.auditor-blind": "the auditor reads who looked, and nothing of the case",
    "check.search-finds": "the search finds all of it where it is stored in clear",
    "check.relay-running-blind": "running relay: database, write-ahead log and log hold none of it",
    "check.relay-stopped-blind": "stopped relay: its files hold none of it",
    # the end
    "summary": "{held} of {all} checks held, in {seconds} seconds.",
}
