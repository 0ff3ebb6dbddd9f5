"""What must hold in a healed world.

Each checker yields problems in words; none of them means that nothing was found wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, NamedTuple

from casesync.access.access_entry import decode_entry
from casesync.access.stream_facts import END_OF_LOG
from casesync.access.verdicts import VERDICTS, State
from casesync.client.case_reader import CaseReader
from casesync.client.views import CaseView
from casesync.codec import canonical
from casesync.foundation.errors import CasesyncError
from casesync.foundation.ids import CONTENT_COMPARTMENTS, StreamId, StreamKind
from casesync.relay.relay_store import ChangeRow
from casesync.sync.access_log import ACCESS_HEAD
from casesync.sync.ingest import check_author
from casesync.sync.stream_merge import rejudge, state_of
from casesync.sync.stream_row import StreamRow
from simulation.export import by_compartment, case_view, exported
from simulation.world import HONEST, Desk, World

ALLOWED_REASONS: Final = frozenset({"suspended", "grant-revoked"})
"""Honest work is quarantined for these reasons alone."""
FOLLOWING_REASONS: Final = frozenset({"stream-unopened", "statement-missing"})
"""What was built, in good faith, on work that a suspension took out waits with it."""
_ALWAYS: Final = END_OF_LOG * 2


class _Undo(Exception):
    """Ends a transaction whose writes were only tried."""


class Rows(NamedTuple):
    """One replica's streams, read once."""

    desk: Desk
    rows: dict[StreamId, StreamRow]


def check(world: World) -> None:
    """All checkers. Raises: SimulationFailure."""
    healed = Healed(world)
    problems = [problem for checker in CHECKERS for problem in checker(healed)]
    if problems:
        raise world.fail("\n".join(problems))


class Healed:
    """A healed world with everything the checkers look at."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.log = _relay_log(world)
        self.held = [Rows(desk, _rows_of(desk)) for desk in world.active_desks]
        self._views: dict[tuple[int, StreamId], CaseView] = {}
        self.names: dict[StreamId, str] = {}
        for held in self.held:
            for stream, row in held.rows.items():
                opening = row.rights.opening
                if opening is not None:
                    self.names[stream] = f"{opening[3]}.{opening[4]}"

    def view(self, held: Rows, stream: StreamId) -> CaseView:
        """The case as the desk sees it."""
        key = (held.desk.place, stream)
        if key not in self._views:
            self._views[key] = case_view(held.desk, stream)
        return self._views[key]

    def may_hold(self, held: Rows, stream: StreamId) -> bool:
        """Whether the stream must be complete at this desk: its office's, shared with it, audit."""
        row = held.rows.get(stream)
        if row is None or row.rights.opening is None:
            return False
        unit = held.desk.core.engine.unit
        if row.kind is StreamKind.ACCESS:
            return held.desk.role == "auditor" or row.rights.opening[3] == held.desk.device
        if held.desk.role == "auditor" or row.rights.owner == unit:
            return True
        return self.granted(row, unit) > 0 and not self._ended_unread(row, stream, unit)

    def _ended_unread(self, row: StreamRow, stream: StreamId, unit: bytes) -> bool:
        """Whether the office's grant has ended by a change that it could not be given a key of.

        Its unit had no key of its own when its grant ended: a device of it had been suspended, and
        no other had synced since (threat model, *A grant that ends while keys are replaced*).
        """
        if all(VERDICTS[entry.verdict].reason != "base-unreadable" for entry in row.history()):
            return False
        owners = (held for held in self.held if stream in held.rows)
        return any(
            held.rows[stream].rights.owner == held.desk.core.engine.unit
            and not self.granted(held.rows[stream], unit)
            for held in owners
        )

    def granted(self, row: StreamRow, unit: bytes) -> int:
        """Mask of the compartments that grants in force give the unit."""
        mask = 0
        for grant in row.rights.grants_in_force(_ALWAYS, self.world.clock.now_ms()):
            if grant.unit == unit:
                mask |= grant.mask
        return mask

    def cases(self) -> Iterator[tuple[str, StreamId, list[Rows]]]:
        """Each case with the desks that must hold it."""
        for stream, name in sorted(self.names.items(), key=lambda item: item[1]):
            holders = [held for held in self.held if self.may_hold(held, stream)]
            kinds = {held.rows[stream].kind for held in holders}
            if holders and kinds == {StreamKind.CASE}:
                yield name, stream, holders


