"""Small networks of devices that mean nothing, for the relay's tests."""

from __future__ import annotations

from dataclasses import dataclass

from casesync.testing.blind_device import BlindDevice, BlindNetwork
from casesync.testing.clock import FakeClock
from casesync.testing.entropy import SeededEntropy
from casesync.testing.memory_network import MemoryChannel, MemoryNetwork, Relay


@dataclass
class World:
    """Two laptops of one office, one of another, an auditor; everybody has synced once."""

    clock: FakeClock
    relays: MemoryNetwork
    network: BlindNetwork
    first: BlindDevice
    second: BlindDevice
    other: BlindDevice
    auditor: BlindDevice
    channels: dict[int, MemoryChannel]

    def sync(self, *devices: BlindDevice):
        """Sync each once; the last answer."""
        answers = [device.sync(self.channels[device.number]) for device in devices]
        return answers[-1]


def make_world(relay: Relay | None = None, clock: FakeClock | None = None) -> World:
    clock = clock or FakeClock()
    relays = MemoryNetwork(clock, SeededEntropy("relay"), relay)
    network = BlindNetwork(relays.channel())
    first = network.founder
    channels = {1: relays.channel(network.id, 1)}
    second = network.enrol(channels[1], feeds=(first.feed,))
    other = network.enrol(channels[1])
    auditor = network.enrol(channels[1], feeds=(b"\xff" * 16,))
    for device in (second, other, auditor):
        channels[device.number] = relays.channel(network.id, device.number)
    world = World(clock, relays, network, first, second, other, auditor, channels)
    world.sync(first, second, other, auditor)
    return world
