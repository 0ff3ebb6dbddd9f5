"""What the demo is made of, each by itself: invention, search, narration, processes, endings."""

from __future__ import annotations

import ast
import base64
import re
import sqlite3
import struct
import unicodedata
from hashlib import sha256
from pathlib import Path

import msgpack
import pytest

import casesync_cli.demo
from casesync.foundation.errors import CannotDecide, CasesyncError, UsageError
from casesync_cli.app import run
from casesync_cli.demo import story
from casesync_cli.demo.invented import Invention
from casesync_cli.demo.narrator import CHECKS, Narrator
from casesync_cli.demo.planted import Planted, Search
from casesync_cli.demo.processes import LaptopProcess, RelayProcess
from casesync_cli.settings import Settings
from casesync_cli.texts import catalogue

NAME = "Thử Nghiệm Thị Sương Mơ"
NUMBER = "+84000123456"


def search_for(*texts: str, everybodys: bytes = b"") -> Search:
    planted = Planted()
    planted.add("value", texts)
    return Search(planted, everybodys)


# -- invention ---------------------------------------------------------------------------------


def test_the_same_seed_invents_the_same_people():
    assert Invention("a").cases(40) == Invention("a").cases(40)
    assert Invention("a").cases(40) != Invention("b").cases(40)


def test_nobody_invented_could_exist():
    cases = Invention().cases(200)
    for case in cases:
        assert case.name.startswith("Thử Nghiệm ")
        assert re.fullmatch(r"\+84000\d{6}", case.typed("person.phones"))
        assert re.fullmatch(r"000\d{9}", case.typed("person.id_documents"))
    numbers = [c.typed(p) for c in cases for p in ("person.phones", "person.id_documents")]
    assert len(set(numbers)) == len(numbers)
    given = [unicodedata.normalize("NFC", c.typed("person.given_name")) for c in cases]
    assert len(set(given)) == 200


def test_some_names_are_typed_in_decomposed_form():
    given = [case.typed("person.given_name") for case in Invention().cases(200)]
    decomposed = [name for name in given if name != unicodedata.normalize("NFC", name)]
    assert 3 <= len(decomposed) <= 8


# -- search --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stored",
    [
        NAME.encode(),
        unicodedata.normalize("NFD", NAME).encode(),
        NAME.upper().encode(),
        NAME.casefold().encode("utf-16-le"),
        NAME.encode("utf-16-be"),
        b"thu nghiem thi suong mo",
        NAME.encode().hex().encode(),
        base64.b64encode(NAME.encode()),
        base64.b64encode(b"x" + NAME.encode()),
        base64.b64encode(b"xy" + NAME.encode() + b"z"),
        msgpack.packb({1: NAME}),
    ],
    ids=["utf8", "nfd", "upper", "utf16le", "utf16be", "folded", "hex", "base64", "base64-1",
         "base64-2", "msgpack"],
)  # fmt: skip
@pytest.mark.parametrize("before", range(4))
def test_a_name_is_found_in_every_spelling_wherever_it_stands(stored, before):
    content = b"\xf7" * before + stored + b"\xf7" * 5
    assert {hit.text for hit in search_for(NAME).content(content)} == {NAME}


@pytest.mark.parametrize("size", [6, 8])
@pytest.mark.parametrize("order", ["big", "little"])
def test_a_number_is_found_as_an_integer(size, order):
    content = b"ab" + int(NUMBER[1:]).to_bytes(size, order) + b"cd"
    assert {hit.text for hit in search_for(NUMBER).content(content)} == {NUMBER}


@pytest.mark.parametrize("stored", [b'"open"', b"\xa5phone", "phone".encode("utf-16-le")])
def test_a_short_word_is_found_where_it_cannot_be_chance(stored):
    assert search_for("open", "phone", "low").content(b"__" + stored + b"__")


def test_a_word_of_three_letters_is_found_when_it_occurs_more_often_than_by_chance():
    search = search_for("low")
    random = b"".join(sha256(str(n).encode()).digest() for n in range(60_000))
    assert search.content(random) == []
    rows = b"".join(bytes([7, row, 3, 19]) + b"low" for row in range(8))
    assert {hit.text for hit in search.content(random + rows)} == {"low"}


def test_a_page_that_a_log_holds_many_times_is_counted_once():
    """A relay's write-ahead log held "Dao", three bytes of ciphertext, in each copy of a page."""
    page = sha256(b"before").digest() + b"Dao" + sha256(b"behind").digest()
    assert search_for("Dao").content(page * 50) == []


def test_small_numbers_of_sixteen_bits_are_no_word():
    """A write-ahead log's index held 0x57, 0x68, 0x79 once: "Why" in UTF-16."""
    assert search_for("Why").content(struct.pack("<8H", 0x56, 0x57, 0x68, 0x79, 1, 2, 3, 4)) == []


def test_what_was_not_planted_is_not_found():
    search = search_for(NAME, NUMBER, "high")
    assert search.content(b"Nguyen Van A, +84912345678, low" * 100) == []
    assert search.content(b"") == []


