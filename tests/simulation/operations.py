"""What people do in a simulated world, drawn from its randomness; each function is one act.

A person sees what her own replica shows, nothing else. Every act ends in ``World.act``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Final

from casesync.client import case_cells
from casesync.client.case_edit import CaseEdit
from casesync.client.replica import Replica
from casesync.client.views import RecordView
from casesync.foundation.errors import ConflictStop, UsageError
from casesync.foundation.ids import Compartment, StreamId
from casesync.model.cells import CellId
from casesync.model.schema import Field, RecordType, ResolverCode, Schema, ValueSpec
from casesync.model.schema_types import ValueKind
from casesync.testing.hostile_relay import HONEST
from simulation.acknowledged import Token
from simulation.faults import DAY_MS, HOUR_MS, LIES, Lie, draw_skew_ms
from simulation.founding import AUDIT, OSSO, SHELTER
from simulation.world import Desk, World

NEWCOMERS_MAX: Final = 1
SUSPENSIONS_MAX: Final = 2
COMPARTMENTS: Final = ("identity", "protection", "livelihood", "contact", "operations")
HOT: Final = (
    "person.given_name",
    "person.contact_rule",
    "person.phones",
    "case.risk_level",
    "case.kinds",
    "case.next_follow_up_due",
    "case.livelihood_goals",
    "case.health_goals",
)
"""Fields everybody touches, so that people meet."""
POPULAR: Final = (
    "person.given_name",
    "person.address",
    "person.contact_rule",
    "person.safe_to_contact",
    "person.phones",
    "person.other_names",
    "person.religion",
    "case.risk_level",
    "case.status",
    "case.kinds",
    "case.legal_basis",
    "case.next_follow_up_due",
    "case.closed_on",
    "case.contact_flags",
    "case.livelihood_goals",
    "case.health_goals",
)
"""Fields many people touch; at times any other field is taken."""
_UNTYPEABLE: Final = frozenset(
    {
        ValueKind.RECORD,
        ValueKind.UNIT,
        ValueKind.MEMBER,
        ValueKind.DIGEST,
        ValueKind.ID,
    }
)


# -- looking --------------------------------------------------------------------------------------


def look(world: World, desk: Desk) -> None:
    """Show a case, list, search; remember what was seen as the base of a later edit."""
    if desk.role == "auditor":
        audit(world, desk)
        return
    case = _some_case(world, desk)
    kind = world.rng.choice(("show", "show", "list", "find", "history"))

    def command(replica: Replica) -> None:
        if kind == "list" or case is None:
            replica.cases()
        elif kind == "find":
            replica.find("tu1x")
        elif kind == "history":
            replica.history(case[1])
        else:
            desk.seen[case[0]] = replica.show(case[1])

    world.act(desk, f"look {kind}", command)


def audit(world: World, desk: Desk) -> None:
    """An auditor reads the access entries, or verifies everything."""
    if world.rng.random() < 0.7:
        world.act(desk, "audit-list", lambda replica: _ignored(replica.audit_list()))
    else:
        world.act(desk, "audit-verify", lambda replica: _ignored(replica.audit_verify()))


def _some_case(world: World, desk: Desk) -> tuple[str, StreamId] | None:
    cases = desk.cases()
    name = world.rng.choice(sorted(cases)) if cases else None
    return None if name is None else (name, cases[name])


# -- writing --------------------------------------------------------------------------------------


def new_case(world: World, desk: Desk) -> None:
    """Open a case of one's own office, if there are not enough."""
    opens = desk.role not in ("auditor", "clinician")
    if not opens or world.cases_opened >= world.cases_wanted:
        look(world, desk)
        return
    kinds = world.rng.sample(("trafficking", "gbv", "returning_migrant"), 2)
    outcome = world.act(desk, "new-case", lambda replica: _ignored(replica.new_case(kinds)))
    world.cases_opened += outcome == "ok"


def edit(world: World, desk: Desk) -> None:
    """Change some fields of a case, at times on what was seen long ago."""
    case = _some_case(world, desk)
    if case is None:
        new_case(world, desk)
        return
    name, stream = case
    rng = Random(world.rng.random())
    on_what_was_seen = rng.random() < 0.4

    def command(replica: Replica) -> list[Token]:
        written: dict[str, Token] = {}
        persons = _records(rng, desk, name, stream, "person")
        base = desk.seen[name].base if on_what_was_seen else None
        with replica.edit(stream, base=base) as draft:
            for _ in range(rng.randint(1, 4)):
                path, field = _some_cell(rng, replica, persons)
                word = world.token()
                _assign(rng, replica.schema(), draft, path, field, word)
                if _carries_words(field):
                    written[path] = Token(name, int(field.compartment), word)
        return list(written.values())

    world.act(desk, f"edit {name}", command)


