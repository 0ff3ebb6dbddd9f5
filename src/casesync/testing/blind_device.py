"""A device whose changes mean nothing: for tests of everything that cannot read (testing).

It chains, signs and syncs as a real one does; what stands in its sealed segments and sealed control
parts is noise of allowed lengths. So relay, transport and pages are tested without a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final, final

from casesync.codec.padding import padded_length
from casesync.crypto.device_keys import DeviceSecrets
from casesync.crypto.signatures import CompositeSigner, Ed25519Signer, sign_change
from casesync.foundation.ids import Compartment
from casesync.foundation.ports import Entropy
from casesync.merkle.compact_range import CompactRange
from casesync.merkle.hashing import EMPTY_ROOT
from casesync.sync.relay_port import RelayChannel
from casesync.testing.entropy import SeededEntropy
from casesync.translog.chain import link
from casesync.translog.checkpoint import Checkpoint, LogName
from casesync.translog.control_acts import (
    ACTS_ADMINISTRATOR,
    ACTS_FOUNDER,
    ACTS_STAFF,
    EnrolPublic,
    GenesisPublic,
    Public,
    SuspendPublic,
    decode_public,
    encode_public,
)
from casesync.translog.control_entry import (
    GENESIS_NETWORK,
    GENESIS_PREVIOUS,
    Act,
    complete_entry,
    entry_hash,
    entry_prefix,
    parse_entry,
)
from casesync.translog.header import encode_head, encode_header
from casesync.translog.page import OwnChange, read_page
from casesync.translog.served_leaf import ServedLeaf
from casesync.translog.unsealed import FeedLink, encode_unsealed, stream_id
from casesync.wire.messages import Owed, SyncAnswer, SyncRequest

NO_WRAP: Final = b"a wrap nobody opens"


@dataclass(slots=True)
class BlindKeys:
    """A device's signers."""

    change: Ed25519Signer
    request: Ed25519Signer
    composite: CompositeSigner
    kem_public: bytes

    @classmethod
    def generate(cls, entropy: Entropy) -> BlindKeys:
        """Fresh keys; the KEM key is real, since the directory checks its form."""
        secrets = DeviceSecrets.generate(entropy)
        return cls(
            Ed25519Signer(secrets.change_seed),
            Ed25519Signer(secrets.request_seed),
            CompositeSigner(secrets.composite_seeds),
            secrets.public().kem,
        )

    @property
    def blob(self) -> bytes:
        """The device keys blob."""
        return self.composite.public + self.kem_public


@dataclass(slots=True)
class Written:
    """A change of this device, as it is pushed and as it is restored."""

    number: int
    stream: bytes
    previous_link: bytes
    link: bytes
    header: bytes
    signature: bytes
    segments: tuple[bytes, ...]

    @property
    def pushed(self) -> bytes:
        """``header | signature | segments``."""
        return self.header + self.signature + b"".join(self.segments)


@final
class BlindDevice:
    """One device of a network; syncs over any ``RelayChannel``."""

    def __init__(
        self, network: bytes, number: int, first_link: bytes, keys: BlindKeys, feed: bytes
    ) -> None:
        """Args: number: its device number; first_link: hash of its enrolment entry."""
        self.network = network
        self.number = number
        self.keys = keys
        self.feed = feed
        self.entropy = SeededEntropy(f"device/{network.hex()}/{number}")
        self.newest = (0, first_link)
        self.outbox: list[Written] = []
        self.written: dict[int, Written] = {}
        self.previous_here: dict[bytes, int] = {}
        self.control: list[bytes] = []
        """Control leaves held."""
        self.seen = CompactRange()
        """Right edge at the cursor."""
        self.target = 0
        self.leaves: list[ServedLeaf] = []
        """Everything served and proven so far."""

    # -- writing --------------------------------------------------------------------------------
    def open_stream(self, *feeds: bytes) -> bytes:
        """Write the opening of a new stream, linked to this device's feed and ``feeds``."""
        random16 = self.entropy.bytes(16)
        number = self.newest[0] + 1
        stream = bytes(stream_id(self.network, self.number, number, random16))
        links = [FeedLink(feed, True) for feed in dict.fromkeys((self.feed, *feeds))]
        self.write(stream, unsealed=encode_unsealed(random16, feed_links=links))
        return stream

    def write(
        self,
        stream: bytes,
        *,
        unsealed: bytes | None = None,
        content_bytes: int = 100,
        kind: int = Compartment.IDENTITY,
    ) -> Written:
        """Write a change of noise; it stands in the outbox."""
        segments = [] if unsealed is None else [(0, bytes(8), unsealed)]
        noise = self.entropy.bytes(padded_length(content_bytes))
        segments.append((int(kind), noise[:8], noise))
        number, previous = self.newest[0] + 1, self.newest[1]
        head = encode_head(
            device=self.number,
            number=number,
            stream=stream,
            previous_here=self.previous_here.get(stream, 0),
            after=(),
            control_size=len(self.control),
            random8=self.entropy.bytes(8),
        )
        rows = [(k, name, len(body), sha256(body).digest()) for k, name, body in segments]
        header = encode_header(head, rows)
        chained = link(previous, header)
        change = Written(
            number,
            stream,
            previous,
            chained,
            header,
            sign_change(self.keys.change, self.network, chained),
            tuple(body for _kind, _name, body in segments),
        )
        self.newest = (number, chained)
        self.previous_here[stream] = number
        self.outbox.append(change)
        self.written[number] = change
        return change

    def link(self, stream: bytes, feed: bytes, *, linked: bool = True) -> Written:
        """Write a change that links (or unlinks) ``stream``."""
        return self.write(stream, unsealed=encode_unsealed(feed_links=[FeedLink(feed, linked)]))

    # -- syncing --------------------------------------------------------------------------------
    def request(
        self, *, owed: tuple[Owed, ...] = (), answer_bytes_max: int = 1 << 23
    ) -> SyncRequest:
        """The next sync request."""
        first = self.outbox[0] if self.outbox else None
        before = self.newest if first is None else (first.number - 1, first.previous_link)
        return SyncRequest(
            control_size=len(self.control),
            cursor=self.seen.size,
            target=self.target,
            outbox=tuple(change.pushed for change in self.outbox),
            newest=before,
            owed=owed,
            answer_bytes_max=answer_bytes_max,
        )

    def sync(
        self,
        channel: RelayChannel,
        *,
        owed: tuple[Owed, ...] = (),
        answer_bytes_max: int = 1 << 23,
    ) -> SyncAnswer:
        """One round trip; the page is proven before it is taken.

        Raises:
            RelayMisbehaviour: what the relay says does not add up.
        """
        request = self.request(owed=owed, answer_bytes_max=answer_bytes_max)
        answer = SyncAnswer.decode(channel.sync(request.encode()))
        self.take(answer)
        return answer

    def take(self, answer: SyncAnswer) -> list[ServedLeaf]:
        """Prove an answer and move the cursor; the leaves it served."""
        assert answer.control.first == len(self.control)
        self.control.extend(answer.control.leaves)
        relay_key = genesis_relay_key(self.control[0])
        name = LogName(self.network, "change")
        point = Checkpoint.from_binary(name, answer.change_checkpoint, relay_key)
        page = read_page(answer.page, self.seen, point.size, point.root, self.own)
        self.seen = page.compact_range
        self.target = 0 if self.seen.size == point.size else point.size
        self.leaves.extend(page.leaves)
        acknowledged = {receipt.number for receipt in answer.receipts}
        self.outbox = [one for one in self.outbox if one.number not in acknowledged]
        return page.leaves

    def own(self, number: int) -> OwnChange | None:
        """An own change, for restoring own frames."""
        held = self.written.get(number)
        if held is None:
            return None
        return OwnChange(held.previous_link, held.header, held.signature, held.segments)


