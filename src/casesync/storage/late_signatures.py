"""Signatures of own changes, made together before anybody reads the changes (storage floor).

A change's link follows from its header alone, never from its signature, so all changes of a
transaction can be made first. A signature costs more than the rest of a save, and its library lets
another thread run meanwhile: of many, two threads make half each
(``protocol/decisions/0020-saves-in-bulk.md``).
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Thread
from typing import Final

from typing_extensions import override

from casesync.sync.ports import ChangeSigner

TOGETHER_MIN: Final = 16
"""Signatures that are worth a thread: starting one costs as much as two of them."""


def signatures(signer: ChangeSigner, messages: Sequence[bytes]) -> list[bytes]:
    """One for each message, in their order.

    Raises: what ``signer`` raises.
    """
    if len(messages) < TOGETHER_MIN:
        return [signer.sign(message) for message in messages]
    half = len(messages) // 2
    beside = _Beside(signer, messages[half:])
    beside.start()
    made = [signer.sign(message) for message in messages[:half]]
    return made + beside.result()


class _Beside(Thread):
    """Signs on a thread of its own; an interruption of the main one leaves it to end by itself."""

    def __init__(self, signer: ChangeSigner, messages: Sequence[bytes]) -> None:
        super().__init__(daemon=True)
        self._signer = signer
        self._messages = messages
        self._made: list[bytes] = []
        self._error: BaseException | None = None

    @override
    def run(self) -> None:
        try:
            self._made = [self._signer.sign(message) for message in self._messages]
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._error = error

    def result(self) -> list[bytes]:
        """Wait for it."""
        self.join()
        if self._error is not None:
            raise self._error
        return self._made
