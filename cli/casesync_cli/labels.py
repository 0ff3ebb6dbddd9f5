"""Codes of roles, offices, compartments, purposes and the like as people read and write them (cli).

JSON keeps the codes. What has no label (a role of a newer table, a purpose somebody made up) is
shown as it is; what is no label is handed on as typed, and the library judges it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from casesync.model.folding import fold
from casesync_cli.texts import catalogue, tr

Kind = Literal["role", "type", "compartment", "purpose", "form", "resolver", "kind"]
KIND_OF_PARAM: Final[dict[str, Kind]] = {
    "compartment": "compartment",
    "compartments": "compartment",
    "purpose": "purpose",
}
"""Parameters of facts and errors that are codes."""


def label(lang: str, kind: Kind, code: str) -> str:
    """What people call ``code``."""
    return catalogue("labels", lang).get(f"{kind}.{code}", code)


def labels(lang: str, kind: Kind, codes: Iterable[str]) -> str:
    """The labels in a line; a dash where there are none."""
    return ", ".join(label(lang, kind, code) for code in codes) or "-"


def done_words(lang: str, action: str, *, look: bool | None) -> str:
    """What an access entry says was done; some actions are a look or an act."""
    key = f"audit.look-{action}"
    known = look and key in catalogue("messages", lang)
    return tr(lang, key if known else f"audit.action-{action}")


def labelled(lang: str, params: Mapping[str, object]) -> dict[str, object]:
    """Parameters of a fact or an error, codes as labels; lists may stand as ``a, b``."""
    return {
        name: labels(lang, KIND_OF_PARAM[name], value.split(", "))
        if name in KIND_OF_PARAM and isinstance(value, str)
        else value
        for name, value in params.items()
    }


def code(kind: Kind, typed: str) -> str:
    """The code that people mean by its label in either language, accents or not."""
    wanted, prefix = fold(typed), f"{kind}."
    found = {
        key.removeprefix(prefix)
        for lang in ("vi", "en")
        for key, text in catalogue("labels", lang).items()
        if key.startswith(prefix) and wanted in (key.removeprefix(prefix), fold(text))
    }
    return found.pop() if len(found) == 1 else typed


def codes(kind: Kind, typed: str) -> list[str]:
    """``a,b,c`` as typed into codes, without blanks and empty parts."""
    return [code(kind, part.strip()) for part in typed.split(",") if part.strip()]
