"""Attack 50: the relay's database, files and logs contain no planted name, number, unit, type,
field or value.

Layer: everything that leaves a replica is sealed. Real homes, a real relay process, HTTP.
"""

from __future__ import annotations

import signal
import sys
import unicodedata

import pytest

from casesync.client.replica import Replica
from casesync.client.views import Assignment
from casesync.foundation.ids import StreamId
from unit.client.real_network import PASSPHRASE, Relay, found, in_child, join, keys_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")

PLANTED = {
    "name": "Đặng Thị Quỳnh-Hoa",
    "number": "079187654321",
    "phone": "0912345678",
    "rule": "chỉ nhắn tin sau mười giờ đêm",
    "note": "chồng cũ đang tìm chị ở bến xe Miền Đông",
    "reason": "máy bị mất trộm ở chợ Bình Tây",
}
WORDS = ("Nhà Bình Yên", "Lan", "Mai", "Mạng lưới", "caseworker", "shelter", "given_name", "person")
CODES = ("gbv", "share_with_org", "case_work", "safe_to_contact", "risk_assessment", "identity")


def spellings(text: str) -> set[bytes]:
    """A text as it could stand somewhere."""
    found = set()
    for form in ("NFC", "NFD"):
        written = unicodedata.normalize(form, text)
        for variant in (written, written.casefold(), written.upper()):
            found |= {
                variant.encode(),
                variant.encode("utf-16-le"),
                variant.encode().hex().encode(),
            }
    return found


@pytest.fixture(scope="module")
def relay_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("blind")
    place = folder / "relay"
    place.mkdir()
    relay = Relay(place)
    relay.start()
    lan, mai = folder / "lan", folder / "mai"
    found(relay, lan)
    join(lan, mai, "Mai")
    keys = keys_of(lan, mai)

    def work(say) -> None:
        def one(path: str, text: str) -> Assignment:
            kind, field = path.split(".")
            return Assignment(
                type=kind, field=field, text=text, op="set", record=None, element=None, part=None
            )

        with Replica.open(lan, PASSPHRASE) as replica:
            sets = [
                one("person.given_name", PLANTED["name"]),
                one("person.contact_rule", PLANTED["rule"]),
            ]
            view = replica.new_case(["gbv"], sets)
            stream = StreamId(bytes.fromhex(view.stream_hex))
            with replica.edit(stream) as edit:
                edit.add("person.phones", PLANTED["phone"])
                edit.add("person.id_documents", PLANTED["number"])
                edit.new_record("note", {"text": PLANTED["note"]})
            replica.cases({"person.given_name": PLANTED["name"]})
            replica.find(PLANTED["number"])
            replica.sync()
            replica.add_unit("Văn phòng OSSO", "osso")
            devices = [d.number for d in replica.devices()]
            replica.suspend_device(max(devices), PLANTED["reason"])
            replica.sync()
            say([view.case, view.stream_hex, bytes.fromhex(view.records[0].id_hex).hex()])

    reported, status = in_child(work, keys=keys)
    assert status == 0
    files = {path.name: path.read_bytes() for path in place.iterdir()}
    relay.stop(signal.SIGTERM)
    files |= {f"{path.name} after": path.read_bytes() for path in place.iterdir()}
    return files, reported[0]


@pytest.mark.parametrize("what", [*PLANTED, *WORDS, *CODES, "Văn phòng OSSO"])
def test_nothing_planted_stands_in_any_file_of_the_relay(relay_folder, what):
    files, _ = relay_folder
    assert len(files) >= 3
    text = PLANTED.get(what, what)
    if text in {"Lan", "Mai", "gbv"}:
        text = f"{text} "  # three letters may occur anywhere in a megabyte of noise
    for spelled in spellings(text):
        for name, content in files.items():
            assert spelled not in content, name


def test_neither_the_case_code_nor_its_record_stand_there(relay_folder):
    files, (code, stream, record) = relay_folder
    for name, content in files.items():
        assert code.encode() not in content, name
        assert bytes.fromhex(record) not in content, name
    assert any(bytes.fromhex(stream) in content for content in files.values()), "the search finds"


def test_the_log_names_no_address_and_no_device(relay_folder):
    files, _ = relay_folder
    log = files["relay.log after"].decode()
    assert "127.0.0.1" not in log.replace("http://127.0.0.1", "")
    assert "device" not in log.lower()
