"""What a relay stores and what follows from it, in English: meaning | conclusion (cli)."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "meta.key": "name of a setting | nothing",
    "meta.value": "the relay's secret log key | nothing about the network's members",
    "networks.handle": "the relay's own short number of a network | nothing",
    "networks.network": "id of a network (a hash) | that a network uses this relay",
    "networks.control_size": "entries about devices and keys | how often members change",
    "networks.change_size": "changes written so far | how much work is done",
    "networks.log_time_ms": "time of the newest entry | when somebody last worked",
    "networks.stored_bytes": "bytes stored | how much is stored",
    "control_leaves.place": "network and index | the order of entries",
    "control_leaves.log_time_ms": "when the entry came | when members or keys changed",
    "control_leaves.entry": "an entry: device numbers, verification keys, feeds; names "
    "and roles are sealed | "
    "which device signed it, which device it concerns, who may sign such acts",
    "streams.stream_no": "the relay's own short number of a stream | nothing",
    "streams.handle": "the relay's own short number of a network | nothing",
    "streams.stream": "id of a stream (a hash) | how many cases, registers and logs there are",
    "streams.opener": "device that opened it | which device began a case or a log",
    "change_leaves.place": "network and index | the order of changes",
    "change_leaves.log_time_ms": "when the change came | when which device synced",
    "change_leaves.device": "device that wrote it | which device works how much",
    "change_leaves.number": "the device's running number | how much it wrote offline",
    "change_leaves.stream_no": "stream it belongs to | which devices work on one case",
    "change_leaves.previous_link": "chain of the device (a hash) | nothing further",
    "change_leaves.header": "sizes, compartment numbers and key names of its sealed "
    "parts; whom it has seen | "
    "which compartments were written, about how much, who wrote after whom",
    "change_leaves.signature": "the device's signature | that this device wrote it",
    "change_leaves.segments": "the sealed parts, and key boxes, feed links and opening "
    "randomness in clear | "
    "to how many offices a case's key is boxed; of the contents nothing but padded sizes",
    "device_leaves.handle": "the relay's own short number of a network | nothing",
    "device_leaves.device": "device | as change_leaves.device",
    "device_leaves.number": "running number | as change_leaves.number",
    "device_leaves.place": "where it stands | nothing further",
    "nodes.tree": "which log | nothing",
    "nodes.level": "position in the proof tree | nothing",
    "nodes.node": "position in the proof tree | nothing",
    "nodes.hash": "hash over entries | nothing further",
    "feeds.feed_no": "the relay's own short number of a feed | nothing",
    "feeds.handle": "the relay's own short number of a network | nothing",
    "feeds.feed": "a feed (random) | how many offices and logs there are",
    "feed_links.feed_no": "feed | which offices share a case",
    "feed_links.stream_no": "stream | which offices share a case",
    "feed_links.place": "since when | when sharing began or ended",
    "feed_links.linked": "begun or ended | when sharing began or ended",
    "feed_leaves.feed_no": "feed | how much an office is sent",
    "feed_leaves.place": "change | how much an office is sent",
    "devices.handle": "the relay's own short number of a network | nothing",
    "devices.device": "device number | how many devices there are",
    "devices.newest_number": "its newest change | how much it wrote",
    "devices.newest_link": "its chain (a hash) | nothing further",
    "devices.counter": "how many requests it sent | how often it syncs",
    "devices.quota_day": "day of its quota | when it last pushed",
    "devices.quota_bytes": "bytes it pushed that day | how much it wrote that day",
    "blobs.handle": "the relay's own short number of a network | nothing",
    "blobs.name": "name of a blob (a hash) | nothing further",
    "blobs.body": "public keys, sealed schemas and roles, key wraps only their "
    "device opens | "
    "how many devices got new keys at once",
    "rendezvous.handle": "the relay's own short number of a network | nothing",
    "rendezvous.invitation": "an invitation (a hash) | that somebody is being enrolled",
    "rendezvous.device": "the inviting device | who enrols",
    "rendezvous.expires_ms": "when it ends | when the invitation was made",
    "rendezvous.slot1": "sealed message of the joiner | how far the enrolment is",
    "rendezvous.slot2": "sealed message of the inviter | how far the enrolment is",
    "rendezvous.slot3": "sealed message of the joiner | how far the enrolment is",
    "rendezvous.slot4": "sealed message of the inviter | how far the enrolment is",
}