def test_what_every_empty_relay_holds_says_nothing_about_anybody():
    search = search_for("Primary", everybodys=b"CREATE TABLE t (id INTEGER PRIMARY KEY)")
    assert search.content(b"x INTEGER PRIMARY KEY") == []
    assert search.content(b"x primary y")


def test_files_are_searched_whole(tmp_path):
    file = tmp_path / "relay.db"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE t (x)")
    connection.execute("INSERT INTO t VALUES (?)", (NAME,))
    connection.commit()
    connection.close()
    hits, size = search_for(NAME, NUMBER).files([file])
    assert {(hit.text, hit.file) for hit in hits} == {(NAME, "relay.db")}
    assert size == file.stat().st_size


# -- narration -----------------------------------------------------------------------------------


def demo_constants() -> set[str]:
    folder = Path(casesync_cli.demo.__file__).parent
    found = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_every_text_of_the_story_is_told_and_none_is_left_over():
    said = demo_constants() | {"lan", "cuc", "low", "medium", "high", "no", "only_as_agreed", "yes"}
    said |= {f"{word}-{who}" for word in ("rule", "reason") for who in ("lan", "cuc")}
    keys = set(catalogue("demo", "en"))
    assert not {key for key in keys if key not in said and key.partition(".")[2] not in said}
    assert {f"check.{key}" for key in CHECKS} == {k for k in keys if k.startswith("check.")}


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_table_names_every_check_and_how_it_went(lang, capsys):
    narrator = Narrator(Settings(lang=lang))
    narrator.check(CHECKS[0], held=True)
    narrator.check(CHECKS[1], held=False)
    narrator.summary(7.2)
    said = capsys.readouterr().out
    for key in CHECKS:
        assert narrator.words(f"check.{key}") in said
    assert said.count("✓") == 2
    assert said.count("✗") == 2
    assert narrator.words("summary", held=1, all=len(CHECKS), seconds=7) in said
    assert not narrator.all_held


def test_the_story_cannot_leave_a_check_out():
    narrator = Narrator(Settings(json=True))
    with pytest.raises(AssertionError):
        narrator.check(CHECKS[1], held=True)
    for key in CHECKS[:-1]:
        narrator.check(key, held=True)
    assert not narrator.all_held
    narrator.check(CHECKS[-1], held=True)
    assert narrator.all_held


# -- endings -------------------------------------------------------------------------------------


def test_a_check_that_does_not_hold_makes_the_exit_code_six(monkeypatch, capsys):
    def chapter(world):
        for key in CHECKS:
            world.narrator.check(key, held=key != "thief-refused")

    monkeypatch.setattr(story, "_CHAPTERS", (chapter,))
    assert story.run_demo(Settings(), None, 1) == 6
    assert "✗" in capsys.readouterr().out


def test_an_error_keeps_its_exit_code_and_ends_every_process(monkeypatch, tmp_path, capsys):
    started = []

    def chapter(world):
        world.start_relay()
        started.append(world.relay)
        raise CannotDecide("unit-without-device", unit="x")

    monkeypatch.setattr(story, "_CHAPTERS", (chapter,))
    with pytest.raises(CannotDecide):
        story.run_demo(Settings(), tmp_path / "kept", 1)
    [relay] = started
    assert relay._child.returncode is not None
    assert "0" in capsys.readouterr().out


def test_the_command_gives_the_exit_code_on(monkeypatch):
    monkeypatch.setattr(story, "run_demo", lambda *_: 6)
    assert run(["demo", "--cases", "1"]) == 6
    monkeypatch.setattr(story, "run_demo", lambda *_: 0)
    assert run(["demo"]) == 0
    assert run(["demo", "--cases", "0"]) == 2


# -- processes -----------------------------------------------------------------------------------


@pytest.fixture
def laptop(tmp_path):
    running = LaptopProcess("shelter-1", tmp_path / "home", tmp_path / "log", "hoa sen")
    yield running
    running.end()


def test_an_error_of_a_laptop_arrives_as_what_it_is(laptop):
    refused = laptop.refusal(
        "join_start",
        passphrase="hoa sen ven hồ Tây",
        invitation="nonsense",
        name="Lan",
        label="shelter-1",
    )
    assert isinstance(refused, UsageError)
    assert refused.code == "invitation-malformed"


def test_a_laptop_that_ends_says_so_with_its_last_words(laptop):
    with pytest.raises(CasesyncError) as ended:
        laptop.ask("sync")
    assert ended.value.code == "demo-process-ended"
    assert "AssertionError" in ended.value.message()


def test_a_laptop_that_is_silent_is_not_waited_for(laptop, monkeypatch):
    monkeypatch.setattr("casesync_cli.demo.processes.ANSWER_S", 0.01)
    with pytest.raises(CasesyncError) as silent:
        laptop.answer()
    assert silent.value.code == "demo-process-silent"


def test_a_relay_continues_on_its_port(tmp_path):
    first = RelayProcess(tmp_path / "relay.db", tmp_path / "log")
    first.stop()
    second = RelayProcess(tmp_path / "relay.db", tmp_path / "log", first.port)
    second.stop()
    assert (second.url, second.key_hex) == (first.url, first.key_hex)
