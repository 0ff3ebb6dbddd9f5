"""A member who turned, steered by a test (testing; SECURITY.md, attacks 21, 25, 33, 38 to 40, 67).

It is a device that was honestly enrolled: its keys, its chain and its way to the relay are real.
What it writes is not what its own client would write: nothing is judged before it is sealed. It
keeps to the formats that the relay checks, unless a test gives it bytes that do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final, NamedTuple, final

from casesync.access.base_acts import BaseAct, encode_acts
from casesync.access.stream_facts import END_OF_LOG, ChangeFacts
from casesync.access.stream_rights import StreamRights
from casesync.client.replica import Replica
from casesync.codec import canonical
from casesync.crypto.sealing import seal_segment
from casesync.crypto.signatures import sign_change
from casesync.foundation.ids import UNSEALED_KIND, ChangeNumber, Compartment, FeedId, StreamId
from casesync.model.cells import CellId
from casesync.model.segment_body import Replacement, Write, encode_content
from casesync.sync.author import OWN_CHAIN, own_chain
from casesync.sync.key_plan import KeyPlan, KeyPlanner
from casesync.sync.keyring import StreamKey
from casesync.sync.ports import OutboxRow, StoredChange, Transaction
from casesync.sync.relay_port import RelayChannel
from casesync.sync.stream_row import StreamRow
from casesync.translog.chain import link as chain_link
from casesync.translog.header import NO_KEY_NAME, encode_head, encode_header
from casesync.translog.unsealed import FeedLink, encode_unsealed
from casesync.wire.messages import SyncAnswer, SyncRequest

_BAD_SIGNATURE: Final = bytes(64)


class Made(NamedTuple):
    """A change as the hostile member made it."""

    number: int
    stream: StreamId
    previous_link: bytes
    link: bytes
    header: bytes
    signature: bytes
    segments: tuple[bytes, ...]

    @property
    def pushed(self) -> bytes:
        """``header | signature | segments``."""
        return self.header + self.signature + b"".join(self.segments)


class Copied(NamedTuple):
    """A sealed segment taken from elsewhere, to be put under another header as it is."""

    key_name: bytes
    sealed: bytes


class Claims(NamedTuple):
    """What a change says of itself; None = the truth."""

    device: int | None = None
    number: int | None = None
    previous_link: bytes | None = None
    previous_here: int | None = None
    after: Sequence[tuple[int, int, bytes]] | None = None
    knows: int | None = None
    """Control size."""


@final
class HostileMember:
    """A device of ``replica`` in hostile hands."""

    def __init__(self, replica: Replica) -> None:
        """Args: replica: an honest one so far; it goes on syncing what is made here."""
        self.replica: Final = replica
        self.core: Final = replica.core
        self.engine: Final = replica.core.engine
        self.device: Final = int(replica.core.engine.device)

    # -- what a change says --------------------------------------------------------------------

    def cell(self, record: bytes, path: str) -> tuple[CellId, int]:
        """(cell, resolver code) of ``type.field`` in a record."""
        type_name, _, field_name = path.partition(".")
        record_type = self.engine.schema.type_by_name(type_name)
        field = record_type.field_by_name(field_name)
        return CellId(record, record_type.number, field.number, None, 0), int(field.resolver)

    def content(
        self,
        record: bytes,
        values: Mapping[str, object],
        replaces: Iterable[Replacement] = (),
        *,
        clock_ms: int | None = None,
        schema_version: int | None = None,
    ) -> bytes:
        """The body of a content segment; values are not validated."""
        writes = [Write(*self.cell(record, path), value) for path, value in values.items()]
        return encode_content(
            self.core.clock.now_ms() if clock_ms is None else clock_ms,
            self.engine.schema.version if schema_version is None else schema_version,
            replaces,
            writes,
        )

    # -- writing -------------------------------------------------------------------------------

    def write(  # noqa: PLR0913 - everything a liar may lie about
        self,
        stream: StreamId,
        *,
        bodies: Mapping[int, bytes | Copied] | None = None,
        acts: Sequence[BaseAct] = (),
        links: Sequence[tuple[FeedId, bool]] = (),
        keys: Mapping[int, StreamKey] | None = None,
        change_plan: Callable[[KeyPlan], None] | None = None,
        unsealed: bytes | None = None,
        claims: Claims | None = None,
        signed: bool = True,
        queued: bool = True,
    ) -> Made:
        """Seal, sign and queue a change that nobody judged.

        Args:
            stream: where it goes.
            bodies: plaintext by compartment, or segments copied from elsewhere.
            acts: of the base segment, whatever this member's rights.
            links: feeds to link or unlink.
            keys: stream keys instead of those an honest writer would use.
            change_plan: changes what statements and boxes go along.
            unsealed: the kind 0 segment instead of the planned one; b"" for none.
            claims: what stands in the head instead of the truth.
            signed: False puts zeros where the signature should be.
            queued: False leaves chain and outbox as they are (a fork, when it is pushed).
        """
        core = self.core
        with core.store.transaction() as tx:
            row = StreamRow(tx.stream_rows([stream]).get(stream))
            core.engine.keys.load(tx, [stream])
            held_number, held_link = own_chain(tx, core.engine)
            lie = claims or Claims()
            number = held_number + 1 if lie.number is None else lie.number
            previous_link = held_link if lie.previous_link is None else lie.previous_link
            sealed_bodies: dict[int, bytes | Copied] = dict(bodies or {})
            if acts:
                sealed_bodies[int(Compartment.BASE)] = encode_acts(acts)
            plan = self._plan(stream, row, number, sealed_bodies, acts, keys or {})
            if change_plan is not None:
                change_plan(plan)
            if unsealed is None:
                unsealed = _unsealed(plan, links)
            head = encode_head(
                device=self.device if lie.device is None else lie.device,
                number=number,
                stream=stream,
                previous_here=row.own_previous if lie.previous_here is None else lie.previous_here,
                after=row.after(self.device) if lie.after is None else lie.after,
                control_size=self.engine.control.size if lie.knows is None else lie.knows,
                random8=core.entropy.bytes(8),
            )
            header, segments = self._sealed(head, previous_link, unsealed, sealed_bodies, plan)
            made = self._signed(number, stream, previous_link, header, segments, signed=signed)
            for key in plan.made:
                core.engine.keys.add(tx, stream, key)
            if queued:
                self._queue(tx, made)
        return made

    def push(self, made: Made, channel: RelayChannel | None = None) -> SyncAnswer:
        """Hand a change to the relay beside the outbox; its answer, unread.

        Args:
            made: the change.
            channel: another device's, where the relay looks away; default one's own.

        Raises: NetworkError: as ``sync``.
        """
        request = SyncRequest(
            control_size=self.engine.control.size,
            cursor=0,
            newest=(made.number - 1, made.previous_link),
            outbox=(made.pushed,),
        )
        return SyncAnswer.decode((channel or self.core.channel).sync(request.encode()))

    def sync(self) -> None:
        """Deliver what was made, as an honest client would."""
        self.replica.sync()

    # -- parts ---------------------------------------------------------------------------------

    def _plan(
        self,
        stream: StreamId,
        row: StreamRow,
        number: int,
        bodies: Mapping[int, bytes | Copied],
        acts: Sequence[BaseAct],
        keys: Mapping[int, StreamKey],
    ) -> KeyPlan:
        """The keys an honest writer would use if it were allowed to write this."""
        future = StreamRights.from_row(row.rights.to_row())
        future.fold_acts(
            ChangeFacts(
                device=self.device,
                number=number,
                control_size=self.engine.control.size,
                log_index=END_OF_LOG + number,
                log_time_ms=0,
                location=0,
                segments=(),
                unsealed=None,
                base=acts,
                base_sealed=False,
            )
        )
        planner = KeyPlanner(self.engine, stream, future, number, None)
        planner.plan.keys.update(keys)
        for compartment, body in sorted(bodies.items()):
            if compartment not in keys and not isinstance(body, Copied):
                planner.use(compartment)
        return planner.plan

    def _sealed(
        self,
        head: bytes,
        previous_link: bytes,
        unsealed: bytes | None,
        bodies: Mapping[int, bytes | Copied],
        plan: KeyPlan,
    ) -> tuple[bytes, tuple[bytes, ...]]:
        head_hash = sha256(head).digest()
        table: list[tuple[int, bytes, int, bytes]] = []
        segments: list[bytes] = []
        if unsealed:
            table.append((UNSEALED_KIND, NO_KEY_NAME, len(unsealed), sha256(unsealed).digest()))
            segments.append(unsealed)
        for compartment, body in sorted(bodies.items()):
            if isinstance(body, Copied):
                name, sealed = body
            else:
                key = plan.keys[compartment]
                name = key.commitment[:8]
                sealed = seal_segment(
                    key.cipher,
                    previous_link,
                    head,
                    head_hash,
                    len(segments),
                    key.commitment,
                    body,
                )
            table.append((compartment, name, len(sealed), sha256(sealed).digest()))
            segments.append(sealed)
        return encode_header(head, table), tuple(segments)

    def _signed(
        self,
        number: int,
        stream: StreamId,
        previous_link: bytes,
        header: bytes,
        segments: tuple[bytes, ...],
        *,
        signed: bool,
    ) -> Made:
        link = chain_link(previous_link, header)
        signer = self.engine.secrets.change_signer()
        signature = sign_change(signer, self.engine.network, link) if signed else _BAD_SIGNATURE
        return Made(number, stream, previous_link, link, header, signature, segments)

    def _queue(self, tx: Transaction, made: Made) -> None:
        """Continue the chain and put the change into the outbox; the stream's row learns nothing.

        When its leaf comes back it is judged as anybody's, on this replica too.
        """
        stored = StoredChange(made.previous_link, made.header, made.signature, made.segments)
        [location] = tx.append_changes([stored])
        row = OutboxRow(ChangeNumber(made.number), made.stream, location, len(made.pushed), None)
        tx.put_outbox(row)
        tx.put_value(OWN_CHAIN, canonical.pack([made.number, made.link]))


def _unsealed(plan: KeyPlan, links: Sequence[tuple[FeedId, bool]]) -> bytes | None:
    """The kind 0 segment of what is planned, None if there is nothing to say in it."""
    feed_links = [FeedLink(feed, linked) for feed, linked in links]
    if not plan.statements and not plan.boxes and not feed_links:
        return None
    return encode_unsealed(None, plan.statements, plan.boxes, feed_links)