def entry(world: World, desk: Desk) -> None:
    """Write a note or a consultation, or amend one."""
    case = _some_case(world, desk)
    if case is None:
        new_case(world, desk)
        return
    name, stream = case
    rng = Random(world.rng.random())
    kind = rng.choice(("note", "consultation"))
    word = world.token()
    field, compartment = ("health_text", 4) if desk.role == "clinician" else ("text", 7)

    def command(replica: Replica) -> list[Token]:
        entries = _records(rng, desk, name, stream, kind)
        with replica.edit(stream) as draft:
            if entries and rng.random() < 0.4:
                values = {field: word, "amendment_reason": "sửa"}
                draft.amend(f"{kind}/{rng.choice(entries).id_hex}", values)
            else:
                draft.new_record(kind, {field: word})
        return [Token(name, compartment, word)]

    world.act(desk, f"entry {name}", command)


def resolve(world: World, desk: Desk) -> None:
    """Settle a conflict that is shown."""
    rng = Random(world.rng.random())

    def command(replica: Replica) -> None:
        found = sorted(
            replica.conflicts(),
            key=lambda c: (c.case, c.type, c.record_hex, c.field, str(c.element), str(c.part)),
        )
        if not found:
            return
        conflict = rng.choice(found)
        schema = replica.schema()
        field = schema.field_by_name(f"{conflict.type}.{conflict.field}")[1]
        if field.resolver in (ResolverCode.STATE, ResolverCode.ONCE):
            return
        spec = field.part_by_name(conflict.part).value if conflict.part else field.value
        if spec.kind in _UNTYPEABLE:
            return
        text = _text(rng, schema, spec, "")
        replica.resolve(conflict.id, text, shown=[value.dot for value in conflict.values])

    world.act(desk, "resolve", command)


def _records(rng: Random, desk: Desk, name: str, stream: StreamId, kind: str) -> list[RecordView]:
    """Records of a case as this person remembers them, or as she looks them up now."""
    if name not in desk.seen or rng.random() < 0.3:
        desk.seen[name] = desk.replica.show(stream)
    return [record for record in desk.seen[name].records if record.type == kind]


def _some_cell(rng: Random, replica: Replica, persons: list[RecordView]) -> tuple[str, Field]:
    kind, field = _some_field(rng, replica.schema(), replica.core.engine.writes)
    if kind.name == "person" and persons:
        return f"person/{rng.choice(persons).id_hex}.{field.name}", field
    return f"{kind.name}.{field.name}", field


def _assign(
    rng: Random, schema: Schema, draft: CaseEdit, path: str, field: Field, word: str
) -> None:
    try:
        _write(rng, schema, draft, path, field, word)
    except ConflictStop:
        if rng.random() < 0.5:
            raise
        _write(rng, schema, draft, path, field, word, resolve=True)


def _carries_words(field: Field) -> bool:
    return field.element is None and field.value.kind is ValueKind.TEXT


def _some_field(
    rng: Random, schema: Schema, writes: Callable[[int], bool]
) -> tuple[RecordType, Field]:
    chance = rng.random()
    names = list(HOT if chance < 0.55 else POPULAR)
    if chance > 0.85:
        names = [
            f"{kind.name}.{field.name}"
            for kind in (schema.type_by_name("case"), schema.type_by_name("person"))
            for field in kind.fields.values()
        ]
    fields = [schema.field_by_name(name) for name in names]
    return rng.choice(
        [
            (kind, field)
            for kind, field in fields
            if writes(int(field.compartment))
            and field.resolver is not ResolverCode.ONCE
            and (field.element or field.value).kind not in _UNTYPEABLE
        ]
    )


def _write(
    rng: Random,
    schema: Schema,
    draft: CaseEdit,
    path: str,
    field: Field,
    word: str,
    *,
    resolve: bool = False,
) -> None:
    if field.element is not None:
        _write_element(rng, schema, draft, path, field)
    elif field.resolver is ResolverCode.STATE:
        _step(rng, schema, draft, path, field)
    elif rng.random() < 0.1:
        draft.unset(path, resolve=resolve)
        draft.set(path, _text(rng, schema, field.value, word), resolve=resolve)
    else:
        draft.set(path, _text(rng, schema, field.value, word), resolve=resolve)


