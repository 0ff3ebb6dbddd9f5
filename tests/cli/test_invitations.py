"""Invitations that are over, and two devices that answer one: code 5, and nothing stays behind."""

from __future__ import annotations

import subprocess

import pytest

from casesync.client import joining, opening
from cli.casesync_runs import Done, Laptop
from cli.conftest import enrol, found

UNIT = "Nhà Bình Yên"


@pytest.fixture(scope="module")
def shelter(relay, tmp_path_factory):
    laptop = Laptop(tmp_path_factory.mktemp("invitations") / "home", "hoa sen ven hồ 1")
    found(relay, laptop)
    return laptop


def invited(shelter: Laptop, *words: str) -> dict[str, str]:
    return shelter.json("invite", "--unit", UNIT, "--role", "caseworker", *words)


def expect(done: Done, code: int, name: str) -> None:
    assert (done.code, done.out, done.error["code"]) == (code, "", name)


def test_text_that_is_no_invitation_is_a_usage_error(shelter, tmp_path):
    joiner = Laptop(tmp_path / "a", "bốn từ rất dễ nhớ")
    for text in ("nonsense", invited(shelter)["text"][:-1]):
        done = joiner.run("join", text, "--name", "Mai", "--json")
        expect(done, 2, "invitation-malformed")
    assert not joiner.home.exists()


def test_an_invitation_that_is_over_is_refused_with_one_code_whatever_ended_it(
    shelter, tmp_path, monkeypatch
):
    late, joiner = (
        Laptop(tmp_path / "late", "ba từ rất dễ nhớ"),
        Laptop(tmp_path / "a", "bốn từ rất dễ nhớ"),
    )
    cancelled, used, expired = invited(shelter), invited(shelter), invited(shelter, "--for", "2d")
    shelter.json("invite", "cancel", cancelled["id"])
    joiner.json("join", used["text"], "--name", "Mai")
    words = ("--name", "Hoa", "--json")
    expect(late.run("join", cancelled["text"], *words), 5, "invitation-gone")
    expect(late.run("join", used["text"], *words), 5, "invitation-used")
    approved = shelter.run("member", "approve", cancelled["id"], "--json")
    expect(approved, 5, "invitation-cancelled")
    now_ms = joining.SystemClock.now_ms
    monkeypatch.setattr(joining.SystemClock, "now_ms", lambda self: now_ms(self) + 3 * 86_400_000)
    expect(late.run("join", expired["text"], *words), 5, "invitation-expired")
    assert not late.home.exists()


@pytest.mark.parametrize("folder_was_there", [False, True])
def test_who_loses_the_race_for_an_invitation_is_left_as_before(
    shelter, tmp_path, monkeypatch, folder_was_there
):
    faster, slower = (
        Laptop(tmp_path / "faster", "bốn từ rất dễ nhớ"),
        Laptop(tmp_path / "slower", "bốn từ khác dễ nhớ"),
    )
    if folder_was_there:
        slower.home.mkdir()
        (slower.home / "own").write_text("hers")
    made = invited(shelter)
    create, runs = opening.create_folder, []

    def create_and_be_overtaken(*arguments):
        create(*arguments)
        if not runs:
            runs.append(faster.run_process("join", made["text"], "--name", "Mai", "--json"))

    monkeypatch.setattr(opening, "create_folder", create_and_be_overtaken)
    done = slower.run("join", made["text"], "--name", "Hoa", "--json")
    expect(done, 5, "invitation-used")
    assert runs[0].json["state"] == "posted"
    left = [path.name for path in slower.home.iterdir()] if slower.home.exists() else None
    assert left == (["own"] if folder_was_there else None)
    enrol(shelter, slower, UNIT, "caseworker", "Hoa")
    assert slower.json("whoami")["member"] == "Hoa"
    shelter.json("invite", "cancel", made["id"])


def test_of_two_joins_in_one_folder_the_key_of_the_first_survives(shelter, tmp_path):
    laptop, texts = (
        Laptop(tmp_path / "home", "bốn từ rất dễ nhớ"),
        [invited(shelter) for _ in range(2)],
    )
    started = [
        subprocess.Popen(
            laptop.command("join", made["text"], "--name", "Mai", "--json"),
            env=laptop.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for made in texts
    ]
    assert 0 in [process.wait(timeout=60) for process in started]
    assert laptop.json("join")["state"] == "posted"
    for made in texts:
        shelter.json("invite", "cancel", made["id"])
