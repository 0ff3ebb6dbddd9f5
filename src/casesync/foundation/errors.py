"""The one error tree (foundation).

Each family has an exit code of the command line (README, *Exit codes*). An error is raised with a
*code* (a stable name other programs may rely on) and parameters; what a person reads, in
Vietnamese or English, stands in ``error_texts.py``. Parameters are ids, counts and names of
fields, never content of records, keys or paths of other people's machines.
"""

from __future__ import annotations

from typing import ClassVar, Self

from typing_extensions import override

from casesync.foundation.error_texts import advice_text, message_text


class CasesyncError(Exception):
    """Base of all errors casesync raises on purpose."""

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, **params: object) -> None:
        """Args: code: key of ``error_texts.TEXTS``; params: what its texts name."""
        super().__init__(code)
        self.code = code
        self.params = params

    def message(self, lang: str = "en") -> str:
        """One sentence: what happened and why, in ``lang`` ("vi" or "en")."""
        return message_text(self.code, self.params, lang)

    def advice(self, lang: str = "en") -> str:
        """One sentence: what to do now, in ``lang`` ("vi" or "en")."""
        return advice_text(self.code, self.params, lang)

    def untraced(self) -> Self:
        """Itself without frames and causes, to be kept: what was at work hangs on them."""
        self.__cause__ = self.__context__ = None
        return self.with_traceback(None)

    @override
    def __str__(self) -> str:
        return self.message("en")


class UsageError(CasesyncError):
    """The caller asked for something that cannot be (unknown field, wrong type, ambiguous case)."""

    exit_code = 2


class LocalStateError(CasesyncError):
    """This device's files: passphrase, lock, corruption, roll-back, full disk, newer schema."""

    exit_code = 3


class NetworkError(CasesyncError):
    """The relay cannot be reached or refuses service; work goes on offline."""

    exit_code = 4


class AnswerTooSlow(NetworkError):
    """A large answer that would take too long on this line; a smaller one may be asked for."""

    def __init__(self, bytes_per_s: int) -> None:
        """Args: bytes_per_s: what the line brings."""
        super().__init__("relay-unreachable")
        self.bytes_per_s = bytes_per_s


class AccessDenied(CasesyncError):
    """Role or grant do not allow it, the device is suspended, or the invitation is over."""

    exit_code = 5


class Violation(CasesyncError):
    """Something that honest software cannot have produced."""

    exit_code = 6


class CryptoError(Violation):
    """A ciphertext, signature or key does not verify; carries no detail on purpose."""


class RemoteProtocolError(Violation):
    """Bytes from elsewhere that the specification forbids."""


class RelayMisbehaviour(Violation):
    """The relay's answer contradicts its proofs or what it said before."""


class AuditFailed(Violation):
    """An audit found a contradiction."""


class ConflictStop(CasesyncError):
    """Stopped by a conflict that needs a person."""

    exit_code = 7


class CannotDecide(CasesyncError):
    """What is here does not suffice to decide (waiting, incomplete, no key yet)."""

    exit_code = 8
