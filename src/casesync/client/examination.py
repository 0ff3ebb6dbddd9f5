"""What ``doctor`` finds, of a replica that does not open too (client).

Every check that can be made is made and listed, whatever the ones before it found. Nothing is
repaired here: what was sent is safe at the relay, and what was not may still be rescued.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from casesync.client import anchor
from casesync.client.health import Health
from casesync.client.home import Home
from casesync.client.network_views import Finding
from casesync.client.opening import database_key, open_core
from casesync.foundation.errors import (
    AccessDenied,
    CasesyncError,
    LocalStateError,
    RelayMisbehaviour,
)
from casesync.foundation.secret_bytes import SecretBytes
from casesync.storage.sql_store import open_encrypted

_NOT_DAMAGED: Final = frozenset(
    {"home-missing", "locked", "passphrase-wrong", "database-locked", "not-joined"}
)
"""Reasons why nothing opens that say nothing about the replica's files."""
_NOT_LOCAL: Final[Mapping[str, type[CasesyncError]]] = {
    "device-suspended": AccessDenied,
    "relay-key-changed": RelayMisbehaviour,
}
"""Findings that are errors, and of another family than this device's files."""


class Examination(NamedTuple):
    """What was found, and the first error among it, if there is one."""

    findings: list[Finding]
    error: CasesyncError | None


def examine(folder: Path, passphrase: str | None = None) -> Examination:
    """Check a replica and its relay as far as can be.

    Args:
        folder: the replica's folder.
        passphrase: None asks the unlock agent.

    Raises:
        LocalStateError: ``home-missing``, ``locked``, ``passphrase-wrong``, ``database-locked``,
            ``not-joined``: there is nothing to examine, or not now.
    """
    command = "casesync doctor"
    try:
        core, stack = open_core(folder, passphrase, command=command)
    except CasesyncError as error:
        if error.code in _NOT_DAMAGED:
            raise
        return Examination(_files(folder, passphrase, error, command), error)
    with stack:
        findings = Health(core).doctor()
    return Examination(findings, first_error(findings))


def first_error(findings: Sequence[Finding]) -> CasesyncError | None:
    """The first finding of level error as an error of its family; None: there is none."""
    codes = [finding.code for finding in findings if finding.level == "error"]
    return _NOT_LOCAL.get(codes[0], LocalStateError)(codes[0]) if codes else None


def _files(
    folder: Path, passphrase: str | None, error: CasesyncError, command: str
) -> list[Finding]:
    """One finding per file, and the error that keeps the replica from opening."""
    findings: list[Finding] = []
    try:
        key = database_key(folder, passphrase)
        findings.append(Finding("ok", "vault-sound"))
        findings += _database(folder, key, command)
    except CasesyncError as failed:
        findings.append(Finding("error", failed.code, failed.params))
    try:
        held = anchor.read(folder)
        findings.append(
            Finding("error", "anchor-missing") if held is None else Finding("ok", "anchor-sound")
        )
    except CasesyncError as failed:
        findings.append(Finding("error", failed.code, failed.params))
    if not any(finding.level == "error" for finding in findings):
        findings.append(Finding("error", error.code, error.params))
    findings.append(Finding("warning", "relay-unchecked"))
    return findings


def _database(folder: Path, key: SecretBytes, command: str) -> list[Finding]:
    home = Home(folder)
    with home.locked(command):
        store = open_encrypted(home.database, key, create=False)
        try:
            opened = Finding("ok", "database-opens")
            try:
                store.check()
            except CasesyncError as failed:
                return [opened, Finding("error", failed.code, failed.params)]
            return [opened, Finding("ok", "database-sound")]
        finally:
            store.close()
