"""``cli/JSON.md`` and the views it documents agree."""

from __future__ import annotations

import dataclasses
import inspect
import re

import pytest

from casesync.client import network_views, views
from casesync_cli.render_json import json_key
from house_rules.sources import ROOT
from house_rules.test_texts import all_commands

TEXT = (ROOT / "cli" / "JSON.md").read_text("utf-8")
BY_COMMAND = {
    "case list": views.CaseSummary,
    "case history": views.HistoryView,
    "conflict list": views.ConflictView,
    "consent show": views.ConsentView,
    "grant give": views.GrantView,
    "network create": network_views.WhoAmI,
    "unit add": network_views.UnitView,
    "invite create": network_views.InvitationView,
    "join": network_views.JoinStatus,
    "member approve": network_views.ApproveStatus,
    "member list": network_views.MemberView,
    "device list": network_views.DeviceView,
    "device suspend": network_views.SuspendResult,
    "sync": network_views.SyncReport,
    "outbox": network_views.OutboxView,
    "status": network_views.StatusView,
    "quarantine list": network_views.QuarantineView,
    "audit list": network_views.AuditEntryView,
    "audit verify": network_views.AuditReport,
}


def keys(view: type) -> list[str]:
    return [json_key(field.name) for field in dataclasses.fields(view)]


def row_of(command: str) -> str:
    rows = [line for line in TEXT.splitlines() if line.startswith("| ")]
    return next(line for line in rows if f"`{command}`" in line.split(" | ")[0])


@pytest.mark.parametrize(("command", "view"), BY_COMMAND.items(), ids=str)
def test_every_key_of_a_view_is_documented_and_no_other(command, view):
    documented = set(re.findall(r'"(\w+)"', row_of(command).split(" | ", 1)[1]))
    documented -= {"DEVICE", "TYPE", "posted", "code", "waiting", "joined", "nonce"}
    expected = set(keys(view)) - {"state", "code"}
    inner = set(keys(network_views.AuditDevice)) if command == "audit verify" else set()
    assert documented - inner - {"state", "count", "after"} == expected - inner


def test_no_view_has_two_fields_with_one_key():
    for module in (views, network_views):
        for _, view in inspect.getmembers(module, dataclasses.is_dataclass):
            assert len(set(keys(view))) == len(keys(view)), view


def test_every_command_is_documented():
    for command in all_commands():
        path = command.path  # type: ignore[attr-defined]
        if path not in {"casesync"} and not hasattr(command, "commands"):
            assert f"`{path}`" in TEXT, path