@final
class BlindNetwork:
    """A network whose control log has only public parts; its founder signs every act."""

    def __init__(self, channel: RelayChannel, seed: str = "blind") -> None:
        """Create it at the relay behind ``channel`` (one of no network yet)."""
        self._entropy = SeededEntropy(seed)
        self._relay_key = channel.relay_key()
        keys = BlindKeys.generate(self._entropy)
        feed = self._entropy.bytes(16)
        genesis = GenesisPublic(
            self._relay_key,
            keys.change.public,
            keys.request.public,
            sha256(keys.blob).digest(),
            ACTS_FOUNDER,
            (feed,),
            self._entropy.bytes(32),
        )
        entry = self._entry(Act.GENESIS, genesis, keys)
        self.id: Final = entry_hash(entry)
        self.entries = [entry]
        self.created = channel.create_network([entry], [keys.blob])
        self.founder = BlindDevice(self.id, 1, self.id, keys, feed)

    def enrol(
        self,
        channel: RelayChannel,
        *,
        feeds: tuple[bytes, ...] | None = None,
        administrator: bool = False,
    ) -> BlindDevice:
        """Enrol a device over the founder's channel; default: a feed of its own."""
        keys = BlindKeys.generate(self._entropy)
        own = (self._entropy.bytes(16),) if feeds is None else feeds
        public = EnrolPublic(
            1,
            keys.change.public,
            keys.request.public,
            sha256(keys.blob).digest(),
            ACTS_ADMINISTRATOR if administrator else ACTS_STAFF,
            own,
            sha256(NO_WRAP).digest(),
            None,
        )
        entry = self.append(channel, Act.ENROL, public, [keys.blob, NO_WRAP])
        return BlindDevice(self.id, len(self.entries), entry_hash(entry), keys, own[0])

    def suspend(self, channel: RelayChannel, device: int) -> None:
        """Suspend a device over the founder's channel."""
        self.append(channel, Act.SUSPEND, SuspendPublic(device, None, ()), [])

    def append(self, channel: RelayChannel, act: Act, public: Public, blobs: list[bytes]) -> bytes:
        """Append one entry signed by the founder."""
        entry = self.entry(act, public)
        channel.append_control([entry], blobs)
        self.entries.append(entry)
        return entry

    def entry(
        self,
        act: Act,
        public: Public,
        *,
        signer: BlindDevice | None = None,
        change_size: int = 0,
        change_root: bytes = EMPTY_ROOT,
    ) -> bytes:
        """An entry over the head, by the founder unless ``signer`` is given."""
        signer = signer or self.founder
        prefix = entry_prefix(
            network=self.id,
            index=len(self.entries),
            previous=entry_hash(self.entries[-1]),
            signer=signer.number,
            change_size=change_size,
            change_root=change_root,
            act=act,
            public=encode_public(public),
        )
        return complete_entry(prefix, b"", signer.keys.composite.sign)

    @staticmethod
    def _entry(act: Act, public: Public, keys: BlindKeys) -> bytes:
        prefix = entry_prefix(
            network=GENESIS_NETWORK,
            index=0,
            previous=GENESIS_PREVIOUS,
            signer=1,
            change_size=0,
            change_root=EMPTY_ROOT,
            act=act,
            public=encode_public(public),
        )
        return complete_entry(prefix, b"", keys.composite.sign)


def genesis_relay_key(leaf: bytes) -> bytes:
    """The relay's key that the first control leaf names."""
    entry = parse_entry(leaf[6:])
    public = decode_public(entry.act, entry.public)
    assert isinstance(public, GenesisPublic)
    return public.relay_key