def _rows_of(desk: Desk) -> dict[StreamId, StreamRow]:
    found: dict[StreamId, StreamRow] = {}
    with desk.store.transaction() as tx:
        for kind in (0, *(int(kind) for kind in StreamKind)):
            rows = tx.stream_rows(tx.stream_ids(kind))
            found.update({stream: StreamRow(row) for stream, row in rows.items()})
    return found


def _relay_log(world: World) -> list[ChangeRow]:
    with world.hostile._stores[HONEST].transaction() as tx:
        row = tx.network(world.identity)
        assert row is not None
        return [tx.change(row.handle, index) for index in range(row.change_size)]


# -- convergence ------------------------------------------------------------------------------


def equal_rights_show_equal_bytes(healed: Healed) -> Iterator[str]:
    """Desks of one office with one role export the same bytes of every case."""
    for name, stream, holders in healed.cases():
        shown: dict[tuple[str, str], tuple[str, bytes]] = {}
        for held in holders:
            desk = held.desk
            data = exported(healed.view(held, stream))
            first, expected = shown.setdefault((desk.unit, desk.role), (desk.name, data))
            if data != expected:
                yield f"{name}: {desk.name} shows {data!r}\nbut {first} shows {expected!r}"


def readers_of_a_compartment_agree(healed: Healed) -> Iterator[str]:
    """Whoever reads a compartment of a case reads the same in it, owner and grantee alike."""
    for name, stream, holders in healed.cases():
        read: dict[int, tuple[str, object]] = {}
        for held in holders:
            desk, row = held.desk, held.rows[stream]
            engine = desk.core.engine
            own = row.rights.owner == engine.unit
            mask = -1 if own else healed.granted(row, engine.unit)
            shown = by_compartment(healed.view(held, stream), engine.schema)
            for compartment in map(int, CONTENT_COMPARTMENTS):
                if not engine.reads(compartment) or not mask >> compartment & 1:
                    continue
                mine = shown.get(compartment, {})
                first, expected = read.setdefault(compartment, (desk.name, mine))
                if mine != expected:
                    yield f"{name}/{compartment}: {desk.name} {mine}\nbut {first} {expected}"


def rebuilding_changes_nothing(healed: Healed) -> Iterator[str]:
    """Judging and merging from the sealed changes gives what was kept change by change."""
    for held in healed.held:
        core = held.desk.core
        try:
            with core.store.transaction() as tx:
                for stream, row in held.rows.items():
                    if not row.merge_row and row.kind is StreamKind.CASE:
                        continue  # destroyed after a revocation: nothing to rebuild from
                    again = StreamRow(tx.stream_rows([stream])[stream])
                    kept = state_of(row).normalised()
                    verdicts = [e.verdict for e in row.in_log_order()]
                    core.engine.keys.load(tx, [stream])
                    author = partial(check_author, core.engine)
                    rejudge(core.engine, tx, stream, again, author)
                    where = f"{held.desk.name} {healed.names.get(stream, '?')}"
                    if [e.verdict for e in again.in_log_order()] != verdicts:
                        yield f"{where}: verdicts differ when judged again"
                    rebuilt = state_of(again).normalised()
                    for part, meant in kept.items():
                        if rebuilt[part] != meant:
                            yield f"{where}: {part} {meant ^ rebuilt[part]} differ when rebuilt"
                    if again.newest() != row.newest():
                        yield f"{where}: newest applied differ when rebuilt"
                raise _Undo  # noqa: TRY301 - undoes the transaction that only looked
        except _Undo:
            core.engine.keys.forget()


# -- durability -------------------------------------------------------------------------------


def every_change_is_in_the_log_once(healed: Healed) -> Iterator[str]:
    """What a device wrote stands in the relay's log, gapless, each number once."""
    world = healed.world
    numbers: dict[int, list[int]] = {}
    for row in healed.log:
        numbers.setdefault(row.device, []).append(row.number)
    for device, found in numbers.items():
        if found != list(range(1, len(found) + 1)):
            yield f"device {device}: numbers in the log are {found}"
    for desk in world.active_desks:
        written = desk.chain_number()
        if len(numbers.get(desk.device, [])) != written:
            yield f"{desk.name}: wrote {written}, in the log {len(numbers.get(desk.device, []))}"
        if world.acknowledged.newest(desk.device) > written:
            yield f"{desk.name}: acknowledged {world.acknowledged.newest(desk.device)} of {written}"


