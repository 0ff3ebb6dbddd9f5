"""Reading everything from the relay again and holding it against what is here (client).

``protocol/access-log.md``: an auditor's check on line. Every control entry and every leaf up to the
cursor is fetched and proven against the checkpoint this replica verified before, and every blob
that the entries name against its name.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from casesync.client.core import Core
from casesync.foundation.errors import NetworkError, RelayMisbehaviour
from casesync.foundation.ids import AUDITED_KINDS
from casesync.merkle.compact_range import CompactRange
from casesync.merkle.hashing import leaf_hash
from casesync.sync.control_flow import all_blobs
from casesync.sync.held_log import CHANGE_RANGE, CONTROL_RANGE, load_range
from casesync.translog.checkpoint import Checkpoint, LogName
from casesync.translog.header import parse_header
from casesync.translog.page import OwnChange, read_page
from casesync.wire.messages import Owed, SyncAnswer, SyncRequest

_NEWER_ENTRIES_MAX: Final = 1024
"""Control entries that may come while an audit reads."""


class RelayComparison:
    """One pass over the relay's copy of both logs."""

    def __init__(self, core: Core) -> None:
        """Args: core: an open replica whose device has the feed "all"."""
        self._core = core

    def run(self) -> None:
        """Read every control entry and every leaf again and hold them against our checkpoint.

        Raises:
            RelayMisbehaviour: what differs, is withheld or does not end.
        """
        core = self._core
        with core.store.transaction() as tx:
            cursor = load_range(tx, CHANGE_RANGE)
            held = load_range(tx, CONTROL_RANGE)
        control, position = CompactRange(), CompactRange()
        rounds = held.size + cursor.size + _NEWER_ENTRIES_MAX
        for _ in range(rounds):  # each brings an entry or a leaf
            # Between transactions: the channel may have to reserve request counters.
            answer = self._ask(cursor, position.size, control_size=control.size)
            self._compare_checkpoint(answer, cursor)
            self._compare_control(answer, control, held)
            before = position.size
            if answer.backfills:
                position = _compared_leaves(answer.backfills[0].page, position, cursor)
            if control.size >= held.size and position.size == cursor.size:
                break
            if not answer.control.leaves and position.size == before:
                raise RelayMisbehaviour("page-contradicts-log", what="back-fill")
        else:
            raise RelayMisbehaviour("control-contradicts-log")
        self._compare_blobs()

    def _ask(self, cursor: CompactRange, position: int, *, control_size: int) -> SyncAnswer:
        core = self._core
        with_owed = (Owed(position, None),)
        request = SyncRequest(
            control_size=control_size,
            cursor=cursor.size,
            target=cursor.size,  # nothing newer, which would take the back-fill's room
            newest=(0, core.engine.me.enrolment_hash),
            owed=with_owed,
        )
        return SyncAnswer.decode(core.channel.sync(request.encode()))

    def _compare_checkpoint(self, answer: SyncAnswer, cursor: CompactRange) -> None:
        """Asked up to our cursor, the relay signs just what we hold."""
        identity = self._core.identity
        name = LogName(identity.network, "change")
        checkpoint = Checkpoint.from_binary(name, answer.change_checkpoint, identity.relay_key)
        if (checkpoint.size, checkpoint.root) != (cursor.size, cursor.root()):
            raise RelayMisbehaviour("relay-forked")

    def _compare_control(
        self, answer: SyncAnswer, control: CompactRange, held: CompactRange
    ) -> None:
        """Append the answer's control leaves to ``control``; what we hold must be a prefix."""
        core = self._core
        name = LogName(core.identity.network, "control")
        checkpoint = Checkpoint.from_binary(
            name, answer.control_checkpoint, core.identity.relay_key
        )
        for leaf in answer.control.leaves:
            control.append(leaf_hash(leaf))
            if control.size == held.size and control.root() != held.root():
                raise RelayMisbehaviour("control-contradicts-log")
        if (control.size, control.root()) != (checkpoint.size, checkpoint.root):
            raise RelayMisbehaviour("control-contradicts-log")

    def _compare_blobs(self) -> None:
        """Wraps too, which only their devices open: that they are those named, anybody can see."""
        core = self._core
        with core.store.transaction() as tx:
            names = all_blobs(list(tx.control_entries()))
        for name in names:
            try:
                body = core.channel.blob(name)
            except NetworkError as error:
                if error.code != "relay-refused":
                    raise
                raise RelayMisbehaviour("blob-withheld", blob=name.hex()) from error
            if sha256(body).digest() != name:
                raise RelayMisbehaviour("blob-differs", blob=name.hex())


def _compared_leaves(page: list[Any], position: CompactRange, cursor: CompactRange) -> CompactRange:
    """Where the page ends; each leaf is shown, with everything of it that auditors read."""
    read = read_page(page, position, cursor.size, cursor.root(), _no_own)
    if len(read.leaves) != read.compact_range.size - position.size:
        raise RelayMisbehaviour("page-contradicts-log", what="leaf withheld")
    for leaf in read.leaves:
        named = parse_header(leaf.header).segments
        if any(
            segment is None and entry.kind in AUDITED_KINDS
            for segment, entry in zip(leaf.segments, named, strict=True)
        ):
            raise RelayMisbehaviour("page-contradicts-log", what="segment withheld")
    return read.compact_range


def _no_own(_number: int) -> OwnChange | None:
    """Back-fills serve the asker's own changes whole (``protocol/sync.md``)."""
    return None
