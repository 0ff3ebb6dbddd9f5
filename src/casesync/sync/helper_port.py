"""The engine's door to a second process (sync floor); ``client`` implements it over pipes."""

from __future__ import annotations

from typing import Protocol


class Helper(Protocol):
    """Another process of this program, in which ``helper_work.answer`` runs.

    It may be gone at any time; whatever was handed out is then done by who did so.
    """

    def is_ready(self) -> bool:
        """Whether it was started, can be asked, and is not gone."""
        ...

    def ask(self, front: bytes, changes: bytes) -> int:
        """Hand out work; answers come in the order of the requests.

        Returns: the number to ask for the answer with.
        """
        ...

    def answer(self, number: int, *, wait: bool) -> bytes | None:
        """The answer to a request; None if it is not there yet (unless ``wait``).

        Also None if the helper is gone, which it is, too, once it has answered another request.
        """
        ...

    def stop(self) -> None:
        """Have no more to do with it; what it was asked stays without an answer."""
        ...
