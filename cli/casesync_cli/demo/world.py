"""Who plays in the demo, and everything that is running (cli)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from casesync.client.system_ports import SystemEntropy
from casesync_cli.demo.invented import InventedCase, Invention
from casesync_cli.demo.narrator import Narrator
from casesync_cli.demo.planted import Planted
from casesync_cli.demo.processes import LaptopProcess, RelayProcess

NETWORK: Final = "Mạng lưới thử nghiệm Trăng Mơ"
SHELTER: Final = "Nhà Trăng Mơ"
OSSO: Final = "Văn phòng OSSO Sông Mơ"
UNION: Final = "Hội Phụ nữ huyện Núi Mơ"
AUDIT: Final = "Ban Kiểm tra Sao Mơ"
UNITS: Final = ((SHELTER, "shelter"), (OSSO, "osso"), (UNION, "union"), (AUDIT, "audit"))
PASSPHRASE_BYTES: Final = 12


class Person(NamedTuple):
    """Somebody with a laptop."""

    name: str
    unit: str
    role: str
    folder: str
    """Name of the laptop's folder, and of the laptop in the network."""


LAN: Final = Person("Lan Thử", SHELTER, "caseworker", "shelter-1")
CUC: Final = Person("Cúc Thử", SHELTER, "caseworker", "shelter-2")
MAI: Final = Person("Mai Thử", OSSO, "counsellor", "osso")
HANG: Final = Person("Hằng Thử", UNION, "officer", "union")
THU: Final = Person("Thu Thử", AUDIT, "auditor", "audit")
PEOPLE: Final = (LAN, CUC, MAI, HANG, THU)


@dataclass(slots=True)
class World:
    """One run of the demo."""

    folder: Path
    narrator: Narrator
    cases: int
    """Cases that the shelter's first laptop opens in one go."""
    laptops: dict[Person, LaptopProcess] = field(default_factory=dict)
    relay_process: RelayProcess | None = None
    planted: Planted = field(default_factory=Planted)
    invention: Invention = field(default_factory=Invention)
    empty_relay: bytes = b""
    """What the relay's files hold before anybody used it."""
    person: InventedCase | None = None
    """Whom the story is about."""
    case: str = ""
    """Code of her case."""
    own_case: dict[Person, str] = field(default_factory=dict)
    """Code of a case that somebody else opened."""
    grant: str = ""
    """Id of the grant to the OSSO, in hex."""
    consent: str = ""
    """Id of the consent it rests on, in hex."""

    # -- processes ------------------------------------------------------------------------------

    @property
    def relay(self) -> RelayProcess:
        """The running relay."""
        assert self.relay_process is not None
        return self.relay_process

    @property
    def relay_folder(self) -> Path:
        """Everything the relay keeps."""
        return self.folder / "relay"

    def start_relay(self) -> None:
        """Start the relay, on the port it had before."""
        port = 0 if self.relay_process is None else self.relay_process.port
        self.relay_folder.mkdir(exist_ok=True)
        folder = self.relay_folder
        self.relay_process = RelayProcess(folder / "relay.db", folder / "relay.log", port)
        if port == 0:
            self.empty_relay = b"\0".join(file.read_bytes() for file in self.relay_files())

    def relay_files(self) -> list[Path]:
        """Database, write-ahead log and log, as they are now."""
        return sorted(path for path in self.relay_folder.rglob("*") if path.is_file())

    def switch_on(self, person: Person) -> LaptopProcess:
        """Start somebody's laptop."""
        passphrase = SystemEntropy().bytes(PASSPHRASE_BYTES).hex()
        home, log = self.folder / person.folder, self.folder / f"{person.folder}.log"
        laptop = LaptopProcess(person.folder, home, log, passphrase)
        self.laptops[person] = laptop
        return laptop

    def end(self) -> None:
        """End every process that was started, by its id."""
        for laptop in self.laptops.values():
            laptop.end()
        if self.relay_process is not None:
            self.relay_process.stop()

    # -- work -----------------------------------------------------------------------------------

    def on(self, person: Person) -> LaptopProcess:
        """Somebody's laptop."""
        return self.laptops[person]

    def sync(self, *people: Person) -> list[dict[str, Any]]:
        """Sync one after the other, in this order."""
        return [self.on(person).ask("sync") for person in people]

    def plant(self, kind: str, *texts: str) -> None:
        """Remember texts that must not be found at the relay."""
        self.planted.add(kind, texts)

    def typed(self, key: str) -> str:
        """A text that somebody types, in the story's language; planted."""
        text = self.narrator.words(f"typed.{key}")
        self.plant("value", text)
        return text

    def plant_cases(self, cases: Iterable[InventedCase]) -> None:
        """Remember everything that was typed into cases."""
        for case in cases:
            self.plant("name", case.name)
            for path, _, text in case.steps:
                kind = "name" if path.endswith("_name") else "value"
                number = path in {"person.phones", "person.id_documents"}
                self.plant("number" if number else kind, text)


def field_of(view: dict[str, Any], path: str) -> Any:  # noqa: ANN401 - JSON
    """A field of a shown case by ``type.field``, of the first record of that type."""
    type_name, _, name = path.partition(".")
    record = next(r for r in view["records"] if r["type"] == type_name)
    return record["fields"][name]


def records_of(view: dict[str, Any], type_name: str) -> list[dict[str, Any]]:
    """Records of one type in a shown case."""
    return [record for record in view["records"] if record["type"] == type_name]
