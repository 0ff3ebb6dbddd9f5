"""What new control entries mean for this replica: its keys, and verdicts to be made again (sync).

``protocol/membership.md``. Folding the log is ``access.control_state``'s; here stands what follows
for a device that holds keys and changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from casesync.access.control_opened import state_blobs
from casesync.access.control_wraps import (
    joiner_network_keys,
    older_seeds,
    open_wrap_for_device,
    wrap_for,
)
from casesync.codec import canonical
from casesync.crypto.key_wrap import UnitKeyId
from casesync.foundation.errors import CasesyncError, RemoteProtocolError
from casesync.foundation.ids import BlobHash, StreamId, StreamKind, UnitId
from casesync.sync.context import Engine
from casesync.sync.ports import StreamFlag, Transaction
from casesync.sync.stream_row import StreamRow
from casesync.translog.control_acts import blobs_named, decode_public
from casesync.translog.control_entry import Act, parse_entry

NETWORK_KEYS = "network-keys"
"""Stored value: canonical array of the network keys held, newest first."""
_STREAMS_PER_READ = 500

Entries = Sequence[tuple[int, int, bytes]]
"""(index, log time, entry)."""


def own_wraps(device: int, entries: Entries) -> Iterator[tuple[int, BlobHash]]:
    """(control index, blob) of each wrap that the entries name for ``device``."""
    for index, _, entry in entries:
        name = wrap_for(entry, device)
        if name is not None:
            yield index, name


def named_blobs(device: int, entries: Entries) -> list[BlobHash]:
    """Blobs that this device needs to fold ``entries`` and to open what is wrapped to it."""
    names = [name for _, _, entry in entries for name in state_blobs(entry)]
    names += [name for _, name in own_wraps(device, entries)]
    return list(dict.fromkeys(names))


def all_blobs(entries: Entries) -> list[BlobHash]:
    """Every blob that ``entries`` name, the wraps of all devices with them; for auditors."""
    names: dict[BlobHash, None] = {}
    for _, _, entry in entries:
        with suppress(RemoteProtocolError):  # a void entry that names what nobody can read
            parsed = parse_entry(entry)
            named = blobs_named(decode_public(parsed.act, parsed.public))
            names.update(dict.fromkeys(map(BlobHash, named)))
    return list(names)


def network_keys_of(tx: Transaction) -> list[bytes]:
    """The network keys this device holds, newest first."""
    stored = tx.value(NETWORK_KEYS)
    return [] if stored is None else list(canonical.unpack(stored))


def take_first_network_key(engine: Engine, tx: Transaction, entries: Entries) -> None:
    """A newcomer's own enrolment names the wrap that holds the network key; take it from there.

    Nothing of the log can be opened before. The wrap's seeds are checked once the log is folded
    (``open_own_wraps``).
    """
    if network_keys_of(tx):
        return
    for index, name in own_wraps(engine.device, entries):
        blob = tx.blob(name)
        if blob is None:
            continue
        seed = engine.secrets.kem_seed.reveal()
        try:
            keys = joiner_network_keys(engine.network, engine.device, index, seed, blob)
        except CasesyncError:
            continue
        tx.put_value(NETWORK_KEYS, canonical.pack(keys))
        return


def open_own_wraps(engine: Engine, tx: Transaction, entries: Entries) -> bool:
    """Take the seeds wrapped to this device; returns whether there were new ones.

    A wrap that does not hold what the log says gives nothing: the keys stay missing and
    ``who_lacks_keys`` shows it (attacks 15, 18, 19). Network keys in it are not taken: anybody can
    wrap one of his own, and who seals under it is void to all others.
    """
    engine.keys.load_seeds(tx)
    before = len(engine.keys.held())
    seed = engine.secrets.kem_seed.reveal()
    for index, name in own_wraps(engine.device, entries):
        blob = tx.blob(name)
        if blob is None:
            continue
        try:
            opened = open_wrap_for_device(engine.control, index, engine.device, seed, blob)
        except CasesyncError:
            continue
        _keep_seeds(tx, opened.seeds)
    engine.keys.load_seeds(tx)
    held = {UnitKeyId(UnitId(u), c, e): s for (u, c, e), s in engine.keys.held().items()}
    with suppress(CasesyncError):  # a predecessor that lies: the older epochs stay closed
        _keep_seeds(tx, older_seeds(engine.control, held))
    engine.keys.load_seeds(tx)
    return len(engine.keys.held()) > before


def _keep_seeds(tx: Transaction, seeds: Mapping[UnitKeyId, bytes]) -> None:
    for key, seed in seeds.items():
        tx.put_seed(key.unit, key.compartment, key.epoch, seed)


# -- verdicts that may have changed ------------------------------------------------------------


def streams_to_judge_again(
    engine: Engine,
    tx: Transaction,
    cursor: int,
    suspended_before: Iterable[int],
    *,
    control_grew: bool,
    new_seeds: bool,
) -> list[StreamId]:
    """Streams in which a verdict, or what opens, may be different now.

    Args:
        engine: with the new control log folded and new seeds loaded.
        tx: the running transaction.
        cursor: change-log size held; a suspension behind it concerns nothing here.
        suspended_before: devices that were suspended before.
        control_grew: entries came; what waited for them may be judged.
        new_seeds: keys came; what was unreadable may open.
    """
    found: dict[StreamId, None] = {}
    before = set(suspended_before)
    fresh = {
        int(s.device): s.change_size
        for s in engine.control.suspensions()
        if int(s.device) not in before
    }
    if any(size < cursor for size in fresh.values()):
        for stream, row in _all_rows(tx):
            if any(
                entry.device in fresh and entry.log_index >= fresh[entry.device]
                for entry in row.history()
            ):
                found[stream] = None
    if control_grew or new_seeds:
        found.update(dict.fromkeys(tx.streams_marked(StreamFlag.UNSETTLED)))
    return list(found)


def mark_boxes_owed(engine: Engine, tx: Transaction, entries: Entries) -> None:
    """Unit keys changed: streams shared with other units may lack boxes that we can make."""
    keyed = (Act.ENROL, Act.SUSPEND, Act.ROTATE, Act.FOUND)
    if not any(_act(entry) in keyed for _, _, entry in entries):
        return
    owed = [stream for stream, row in _all_rows(tx, StreamKind.CASE) if row.rights.grants]
    tx.mark_streams(owed, StreamFlag.BOXES_OWED, on=True)


def _act(entry: bytes) -> int | None:
    try:
        return int(parse_entry(entry).act)
    except RemoteProtocolError:
        return None


def _all_rows(
    tx: Transaction, only: StreamKind | None = None
) -> Iterator[tuple[StreamId, StreamRow]]:
    kinds = [int(only)] if only is not None else [0, *(int(kind) for kind in StreamKind)]
    for kind in kinds:
        ids = tx.stream_ids(kind)
        for at in range(0, len(ids), _STREAMS_PER_READ):
            for stream, row in tx.stream_rows(ids[at : at + _STREAMS_PER_READ]).items():
                yield stream, StreamRow(row)
