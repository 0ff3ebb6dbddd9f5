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

    def ask(self, front: bytes, leaves: bytes) -> None:
        """Hand out work; answers come in the order of the requests."""
        ...

    def answer(self, *, wait: bool) -> bytes | None:
        """The next answer; None if there is none yet (unless ``wait``), or if it is gone."""
        ...

    def stop(self) -> None:
        """End it; what it was asked stays without an answer."""
        ...