def every_replica_holds_its_streams_whole(healed: Healed) -> Iterator[str]:
    """Whoever may hold a stream holds each of its changes once, at its place in the log."""
    of_stream: dict[StreamId, list[tuple[int, int, int]]] = {}
    for row in healed.log:
        place = (row.log_index, row.device, row.number)
        of_stream.setdefault(StreamId(row.stream), []).append(place)
    for held in healed.held:
        for stream, expected in of_stream.items():
            if held.desk.role == "auditor" and stream not in held.rows:
                yield f"{held.desk.name}: never saw {healed.names.get(stream, stream.hex())}"
            if not healed.may_hold(held, stream):
                continue
            entries = held.rows[stream].in_log_order()
            found = [(e.log_index, e.device, e.number) for e in entries]
            if found != expected:
                wrong = set(found) ^ set(expected) or "repeated"
                yield f"{held.desk.name} {healed.names[stream]}: history differs from log: {wrong}"


def no_acknowledged_word_is_lost(healed: Healed) -> Iterator[str]:
    """Each word a person was told is kept stands in every authorised history."""
    streams = {name: (stream, holders) for name, stream, holders in healed.cases()}
    pushed = Counter(row.device for row in healed.log)
    histories: dict[tuple[str, str], set[object]] = {}
    for kept in healed.world.acknowledged.kept:
        token = kept.token
        if pushed[kept.device] < kept.last:
            continue  # unsent work of a suspended device
        if token.case not in streams and not _office_is_active(healed.world, token.case):
            continue  # what only a suspended device held waits for recovery
        if token.case not in streams:
            yield f"{token.word}: nobody holds case {token.case} any more"
            continue
        stream, holders = streams[token.case]
        for held in holders:
            engine = held.desk.core.engine
            row = held.rows[stream]
            if row.rights.owner != engine.unit or not engine.reads(token.compartment):
                continue
            key = (held.desk.name, token.case)
            if key not in histories:
                histories[key] = _words(held.desk, stream)
            if token.word not in histories[key]:
                yield f"{held.desk.name}: {token} of device {kept.device} is not in the history"


def _office_is_active(world: World, case: str) -> bool:
    """Whether the office that opened the case has a device that works."""
    opener = int(case.partition(".")[0])
    office = next(desk.unit for desk in world.desks if desk.device == opener)
    return any(desk.unit == office for desk in world.active_desks)


def _words(desk: Desk, stream: StreamId) -> set[object]:
    core = desk.core
    with core.store.transaction() as tx:
        rows = CaseReader(core, tx, stream).history()
    return {row.value for row in rows if isinstance(row.value, str)}


def nothing_is_applied_twice(healed: Healed) -> Iterator[str]:
    """No write is live twice, no change stands twice in a history."""
    for held in healed.held:
        for stream, row in held.rows.items():
            live = Counter(
                (w.device, w.number, w.compartment, w.position) for w in state_of(row).live_writes()
            )
            twice = [dot for dot, count in live.items() if count > 1]
            if twice:
                yield f"{held.desk.name} {healed.names.get(stream)}: live twice {twice}"


# -- truth ------------------------------------------------------------------------------------


def everybody_is_synced(healed: Healed) -> Iterator[str]:
    """Outbox empty, nothing owed, and status says so."""
    for desk in healed.world.active_desks:
        status = desk.replica.status()
        if not status.synced or status.outbox:
            yield f"{desk.name}: not synced: {status.missing}, outbox {status.outbox}"
        with desk.store.transaction() as tx:
            if tx.owed() or tx.outbox():
                yield f"{desk.name}: owes {tx.owed()} {tx.outbox()}"


def only_suspension_and_revocation_quarantine(healed: Healed) -> Iterator[str]:
    """Work written off line while grants, rotations or an audit unit arrived counts."""
    for held in healed.held:
        for stream, row in held.rows.items():
            if not healed.may_hold(held, stream):
                continue
            reasons = {
                (e.device, e.number): VERDICTS[e.verdict].reason
                for e in row.history()
                if not e.counts
            }
            suspended = "suspended" in reasons.values()
            for dot, reason in reasons.items():
                follows = suspended and reason in FOLLOWING_REASONS
                if reason not in ALLOWED_REASONS and not follows:
                    name = healed.names.get(stream)
                    yield f"{held.desk.name} {name}: honest change {dot} is {reason}"


