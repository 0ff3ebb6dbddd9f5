"""Why something was refused or decided is shown to people, not to programs alone."""

from __future__ import annotations

import pytest

from casesync.client.network_views import AuditEntryView
from casesync.client.views import Page
from casesync_cli.commands.audit import _deliver
from casesync_cli.settings import Settings


def entry(action: str, outcome: str, detail: str | None, **more) -> AuditEntryView:
    who = ("Mai", "counsellor", "OSSO", 3, 7, None, (), (), "case_work", None)
    return AuditEntryView(1_767_225_600_000, action, outcome, *who, detail, **more)


def shown(capsys: pytest.CaptureFixture[str], lang: str, *entries: AuditEntryView) -> str:
    _deliver(Settings(lang=lang), Page(entries, len(entries)))
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", "device 4: Only administrators may do this."),
        ("vi", "thiết bị 4: Chỉ người quản trị mới được làm việc này."),
    ],
)
def test_a_refusal_is_told_in_words_with_what_it_was_about(capsys, lang, said):
    view = entry("administer", "refused", "not-administrator", about="device 4")
    assert said in shown(capsys, lang, view)


def test_a_refusal_without_its_parameters_shows_no_braces_and_no_code(capsys):
    text = shown(capsys, "en", entry("grant", "refused", "consent-withdrawn"))
    assert "The consent … was withdrawn." in text
    assert "newer-library" in shown(capsys, "en", entry("grant", "refused", "newer-library"))


def test_the_reason_of_a_decision_is_shown_and_cannot_steer_the_terminal(capsys):
    text = shown(capsys, "vi", entry("conflict", "success", "đã gặp tận nơi\x1b[2J"))
    assert "lý do" in text
    assert "quyết định xung đột" in text
    assert "đã gặp tận nơi" in text
    assert "\x1b" not in text


def test_who_looked_at_conflicts_is_told_from_who_decided(capsys):
    view = entry("conflict", "success", None, hits=2, look=True)
    assert "xem xung đột" in shown(capsys, "vi", view)
    assert "decided a conflict" in shown(
        capsys, "en", entry("conflict", "success", None, look=False)
    )


def test_a_page_without_reasons_has_no_column_for_them(capsys):
    text = shown(
        capsys, "en", entry("list", "success", "50", hits=50), entry("read", "success", None)
    )
    assert "reason" not in text
