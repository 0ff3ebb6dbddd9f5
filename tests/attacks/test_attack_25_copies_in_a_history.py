"""Attack 25: a member of the owning office forges copies, to be read in the history of a case.

An office with a grant sees older words as copies. Its history tells each as the merge takes it,
with who copied it; the owning office holds the originals and tells no copies
(``client/case_history.py``; record-model.md, *Copies*).
"""

from __future__ import annotations

from typing import Any

from attack_world import OSSO, AttackWorld
from casesync.client.views import HistoryView
from casesync.foundation.ids import Compartment, StreamId
from casesync.model.segment_body import Copy, Replacement, encode_copies
from casesync.sync.stream_merge import load_changes
from casesync.sync.stream_row import StreamRow
from casesync.testing.hostile_member import HostileMember, Made

IDENTITY = int(Compartment.IDENTITY)
NAME, FAMILY = "person.given_name", "person.family_name"
NO_LINK = b"no link!"


class SharedCase:
    """A case of Lan's that Oanh's office reads, and a colleague of Lan's who forges."""

    def __init__(self, forger: str = "mai", *, unsent: str = "") -> None:
        """Args: unsent: what Mai calls the person, off line, before the grant."""
        self.world = AttackWorld(8)
        self.stream: StreamId = self.world.case(given_name="Hoa")
        self.world.sync(rounds=2)
        self.record = self.world.person("lan", self.stream)
        if unsent:
            self.world.set("mai", self.stream, NAME, unsent)
        self.grant = bytes.fromhex(self.share().grant)
        if not unsent:
            self.world.sync(rounds=2)
        self.forger = HostileMember(self.world.replicas[forger])

    def share(self) -> Any:
        return self.world.share(self.stream, OSSO, ("identity", "contact"), write=True)

    def copy(
        self, dot: tuple[int, int, int], link8: bytes, value: object, path: str = NAME
    ) -> Copy:
        """A copy that says ``dot`` wrote ``value``, now."""
        cell, code = self.forger.cell(self.record, path)
        device, number, position = dot
        now_ms = self.forger.core.clock.now_ms()
        return Copy(device, number, link8, position, cell, code, now_ms, value, ())

    def forge(self, *copies: Copy, kind: int = IDENTITY) -> Made:
        now_ms = self.forger.core.clock.now_ms()
        version = self.forger.engine.schema.version
        body = encode_copies(now_ms, version, self.grant, 1, 1, list(copies))
        return self.forger.write(self.stream, bodies={kind: body})

    def wrote(self, value: str, name: str = "lan") -> tuple[tuple[int, int, int], bytes]:
        """Dot and link of the name that was given, as this desk holds it."""
        [row] = [row for row in self.history(name) if row.value == value]
        device, number, position = map(int, row.dot.split("."))
        with self.world.stores[name].transaction() as tx:
            entry = StreamRow(tx.stream_rows([self.stream])[self.stream]).find(device, number)
            assert entry is not None
            [change] = load_changes(tx, [entry])
        return (device, number, position), change.link[:8]

    def history(self, name: str, field: str | None = NAME) -> list[HistoryView]:
        return self.world.replicas[name].history(self.stream, field)

    def told(self, name: str) -> set[tuple[object, bool, int | None]]:
        """Value, whether it is live, and whose device copied it, of each row about the name."""
        return {(row.value, row.live, copier(row)) for row in self.history(name)}


def copier(view: Any) -> int | None:
    return None if view.copied_by is None else int(view.copied_by.device)


def shown(case: SharedCase, name: str) -> set[tuple[object, str, int | None]]:
    """What `case show` says of the person, with whose words these are and who copied them."""
    [person] = [
        r for r in case.world.replicas[name].show(case.stream).records if r.type == "person"
    ]
    views = [view for field in person.fields.values() for view in field.values]
    return {(view.value, view.dot, copier(view)) for view in views}


def test_the_history_tells_every_value_that_is_shown_with_who_copied_it() -> None:
    """Two forged copies under the dot of a true one, of the same cell and of another."""
    case = SharedCase()
    dot, _ = case.wrote("Hoa")
    made = case.forge(
        case.copy(dot, NO_LINK, "forged"), case.copy(dot, b"no link2", "other", FAMILY)
    )
    case.world.sync("mai", "oanh", "lan")
    live = {
        (r.value, r.dot, copier(r))
        for r in case.history("oanh", None)
        if r.type == "person" and r.live
    }
    assert live == shown(case, "oanh")
    assert {("forged", case.forger.device), ("other", case.forger.device)} < {
        (value, device) for value, _, device in live
    }
    assert case.world.reasons("oanh") == {(case.forger.device, made.number): "copy-differs"}


def test_a_forged_copy_that_came_first_does_not_hide_the_true_word() -> None:
    """Lan copies what Mai did not say; what Mai did say is copied by Mai, later."""
    case = SharedCase("lan", unsent="Mai's word")
    mai = int(case.world.mai.core.engine.device)
    case.forge(case.copy((mai, 1, 0), NO_LINK, "forged"))
    case.world.sync("lan", "mai", "oanh", "mai", "oanh")
    lan = case.forger.device
    expected = {("Hoa", False, lan), ("forged", True, lan), ("Mai's word", True, mai)}
    assert case.told("oanh") == expected