def quarantine_is_shown(healed: Healed) -> Iterator[str]:
    """The quarantine lists exactly the changes that do not count."""
    for held in healed.held:
        with held.desk.store.transaction() as tx:
            shown = {(r.stream, int(r.device), int(r.number)): r for r in tx.quarantine()}
        counted = {
            (stream, e.device, e.number): VERDICTS[e.verdict]
            for stream, row in held.rows.items()
            for e in row.history()
            if not e.counts and healed.may_hold(held, stream)
        }
        for key, verdict in counted.items():
            row = shown.get(key)
            if row is None or row.reason != verdict.reason:
                yield f"{held.desk.name}: {key[1:]} is {verdict.reason}, shown is {row}"
        for key, row in shown.items():
            if key not in counted and healed.may_hold(held, key[0]):
                yield f"{held.desk.name}: {key[1:]} counts, shown is {row.state} {row.reason}"


def verdicts_agree(healed: Healed) -> Iterator[str]:
    """All replicas that hold a stream judge each of its changes alike."""
    for name, stream, holders in healed.cases():
        judged: dict[tuple[int, int], tuple[str, int]] = {}
        for held in holders:
            for e in held.rows[stream].history():
                first = judged.setdefault((e.device, e.number), (held.desk.name, e.verdict))
                if first[1] != e.verdict:
                    reasons = [VERDICTS[code].reason or "counts" for code in (e.verdict, first[1])]
                    dot = f"{e.device}.{e.number}"
                    here = f"{reasons[0]} at {held.desk.name}"
                    yield f"{name}: {dot} is {here}, {reasons[1]} at {first[0]}"


def nobody_waits(healed: Healed) -> Iterator[str]:
    """Nothing is missing at those who may see a case, and nothing waits for a supplement."""
    for name, stream, holders in healed.cases():
        for held in holders:
            if held.desk.role == "auditor":
                continue
            for fact in healed.view(held, stream).incomplete:
                if fact.code == "before-grant":
                    continue
                yield f"{name}: {held.desk.name} misses {fact.code} {dict(fact.params)}"


# -- access log -------------------------------------------------------------------------------


def the_access_log_verifies(healed: Healed) -> Iterator[str]:
    """Every auditor verifies everything, and holds every entry of every active device."""
    for held in healed.held:
        if held.desk.role != "auditor":
            continue
        try:
            held.desk.replica.audit_verify()
        except CasesyncError as error:
            yield f"{held.desk.name}: audit verify fails: {error.code} {error.params}"
        for desk in healed.world.active_desks:
            if desk is not held.desk:
                yield from _entries_differ(held.desk, desk)


def _entries_differ(auditor: Desk, desk: Desk) -> Iterator[str]:
    with desk.store.transaction() as tx:
        stored = tx.value(ACCESS_HEAD)
        own = [row.entry for row in tx.access_rows(desk.device)]
    head = 0 if stored is None else canonical.unpack(stored)[0]
    with auditor.store.transaction() as tx:
        rows = list(tx.access_rows(desk.device))
    if [row.sequence for row in rows] != list(range(1, head + 1)):
        held = [r.sequence for r in rows]
        yield f"{auditor.name}: has entries {held} of {desk.name}, wrote {head}"
    elif [row.entry for row in rows] != own:
        yield f"{auditor.name}: entries of {desk.name} differ"
    for row in rows:
        decode_entry(row.entry)


CHECKERS: Final[tuple[Callable[[Healed], Iterator[str]], ...]] = (
    everybody_is_synced,
    every_change_is_in_the_log_once,
    every_replica_holds_its_streams_whole,
    only_suspension_and_revocation_quarantine,
    verdicts_agree,
    quarantine_is_shown,
    equal_rights_show_equal_bytes,
    readers_of_a_compartment_agree,
    nobody_waits,
    no_acknowledged_word_is_lost,
    nothing_is_applied_twice,
    rebuilding_changes_nothing,
    the_access_log_verifies,
)
assert State.COUNTS == 0
