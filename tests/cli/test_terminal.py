"""What a person at a terminal is asked, and what is never shown."""

from __future__ import annotations

import re
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from queue import Queue

import pytest
from typing_extensions import override

from cli.casesync_runs import Laptop
from cli.conftest import found, start_relay, stop_relay
from cli.terminal_runs import at_terminal, listen_to_ctrl_c

SECRET = "hoa sen ven hồ Tây"


@pytest.fixture
def create(relay):
    return ["network", "create", "Bình Yên", "--relay", relay.url, "--name", "Lan"]


def test_a_new_passphrase_is_asked_for_twice_and_never_shown(create, tmp_path):
    laptop = Laptop(tmp_path / "home")
    code, screen = at_terminal(
        laptop,
        create,
        [
            ("New passphrase (at least 15 characters):", SECRET),
            ("New passphrase again:", "khác"),
            ("New passphrase (at least 15 characters):", "hoa sen ven hồ"),
            ("New passphrase (at least 15 characters):", SECRET),
            ("New passphrase again:", SECRET),
        ],
    )
    assert code == 0, screen
    assert "this one has 14" in screen
    assert SECRET not in screen
    assert re.search(r"The relay's key is pinned: [0-9a-f]{64}", screen)
    assert Laptop(laptop.home, SECRET).run("whoami").code == 0


def test_the_passphrase_is_asked_for_where_nothing_gives_it(relay, tmp_path):
    known = Laptop(tmp_path / "home", SECRET)
    found(relay, known)
    code, screen = at_terminal(Laptop(known.home), ["whoami"], [("Passphrase:", SECRET)])
    assert code == 0, screen
    assert "Lan" in screen
    code, screen = at_terminal(Laptop(known.home), ["whoami"], [("Passphrase:", "sai")])
    assert code == 3
    code, screen = at_terminal(Laptop(known.home), ["whoami", "--json"])
    assert (code, "Passphrase:" in screen) == (3, False)
    assert '"code": "locked"' in screen


def test_unlock_spares_the_passphrase_until_lock(relay, tmp_path):
    known = Laptop(tmp_path / "home", SECRET)
    found(relay, known)
    assert known.json("unlock", "--for", "5m")["unlocked"] is True
    silent = Laptop(known.home)
    try:
        assert silent.json("whoami")["member"] == "Lan"
    finally:
        assert known.json("lock")["unlocked"] is False
    refused = silent.run("whoami", "--json")
    assert (refused.code, refused.error["code"]) == (3, "locked")


def test_a_passphrase_is_changed_without_losing_anything(relay, tmp_path):
    known = Laptop(tmp_path / "home", SECRET)
    found(relay, known)
    (tmp_path / "new").write_text("mật khẩu mới và dài\n", "utf-8")
    known.json("passphrase", "change", "--new-passphrase-file", str(tmp_path / "new"))
    assert known.run("whoami").code == 3
    assert Laptop(known.home, "mật khẩu mới và dài").run("whoami").code == 0


def test_two_people_let_each_other_in_over_the_telephone(relay, tmp_path):
    lan, mai = Laptop(tmp_path / "lan", SECRET), Laptop(tmp_path / "mai", SECRET)
    found(relay, lan)
    invitation = lan.json("invite", "--unit", "Nhà Bình Yên", "--role", "caseworker")
    heard: Queue[str] = Queue()
    with ThreadPoolExecutor() as pool:
        approving = pool.submit(
            at_terminal,
            lan,
            ["member", "approve", invitation["id"]],
            [
                ("Code on the other screen:", "a slip of the finger"),
                ("Code on the other screen:", lambda: heard.get(timeout=30)),
            ],
        )
        status = {"state": ""}
        while status["state"] != "joined":
            done = mai.run_process("join", invitation["text"], "--name", "Mai", "--json")
            assert done.code == 0, done.err
            status = done.json
            if status["state"] == "code" and heard.empty():
                heard.put(status["code"].lower())
        code, screen = approving.result()
    assert code == 0, screen
    assert re.search(r"Mai has joined with device \d+", screen)
    assert mai.json("whoami")["member"] == "Mai"


