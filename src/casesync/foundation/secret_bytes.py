"""Secrets that do not print, pickle or compare carelessly (foundation).

Python cannot wipe ``bytes`` reliably; ``protocol/threat-model.md`` says so. What this type does
prevent is a key in a log line, a traceback, a pickle or JSON.
"""

from __future__ import annotations

import hmac
from typing import NoReturn, final

from typing_extensions import override


@final
class SecretBytes:
    """Key material; ``reveal()`` is the one way to the bytes."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    def reveal(self) -> bytes:
        """The secret bytes; call at the point of use and do not store the result."""
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretBytes) and hmac.compare_digest(self._value, other._value)

    @override
    def __hash__(self) -> int:
        raise TypeError("secrets are not dictionary keys")

    @override
    def __repr__(self) -> str:
        return f"SecretBytes(<{len(self._value)} bytes>)"

    @override
    def __reduce__(self) -> NoReturn:
        raise TypeError("secrets are not pickled")
