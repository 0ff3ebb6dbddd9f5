"""The next page, asked for and proven while this one is made durable (client).

Encrypting and writing a page needs neither Python nor the network, so both go on meanwhile. What
was fetched counts only if ``prepare`` asks for just that after the commit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from casesync.foundation.errors import CasesyncError
from casesync.sync.session import Prepared, ReadAnswer, read_page_ahead
from casesync.translog.served_leaf import ServedLeaf


class ReadAhead:
    """At most one answer that was fetched early."""

    def __init__(self, ask: Callable[[Prepared], ReadAnswer]) -> None:
        """Args: ask: one round trip; the answer is checked and not stored."""
        self.ask = ask
        self._following: Prepared | None = None
        self._read: ReadAnswer | None = None
        self._error: CasesyncError | None = None
        self._spent: list[ServedLeaf] = []

    def expect(self, following: Prepared | None, leaves: list[ServedLeaf]) -> None:
        """What ``run`` is to free, and to ask for; None = nothing."""
        self._following = following
        self._spent = leaves

    def run(self) -> None:
        """Ask, and prove the page; what goes wrong is raised by ``take``."""
        self._spent = []
        if self._following is None:
            return
        try:
            self._read = self.ask(self._following)
            read_page_ahead(self._read)
        except CasesyncError as error:
            self._error = error

    def take(self, prepared: Prepared) -> ReadAnswer | None:
        """The answer to this request, if it was fetched; it is forgotten in any case.

        Raises:
            CasesyncError: asking or proving failed.
        """
        following, read, error = self._following, self._read, self._error
        self._following = self._read = self._error = None
        if following is None or not _same(following, prepared):
            return None
        if error is not None:
            raise error
        return read


def _same(following: Prepared, prepared: Prepared) -> bool:
    """Whether both ask for the same from the same place; the wished size may differ."""
    size = prepared.request.answer_bytes_max
    return (
        replace(following.request, answer_bytes_max=size) == prepared.request
        and following.change_range.to_bytes() == prepared.change_range.to_bytes()
        and following.control_range.to_bytes() == prepared.control_range.to_bytes()
        and following.target == prepared.target
    )