def _write_element(rng: Random, schema: Schema, draft: CaseEdit, path: str, field: Field) -> None:
    assert field.element is not None
    element = _text(rng, schema, field.element, rng.choice(("an", "bình")))
    if field.parts and rng.random() < 0.5:
        part = rng.choice(sorted(field.parts.values()))
        if part.value.kind not in _UNTYPEABLE:
            value = _text(rng, schema, part.value, "phần")
            draft.set(f"{path}[{element}].{part.name}", value, resolve=True)
            return
    if rng.random() < 0.3:
        with suppress(UsageError):  # it is not there: then she adds it
            draft.remove(path, element)
            return
    draft.add(path, element)


def _step(rng: Random, schema: Schema, draft: CaseEdit, path: str, field: Field) -> None:
    record_type = schema.type_by_name("case")
    cell = CellId(
        draft._record(record_type, None, create=True), record_type.number, field.number, None, 0
    )
    before = case_cells.state_among(field, draft._live(field, cell))
    steps = sorted(after for origin, after in field.steps if origin == before)
    if steps:
        draft.set(path, rng.choice(steps), resolve=True)


def _text(rng: Random, schema: Schema, spec: ValueSpec, word: str) -> str:
    """A value as people type it."""
    match spec.kind:
        case ValueKind.CODE:
            return rng.choice(sorted(schema.codes(spec)))
        case ValueKind.DATE | ValueKind.DAY:
            return f"2026-0{rng.randint(1, 9)}-{rng.randint(10, 28)}"
        case ValueKind.TIMESTAMP:
            return f"2026-0{rng.randint(1, 9)}-{rng.randint(10, 28)} 10:00"
        case ValueKind.INTEGER | ValueKind.MONEY:
            least = spec.minimum or 0
            return str(rng.randint(least, min(spec.maximum or 100, least + 20)))
        case ValueKind.BOOLEAN:
            return rng.choice(("yes", "no"))
        case ValueKind.PHONE:
            return f"+8400012345{rng.randint(1, 3)}"
        case _:
            return word or f"chữ {rng.randint(1, 9)}"


# -- sharing --------------------------------------------------------------------------------------


def share(world: World, desk: Desk) -> None:
    """Record a consent if there is none yet, and grant on it."""
    case = _some_case(world, desk)
    offices = sorted({d.unit for d in world.desks} - {desk.unit, AUDIT})
    if case is None or not offices or desk.role in ("auditor", "clinician"):
        look(world, desk)
        return
    rng = Random(world.rng.random())
    to_unit = rng.choice(offices)
    until = world.clock.now_ms() + rng.randint(1, 20) * DAY_MS if rng.random() < 0.2 else None

    def command(replica: Replica) -> None:
        engine = replica.core.engine
        may = engine.reads if rng.random() < 0.1 else engine.writes
        reads = [c.word for c in Compartment if may(int(c))]
        chosen = [word for word in reads if word in COMPARTMENTS and rng.random() < 0.6]
        if "identity" in chosen and "contact" not in chosen:
            chosen.append("contact")
        if not chosen:
            return
        consents = [c for c in replica.consents(case[1]) if c.unit == to_unit and c.given]
        fitting = [c for c in consents if set(chosen) <= set(c.compartments)]
        if fitting and rng.random() < 0.8:
            consent = fitting[0].id_hex
        else:
            notice = "Xin đồng ý" if engine.writes(Compartment.IDENTITY) else None
            consent = replica.give_consent(case[1], "share_with_org", to_unit, chosen, notice).hex()
        replica.grant(
            case[1],
            to_unit,
            chosen,
            "share_with_org",
            consent,
            until_ms=until,
            write=rng.random() < 0.6,
            history=rng.random() < 0.3,
        )

    world.act(desk, f"share {case[0]}", command)


def take_back(world: World, desk: Desk) -> None:
    """Revoke a grant, or withdraw a consent."""
    case = _some_case(world, desk)
    if case is None:
        look(world, desk)
        return
    rng = Random(world.rng.random())

    def command(replica: Replica) -> None:
        grants = [g for g in replica.grants(case[1]) if g.state != "revoked"]
        if grants and rng.random() < 0.7:
            replica.revoke_grant(case[1], rng.choice(grants).id_hex, "xong")
            return
        consents = sorted(c.id_hex for c in replica.consents(case[1]) if c.given)
        if consents:
            replica.withdraw_consent(case[1], rng.choice(consents))

    world.act(desk, f"take-back {case[0]}", command)


# -- the network ----------------------------------------------------------------------------------


def sync(world: World, desk: Desk) -> None:
    """Sync."""
    world.act(desk, "sync", lambda replica: _ignored(replica.sync()))