def test_without_a_terminal_both_sides_wait_and_the_code_comes_by_option(relay, tmp_path):
    lan, mai = Laptop(tmp_path / "lan", SECRET), Laptop(tmp_path / "mai", SECRET)
    found(relay, lan)
    invitation = lan.json("invite", "--unit", "Nhà Bình Yên", "--role", "caseworker")
    with ThreadPoolExecutor() as pool:
        approving = pool.submit(lan.run_process, "member", "approve", invitation["id"])
        status = {"state": ""}
        while status["state"] != "code":
            status = mai.json("join", invitation["text"], "--name", "Mai")
        waited = approving.result()
        assert waited.code == 2, waited.err
        message, advice = waited.err.splitlines()
        assert "code" in message
        assert "--code" in advice
        joining = pool.submit(mai.run_process, "join")
        done = lan.run_process("member", "approve", invitation["id"], "--code", status["code"])
        assert (done.code, done.err) == (0, "")
        assert "Mai has joined" in done.out
        assert "You have joined" in joining.result().out


class InSmallSteps(Laptop):
    """Brings its lists up to date case by case, so that few cases take several steps."""

    @override
    def command(self, *words: str) -> list[str]:
        program = (
            "from casesync.client import listing\n"
            "from casesync_cli.app import main\n"
            "listing.STREAMS_PER_TRANSACTION = 1\n"
            "main()\n"
        )
        return [sys.executable, "-c", program, *self.arguments(*words)]


def test_lists_that_are_brought_up_to_date_first_say_so_to_who_looks(relay, tmp_path):
    known = Laptop(tmp_path / "home", SECRET)
    found(relay, known)
    laptop = InSmallSteps(known.home, SECRET, extra={"TERM": "xterm"})
    for _ in range(3):
        known.json("case", "new", "--kind", "gbv")
    code, screen = at_terminal(laptop, ["case", "list"])
    assert code == 0, screen
    assert "Bringing lists and search up to date" in screen
    assert "3 of 3 shown" in screen
    code, screen = at_terminal(laptop, ["case", "list"])
    assert "Bringing" not in screen


def test_a_relay_in_the_background_ignores_ctrl_c_as_it_was_told(tmp_path):
    ignoring = lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)  # noqa: E731 - in the child
    relay = start_relay(tmp_path / "relay.db", prepare=ignoring)
    relay.process.send_signal(signal.SIGINT)
    found(relay, Laptop(tmp_path / "home", SECRET))
    assert stop_relay(relay) == 0


def test_ctrl_c_leaves_nothing_half_done(create, tmp_path):
    laptop = Laptop(tmp_path / "home")
    relay = start_relay(tmp_path / "relay.db", prepare=listen_to_ctrl_c)
    relay.process.send_signal(signal.SIGINT)
    assert relay.process.wait(timeout=30) == 0

    code, screen = at_terminal(
        laptop, create, [("New passphrase (at least 15 characters):", "\x03")]
    )
    assert code == 130, screen
    assert "Traceback" not in screen
    assert not laptop.home.exists()


def test_who_waits_for_a_silent_relay_sees_what_for(tmp_path):
    """It takes the connection and answers nothing: for a minute there would be an empty screen."""
    relay = start_relay(tmp_path / "relay.db")
    laptop = Laptop(tmp_path / "home", SECRET, extra={"TERM": "xterm"})
    found(relay, laptop)
    port = int(relay.url.rsplit(":", 1)[1])
    assert stop_relay(relay) == 0
    with socket.create_server(("127.0.0.1", port)):
        code, screen = at_terminal(laptop, ["sync"], [("Asking the relay", "\x03")])
    assert code == 130, screen
    assert "Traceback" not in screen


def test_who_waits_for_another_person_may_leave_and_come_back(relay, tmp_path):
    lan = Laptop(tmp_path / "lan", SECRET)
    mai = Laptop(tmp_path / "mai", SECRET, lang="vi")
    found(relay, lan)
    invitation = lan.json("invite", "--unit", "Nhà Bình Yên", "--role", "caseworker")
    approve = ["member", "approve", invitation["id"]]
    for laptop, command, said, again in (
        (lan, approve, "Ctrl-C is safe", f"'casesync member approve {invitation['id']}'"),
        (
            mai,
            ["join", invitation["text"], "--name", "Mai"],
            "Ctrl-C không mất gì",
            "'casesync join'",
        ),
    ):
        code, screen = at_terminal(laptop, command, [(said, "\x03")])
        assert code == 130, screen
        assert again in screen
        assert screen.count("Ctrl-C") == 1
        assert "Traceback" not in screen
    lan.json(*approve)
    status = mai.json("join")
    assert lan.json(*approve)["state"] == "code"
    code, screen = at_terminal(lan, approve, [("Code on the other screen:", "\x03")])
    assert code == 130, screen
    assert "Ctrl-C is safe" in screen
    assert lan.json(*approve, "--code", status["code"])["state"] == "joined"
    code, screen = at_terminal(mai, ["join"])
    assert code == 0, screen
    assert "Ctrl-C" not in screen
