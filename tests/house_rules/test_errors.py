"""Every error has a text in both languages, and every text an error."""

from __future__ import annotations

import ast
import inspect
import string

from casesync.foundation import errors
from casesync.foundation.error_texts import TEXTS
from casesync.foundation.errors import CasesyncError
from house_rules.sources import name_of, shipped_modules, string_constants, tree

FAMILIES = {
    name
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, CasesyncError)
}


def raised() -> list[tuple[str, str, set[str] | None]]:
    """(place, code, parameters) of each error built with a literal code; None = ** given."""
    found = []
    for path in shipped_modules():
        for node in ast.walk(tree(path)):
            if not (isinstance(node, ast.Call) and node.args):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", None))
            code = node.args[0]
            if name in FAMILIES and isinstance(code, ast.Constant) and isinstance(code.value, str):
                names = {keyword.arg for keyword in node.keywords}
                place = f"{name_of(path)}:{node.lineno}"
                given = None if None in names else {str(name) for name in names}
                found.append((place, code.value, given))
    return found


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_every_error_raised_has_a_text():
    missing = sorted({f"{code} ({place})" for place, code, _ in raised() if code not in TEXTS})
    assert not missing


def test_every_text_belongs_to_an_error():
    literals: set[str] = set()
    for path in shipped_modules():
        if not path.stem.startswith("error_texts"):
            literals |= string_constants(path)
    assert not sorted(set(TEXTS) - literals)


def test_every_parameter_of_a_text_is_given_where_it_is_raised():
    lacking = []
    for place, code, given in raised():
        if given is None or code not in TEXTS:
            continue
        wanted = set().union(*(fields(text) for text in TEXTS[code]))
        if wanted - given:
            lacking.append(f"{place} {code}: {sorted(wanted - given)}")
    assert not lacking


def test_both_languages_of_a_text_name_the_same_parameters():
    for code, row in TEXTS.items():
        english = fields(row.en) | fields(row.en_advice)
        vietnamese = fields(row.vi) | fields(row.vi_advice)
        assert english == vietnamese, code


def test_every_text_says_what_to_do():
    for code, row in TEXTS.items():
        assert all(text.strip() for text in row), code
        assert "\n" not in "".join(row), code


def test_every_family_has_an_exit_code_of_its_own_or_its_parents():
    codes = {name: getattr(errors, name).exit_code for name in FAMILIES}
    assert codes["UsageError"] == 2
    assert codes["LocalStateError"] == 3
    assert codes["NetworkError"] == 4
    assert codes["AccessDenied"] == 5
    assert {codes[n] for n in FAMILIES if issubclass(getattr(errors, n), errors.Violation)} == {6}
    assert codes["ConflictStop"] == 7
    assert codes["CannotDecide"] == 8