def suspend(world: World, desk: Desk) -> None:
    """An administrator suspends a stolen device."""
    if not desk.administrator or len(world.suspended()) >= SUSPENSIONS_MAX:
        sync(world, desk)
        return
    others = [d for d in world.active_desks if not d.administrator]
    if not others:
        return
    stolen = world.rng.choice(others)

    def command(replica: Replica) -> None:
        replica.suspend_device(stolen.device, "mất máy")

    world.act(desk, f"suspend {stolen.name}", command)


def newcomer(world: World, desk: Desk) -> None:
    """An audit unit arrives in the middle, or a colleague."""
    enrolled = len(world.desks) - world.founded_desks
    if not desk.administrator or enrolled >= NEWCOMERS_MAX or desk.busy:
        sync(world, desk)
        return
    units = {view.name for view in desk.replica.units()}
    with world.calm():
        if AUDIT not in units:
            desk.replica.add_unit(AUDIT, "audit")
            unit, role = AUDIT, "auditor"
        else:
            unit, role = world.rng.choice(((OSSO, "officer"), (SHELTER, "caseworker")))
        desk = world.enrol(desk, unit, role)
    world.trace.append(f"{world.step}:{desk.name} joins {unit}")


# -- misfortune -----------------------------------------------------------------------------------


def misfortune(world: World) -> None:
    """What happens to nobody in particular: partitions, clocks, a relay that starts again."""
    rng, rates = world.fault_rng, world.rates
    desk = rng.choice(world.desks)
    if rng.random() < rates.partition:
        desk.online = not desk.online
        world.trace.append(f"{world.step}:{desk.name} {'on' if desk.online else 'off'} line")
    if rng.random() < rates.clock:
        desk.clock.skew_ms = draw_skew_ms(rng, world.clock.now_ms())
        world.trace.append(f"{world.step}:{desk.name} clock {desk.clock.skew_ms}")
    if rng.random() < rates.relay_restart:
        world.hostile._add(HONEST, world.hostile._stores[HONEST])
        world.trace.append(f"{world.step}:relay starts again")
    if rng.random() < rates.hostile:
        hostile(world, rng)
    world.clock.advance(rng.choice((1, 60_000, HOUR_MS, 8 * HOUR_MS, 2 * DAY_MS)))


def hostile(world: World, rng: Random) -> None:
    """The relay lies to one desk, which must refuse with its cursor unmoved."""
    desk = rng.choice(world.active_desks)
    if desk.busy or not desk.online:
        return
    old = [view for view, size in world.past.items() if size < desk.cursors()[1]]
    if old and rng.random() < 0.4:
        _roll_back(world, desk, old[0])
        return
    if len(world.past) < 2 and rng.random() < 0.4:
        view = f"past-{len(world.past)}"
        world.hostile.keep(view)
        world.past[view] = world.relay_sizes()[1]
        return
    lie = Lie(desk.device, rng.choice(sorted(LIES)), rng)
    world.hostile.edit = lie.edit
    with world.quiet_network():
        outcome = world.act(desk, f"sync-lied-to {lie.kind}", lambda r: _ignored(r.sync()))
    world.hostile.edit = None
    _refused(world, desk, outcome, told=lie.told)


def _roll_back(world: World, desk: Desk, view: str) -> None:
    world.hostile.serve(view, desk.device)
    with world.quiet_network():
        outcome = world.act(desk, f"sync-rolled-back {view}", lambda r: _ignored(r.sync()))
    world.hostile.serve(HONEST, desk.device)
    _refused(world, desk, outcome, told=True)


def _refused(world: World, desk: Desk, outcome: str, *, told: bool) -> None:
    if outcome in ("crash", "disk-full"):
        return
    if told and outcome == "ok":
        raise world.fail(f"{desk.name} took what the relay made up")
    if not told and outcome != "ok":
        raise world.fail(f"{desk.name} refused an honest answer: {outcome}")
    if told and desk.cursors()[1] != world.requested_cursor[desk.device]:
        raise world.fail(f"{desk.name} refused and yet moved its cursor")


def _ignored(_result: object) -> None:
    return None


INTERRUPTIONS: Final = (sync, sync, sync, edit, entry, share, take_back, suspend)
"""What others may do between two exchanges of somebody."""
ACTS: Final[tuple[tuple[Callable[[World, Desk], None], int], ...]] = (
    (sync, 6),
    (edit, 34),
    (entry, 7),
    (look, 5),
    (resolve, 6),
    (share, 12),
    (take_back, 6),
    (new_case, 3),
    (suspend, 3),
    (newcomer, 2),
)
"""Acts with how often people do them."""
