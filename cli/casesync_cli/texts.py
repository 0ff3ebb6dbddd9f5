"""The catalogue of everything the command line says, in Vietnamese and English (cli).

Errors have their texts in ``casesync.foundation.error_texts``; all else stands in ``catalogue/``, a
module per language and subject. A test checks that both languages have the same keys and the same
parameters.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from string import Formatter
from typing import Final

SUBJECTS: Final = ("help", "messages", "facts", "labels", "seen", "demo")


@cache
def catalogue(subject: str, lang: str) -> dict[str, str]:
    """One subject's texts in one language."""
    module = import_module(f"casesync_cli.catalogue.{subject}_{lang}")
    texts: dict[str, str] = module.TEXTS
    return texts


class _Lenient(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"


def tr(lang: str, key: str, /, **params: object) -> str:
    """The message ``key`` in ``lang``; an unknown key is a bug and raises KeyError."""
    return catalogue("messages", lang)[key].format(**params)


def fact_text(lang: str, code: str, params: dict[str, object]) -> str:
    """A fact or finding in words, of its own for some reasons; a newer library's code as itself."""
    texts = catalogue("facts", lang)
    template = texts.get(f"{code}.{params.get('reason')}", texts.get(code))
    return code if template is None else template.format_map(_Lenient(params))


def refusal_text(lang: str, code: str) -> str:
    """What a refusal's code means, without what it was about; a newer library's code as itself."""
    from casesync.foundation.error_texts import TEXTS, message_text  # noqa: PLC0415 - long

    if code not in TEXTS:
        return code
    names = {name for _, name, _, _ in Formatter().parse(TEXTS[code].en) if name}
    return message_text(code, dict.fromkeys(names, "…"), lang)


def help_text(lang: str, *keys: str) -> str:
    """The first of ``keys`` that the help catalogue has; the last one must exist."""
    texts = catalogue("help", lang)
    return next((texts[key] for key in keys[:-1] if key in texts), None) or texts[keys[-1]]
