"""Lists that grow at their end: pages for people, everything for programs, one truthful count."""

from __future__ import annotations

import pytest

from cli.casesync_runs import Laptop
from cli.conftest import found

HISTORY_ROWS = 60


@pytest.fixture(scope="module")
def shelter(relay, tmp_path_factory):
    laptop = Laptop(tmp_path_factory.mktemp("pages") / "home", "hoa sen ven hồ 1")
    found(relay, laptop)
    return laptop


@pytest.fixture(scope="module")
def case(shelter):
    """A case with more writes than a page has; one entry of the access log each."""
    from casesync.client import Replica  # noqa: PLC0415 - as the command line loads it

    with Replica.open(shelter.home, shelter.passphrase) as replica:
        view = replica.new_case(["gbv"])
        stream = replica.resolve_case(view.case)
        for number in range(HISTORY_ROWS):
            with replica.edit(stream) as edit:
                edit.set("person.given_name", f"Hòa {number}")
    return view.case


def commands(case: str) -> dict[str, list[str]]:
    return {
        "history": ["case", "history", case, "--field", "person.given_name"],
        "list": ["audit", "list", "--case", case],
        "mine": ["audit", "mine"],
    }


def keys(items: list[dict[str, object]]) -> list[tuple[object, ...]]:
    return [(item.get("dot"), item["device"], item.get("sequence")) for item in items]


@pytest.mark.parametrize("name", ["history", "list", "mine"])
def test_a_program_that_knows_no_pages_gets_everything(shelter, case, name):
    shown = shelter.json(*commands(case)[name])
    assert len(shown["items"]) == shown["count"] >= HISTORY_ROWS
    assert shown["after"] is None


@pytest.mark.parametrize("name", ["history", "list", "mine"])
def test_pages_are_the_whole_list_from_its_end(shelter, case, name):
    words = commands(case)[name]
    whole = shelter.json(*words)
    pages, after = [], []
    while True:
        page = shelter.json(*words, "--limit", "25", *after)
        assert len(page["items"]) <= 25
        pages.insert(0, page)
        if page["after"] is None:
            break
        after = ["--after", page["after"]]
    items = [item for page in pages for item in page["items"]]
    later = len(items) - len(whole["items"])  # looks at the access log stand in it themselves
    assert keys(items)[: len(items) - later] == keys(whole["items"])
    assert len(pages) == -(-len(items) // 25)
    assert all(page["count"] >= whole["count"] for page in pages)


@pytest.mark.parametrize("name", ["history", "list", "mine"])
@pytest.mark.parametrize(("lang", "more"), [("en", "Older ones with"), ("vi", "phần cũ hơn")])
def test_people_see_the_newest_and_are_told_of_the_rest(shelter, case, name, lang, more):
    words = commands(case)[name]
    said = shelter.run("--lang", lang, *words).out
    count = shelter.json(*words)["count"]
    assert "50" in said.splitlines()[-2]
    assert more in said.splitlines()[-1]
    assert count >= HISTORY_ROWS
    if name == "history":
        assert f"Hòa {HISTORY_ROWS - 1}" in said
        assert "Hòa 9 " not in said


def test_a_list_that_is_shown_whole_says_nothing_of_pages(shelter, case):
    said = shelter.run("case", "history", case, "--field", "case.kinds").out
    assert "--after" not in said
    assert "shown" not in said


def test_a_page_behind_nothing_is_a_usage_error(shelter, case):
    for words in commands(case).values():
        done = shelter.run(*words, "--after", "9.999", "--json")
        assert (done.code, done.error["code"]) == (2, "page-unknown")