def test_copies_of_one_write_that_differ_stand_beside_each_other() -> None:
    """Under the very identity of the true one; the merge shows that of the smaller carrier."""
    case = SharedCase()
    dot, link8 = case.wrote("Hoa")
    case.forge(case.copy(dot, link8, "forged"))
    case.world.sync("mai", "oanh")
    lan = int(case.world.lan.core.engine.device)
    assert case.told("oanh") == {("Hoa", True, lan), ("forged", False, case.forger.device)}


def test_one_copy_brought_twice_is_told_once_by_whose_copy_is_shown() -> None:
    """Mai's copy of her own word comes first; Lan's, as true, has the smaller carrier."""
    case = SharedCase("lan", unsent="Mai's word")
    world, lan = case.world, case.forger
    world.sync("lan", "mai", "lan", "oanh")
    mai = int(world.mai.core.engine.device)
    assert case.told("oanh") == {("Hoa", False, lan.device), ("Mai's word", True, mai)}
    dot, link8 = case.wrote("Mai's word")
    [row] = [row for row in case.history("lan") if row.value == "Mai's word"]
    case.forge(case.copy(dot, link8, "Mai's word")._replace(clock_ms=row.time_ms))
    world.sync("lan", "oanh")
    assert case.told("oanh") == {("Hoa", False, lan.device), ("Mai's word", True, lan.device)}


def test_a_copy_of_what_can_be_read_itself_is_not_told() -> None:
    """Lan writes again behind the grant, under its keys; Mai copies that."""
    case = SharedCase()
    case.world.set("lan", case.stream, NAME, "Hoà")
    case.world.sync("lan", "mai")
    dot, link8 = case.wrote("Hoà")
    [row] = [row for row in case.history("mai") if row.value == "Hoà"]
    case.forge(case.copy(dot, link8, "Hoà")._replace(clock_ms=row.time_ms))
    case.world.sync("mai", "oanh")
    lan = int(case.world.lan.core.engine.device)
    assert case.world.reasons("oanh") == {}
    assert [(row.value, copier(row)) for row in case.history("oanh")] == [
        ("Hoa", lan),
        ("Hoà", None),
    ]


def test_copies_that_a_suspended_member_brought_are_not_told_any_more() -> None:
    case = SharedCase()

    def forge() -> None:
        case.forge(case.copy((1, 999, 0), NO_LINK, "never was"))
        case.world.sync("mai", "oanh")
        assert "never was" in {row.value for row in case.history("oanh")}

    case.world.suspend_before("mai", forge)
    case.world.sync("oanh")
    assert [row.value for row in case.history("oanh")] == ["Hoa"]


def test_the_owning_office_tells_no_copies() -> None:
    """Nobody there reads words under a colleague's name that she never wrote, least she herself."""
    case = SharedCase()
    case.forge(case.copy((1, 999, 0), NO_LINK, "never was"))
    case.world.sync("mai", "oanh", "lan", "yen")
    assert "never was" in {row.value for row in case.history("oanh")}
    for name in ("lan", "mai"):
        assert [(row.value, copier(row)) for row in case.history(name)] == [("Hoa", None)]


def test_what_is_known_to_be_false_leaves_the_history_when_it_is_replaced() -> None:
    case = SharedCase()
    dot, _ = case.wrote("Hoa")
    case.forge(case.copy(dot, NO_LINK, "forged"))
    case.world.sync("mai", "oanh")
    lan, mai = int(case.world.lan.core.engine.device), case.forger.device
    assert case.told("oanh") == {("Hoa", True, lan), ("forged", True, mai)}
    over = [Replacement(dot[0], dot[1], NO_LINK, 1 << dot[2])]
    body = case.forger.content(case.record, {NAME: "Hoà"}, over)
    case.forger.write(case.stream, bodies={IDENTITY: body})
    case.world.sync("mai", "oanh")
    assert case.told("oanh") == {("Hoa", True, lan), ("Hoà", True, None)}


def test_a_copy_of_a_field_that_belongs_elsewhere_is_not_told() -> None:
    """The segment does not keep to its compartment, so it is transparent."""
    case = SharedCase()
    made = case.forge(case.copy((1, 999, 0), NO_LINK, "never was"), kind=int(Compartment.CONTACT))
    case.world.sync("mai", "oanh")
    assert case.world.reasons("oanh") == {(case.forger.device, made.number): "field-not-allowed"}
    assert "never was" not in {row.value for row in case.history("oanh", None)}


def test_what_was_read_when_an_edit_began_holds_no_copies_in_the_owning_office() -> None:
    """``--base`` builds the state again from what was held; the merge there takes no copies."""
    case = SharedCase()
    case.forge(case.copy((1, 999, 0), NO_LINK, "never was"))
    case.world.sync("mai", "lan")
    lan = case.world.lan
    with lan.edit(case.stream, base=lan.show(case.stream).base) as edit:
        edit.set(NAME, "Hoà")
    assert case.world.values("lan", case.stream, NAME) == ["Hoà"]
