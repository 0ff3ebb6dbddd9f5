"""Who opens and merges the content of a batch: a helper that is free, or this process (sync floor).

``protocol/decisions/0023``. Storing and writing are done here meanwhile, of other batches. Nothing
depends on the helper: what it does not answer is done here, with the same result.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from casesync.sync.helper_port import Helper
from casesync.sync.helper_work import Rules, forms_of, read_answer, request
from casesync.sync.ingest_report import IngestReport
from casesync.sync.plain_path import PlainPath
from casesync.sync.stream_batch import StreamBatch

UNANSWERED_MAX: Final = 3
"""Batches. Fewer leave the helper without work now and then, more leave this process waiting for
it at the end of a page."""
WORTH_CHANGES: Final = 32
"""Fewer are done before a helper has heard of them."""


class HandedOut:
    """The batches of one page that are begun and not taken."""

    def __init__(self, helper: Helper | None, path: PlainPath, report: IngestReport) -> None:
        self._helper = helper
        self._path = path
        self._report = report
        self._unanswered: deque[tuple[int, StreamBatch]] = deque()
        self._forms: tuple[int, list[tuple[int, int, list[int]]]] = (0, [])

    def put(self, batch: StreamBatch, *, here: bool = False) -> list[StreamBatch]:
        """Have a batch taken, by whoever is free or here; returns those that are taken by now."""
        helper = self._helper
        taken = self._answered(wait=False)
        if (
            not here
            and helper is not None
            and helper.is_ready()
            and len(self._unanswered) < UNANSWERED_MAX
            and len(batch.plain.ends) >= WORTH_CHANGES
        ):
            number = helper.ask(*self._request(batch))
            self._unanswered.append((number, batch))
            return taken
        batch.take()
        return [*taken, batch]

    def rest(self) -> Iterator[StreamBatch]:
        """The others, as they are taken."""
        while self._unanswered:
            yield from self._answered(wait=True)

    def _answered(self, *, wait: bool) -> list[StreamBatch]:
        """Batches that the helper took; all that it has, if it is gone."""
        taken: list[StreamBatch] = []
        helper = self._helper
        while helper is not None and self._unanswered:
            number, batch = self._unanswered[0]
            answer = helper.answer(number, wait=wait and not taken)
            if answer is None and helper.is_ready():
                break
            made = None if answer is None else read_answer(answer, batch.plain)
            if made is None:
                helper.stop()
                batch.take()
            else:
                batch.plain.taken(made)
                self._report.handed_out += 1
            taken.append(batch)
            self._unanswered.popleft()
        return taken

    def _request(self, batch: StreamBatch) -> tuple[bytes, bytes]:
        path = self._path
        checked = path.forms_checked
        if len(checked) != self._forms[0]:
            self._forms = (len(checked), forms_of(checked))
        rules = Rules(path.control_size, batch.plain.authors(), self._forms[1])
        return request(batch.plain.work(batch.locations, batch.keys), rules)


@contextmanager
def handing_out(
    helper: Helper | None, path: PlainPath, report: IngestReport
) -> Iterator[HandedOut]:
    """Batches of one page; if the page fails, the helper's answers must not be met by the next."""
    handed = HandedOut(helper, path, report)
    try:
        yield handed
    except BaseException:
        if helper is not None:
            helper.stop()
        raise
