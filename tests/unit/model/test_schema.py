"""Schemas as canonical bytes, what they must satisfy, and successors (protocol/schemas.md)."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.codec.canonical import pack, unpack
from casesync.foundation.errors import CasesyncError, RemoteProtocolError, UsageError
from casesync.foundation.ids import Compartment
from casesync.foundation.limits import BLOB_BYTES_MAX
from casesync.model.schema import (
    Code,
    Codelist,
    Field,
    Labels,
    Part,
    RecordType,
    ResolverCode,
    Rule,
    RuleKind,
    Schema,
    ValueKind,
    ValueSpec,
    check_schema,
    check_successor,
    schema_from_bytes,
    schema_hash,
    schema_to_bytes,
)
from casesync.model.schema_toml import load_toml

L = Labels("Nhãn", "Label")
YES_NO = Codelist("yes_no", {code: Code(code, L, False) for code in ("yes", "no")})
TEXT = ValueSpec(ValueKind.TEXT, maximum=100)
CODE = ValueSpec(ValueKind.CODE, "yes_no")
PRESENCE = ValueSpec(ValueKind.BOOLEAN)


def field(number: int = 1, name: str = "word", **changes) -> Field:
    base = {
        "number": number,
        "name": name,
        "labels": L,
        "compartment": Compartment.OPERATIONS,
        "resolver": ResolverCode.ALL,
        "value": TEXT,
        "parts": {},
    }
    return Field(**(base | changes))


def record_type(*fields: Field, **changes) -> RecordType:
    base = {"number": 1, "name": "thing", "labels": L, "fields": {f.number: f for f in fields}}
    return RecordType(**(base | changes))


def schema(*types: RecordType, version: int = 1, codelists: tuple[Codelist, ...] = (YES_NO,)):
    return Schema(
        version=version,
        types={kind.number: kind for kind in types},
        codelists={codelist.name: codelist for codelist in codelists},
    )


def shipped() -> Schema:
    folder = resources.files("casesync.model").joinpath("schemas")
    texts = {f.name: f.read_text("utf-8") for f in folder.iterdir() if f.name.endswith(".toml")}
    return load_toml(texts)


SHIPPED = shipped()
SHIPPED_BYTES = schema_to_bytes(SHIPPED)


# -- canonical bytes ---------------------------------------------------------------------------


def test_a_schema_is_read_back_from_its_bytes_and_has_one_encoding():
    again = schema_from_bytes(SHIPPED_BYTES)
    assert again == SHIPPED
    assert schema_to_bytes(again) == SHIPPED_BYTES
    assert len(schema_hash(SHIPPED_BYTES)) == 32


def test_order_of_dictionaries_does_not_show_in_the_bytes():
    shuffled = Schema(
        version=SHIPPED.version,
        types=dict(reversed(SHIPPED.types.items())),
        codelists=dict(reversed(SHIPPED.codelists.items())),
    )
    assert schema_to_bytes(shuffled) == SHIPPED_BYTES


def test_rows_out_of_order_are_refused():
    top = unpack(SHIPPED_BYTES)
    top[2].reverse()
    with pytest.raises(RemoteProtocolError) as caught:
        schema_from_bytes(pack(top))
    assert caught.value.code == "malformed"


def test_a_number_given_twice_is_refused():
    top = unpack(SHIPPED_BYTES)
    top[2].insert(0, top[2][0])
    with pytest.raises(RemoteProtocolError):
        schema_from_bytes(pack(top))


@pytest.mark.parametrize("place", ["format", "resolver", "kind"])
def test_what_only_a_newer_version_knows_is_named_as_such(place):
    top = unpack(SHIPPED_BYTES)
    first_field = top[2][0][4][0]
    if place == "format":
        top[0] = 2
    elif place == "resolver":
        first_field[4] = 77
    else:
        first_field[5][0] = 77
    with pytest.raises(RemoteProtocolError) as caught:
        schema_from_bytes(pack(top))
    assert caught.value.code == "schema-newer"


def test_a_blob_beyond_the_limit_is_not_even_decoded():
    with pytest.raises(RemoteProtocolError):
        schema_from_bytes(b"\x00" * (BLOB_BYTES_MAX + 1))


def test_a_schema_from_elsewhere_that_breaks_a_rule_is_refused_as_remote():
    bad = schema(record_type(field(resolver=ResolverCode.SET)))
    with pytest.raises(RemoteProtocolError) as caught:
        schema_from_bytes(schema_to_bytes(bad))
    assert caught.value.code == "schema-invalid"


json_like = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 300) | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=6),
    max_leaves=20,
)


@given(json_like)
def test_no_bytes_raise_anything_but_our_own_errors(value):
    with pytest.raises(CasesyncError):
        schema_from_bytes(pack(value))


def _paths(row, prefix=()):
    for index, item in enumerate(row):
        yield (*prefix, index)
        if isinstance(item, list):
            yield from _paths(item, (*prefix, index))


PATHS = list(_paths(unpack(SHIPPED_BYTES)))


@given(st.sampled_from(PATHS), json_like)
def test_one_hostile_item_anywhere_is_refused_or_read_never_a_crash(path, value):
    top = unpack(SHIPPED_BYTES)
    row = top
    for index in path[:-1]:
        row = row[index]
    row[path[-1]] = value
    data = pack(top)
    try:
        found = schema_from_bytes(data)
    except CasesyncError:
        return
    assert schema_to_bytes(found) == data


# -- lookups -----------------------------------------------------------------------------------


def test_names_that_do_not_exist_are_usage_errors_that_name_the_right_ones():
    for lookup, code in [
        (lambda: SHIPPED.type_by_name("persn"), "type-unknown"),
        (lambda: SHIPPED.field_by_name("person.nme"), "field-unknown"),
        (lambda: SHIPPED.field_by_name("person"), "field-unknown"),
        (lambda: SHIPPED.types[2].fields[9].part_by_name("safety"), "part-unknown"),
    ]:
        with pytest.raises(UsageError) as caught:
            lookup()
        assert caught.value.code == code
        for lang in ("vi", "en"):
            assert "?" not in caught.value.message(lang) + caught.value.advice(lang)


def test_numbers_of_a_newer_version_are_none_not_an_error():
    assert SHIPPED.field(1, 9) is SHIPPED.field_by_name("case.risk_level")[1]
    assert SHIPPED.field(1, 16_000) is None
    assert SHIPPED.field(16_000, 1) is None
    assert list(SHIPPED.compartments_of(16_000)) == []
    assert Compartment.HEALTH in list(SHIPPED.compartments_of(5))


def test_the_key_of_a_field_carries_its_resolver():
    risk = SHIPPED.field_by_name("case.risk_level")[1]
    assert risk.key == risk.number * 16 + ResolverCode.PROTECTIVE
    assert not risk.unit_defined
    assert field(number=1 << 14).unit_defined


# -- what a schema must satisfy ----------------------------------------------------------------

set_field = {"resolver": ResolverCode.SET, "value": PRESENCE, "element": TEXT}
protective = {"resolver": ResolverCode.PROTECTIVE, "value": CODE, "order": ("yes", "no")}
state = {
    "resolver": ResolverCode.STATE,
    "value": CODE,
    "order": ("yes", "no"),
    "steps": frozenset({(None, "no"), ("no", "yes")}),
}
INVALID_FIELDS = {
    "name with capitals": {"name": "Word"},
    "dunder name": {"name": "__class__"},
    "number zero": {"number": 0},
    "number beyond the key": {"number": 1 << 16},
    "label missing": {"labels": Labels("", "x")},
    "label with an escape": {"labels": Labels("a\x1b[2J", "x")},
    "label with a bidi override": {"labels": Labels("a\u202eb", "x")},
    "label not NFC": {"labels": Labels("e\u0301", "x")},
    "compartment base": {"compartment": Compartment.BASE},
    "compartment access": {"compartment": Compartment.ACCESS},
    "text without maximum": {"value": ValueSpec(ValueKind.TEXT)},
    "text with too large a maximum": {"value": ValueSpec(ValueKind.TEXT, maximum=1 << 20)},
    "unknown codelist": {"value": ValueSpec(ValueKind.CODE, "nothing")},
    "codelist of a text": {"value": ValueSpec(ValueKind.TEXT, "yes_no", None, 5)},
    "bounds of a date": {"value": ValueSpec(ValueKind.DATE, maximum=5)},
    "bounds that nothing fits": {"value": ValueSpec(ValueKind.INTEGER, None, 5, 4)},
    "a list that is merged": {"value": ValueSpec(ValueKind.CODE, "yes_no", many=True)},
    "a set without elements": {"resolver": ResolverCode.SET, "value": PRESENCE},
    "a set of dates": {**set_field, "element": ValueSpec(ValueKind.DATE)},
    "a set with values": {**set_field, "value": TEXT},
    "elements too long to name": {**set_field, "element": ValueSpec(ValueKind.TEXT, maximum=257)},
    "a ledger of text": {"resolver": ResolverCode.LEDGER, "element": TEXT},
    "a ledger without vouchers": {
        "resolver": ResolverCode.LEDGER,
        "value": ValueSpec(ValueKind.MONEY),
    },
    "elements of a latest": {"resolver": ResolverCode.LATEST, "element": TEXT},
    "parts without a set": {"parts": {1: Part(1, "inner", L, TEXT)}},
    "a part zero": {**set_field, "parts": {0: Part(0, "inner", L, TEXT)}},
    "a part under another number": {**set_field, "parts": {2: Part(1, "inner", L, TEXT)}},
    "two parts of one name": {
        **set_field,
        "parts": {1: Part(1, "inner", L, TEXT), 2: Part(2, "inner", L, TEXT)},
    },
    "an order without use": {"order": ("yes",)},
    "protective of text": {**protective, "value": TEXT},
    "protective without order": {**protective, "order": ()},
    "protective with a code missing": {**protective, "order": ("yes",)},
    "protective with a code twice": {**protective, "order": ("yes", "no", "yes")},
    "absent as an unknown code": {**protective, "absent_as": "perhaps"},
    "state without steps": {**state, "steps": frozenset()},
    "state without a first step": {**state, "steps": frozenset({("no", "yes")})},
    "state to an unknown state": {**state, "steps": frozenset({(None, "no"), ("no", "gone")})},
    "steps without a state": {"steps": frozenset({(None, "yes")})},
    "earliest of text": {"resolver": ResolverCode.EARLIEST},
    "earliest of a date with precision": {
        "resolver": ResolverCode.EARLIEST,
        "value": ValueSpec(ValueKind.DATE),
    },
}


@pytest.mark.parametrize("case", INVALID_FIELDS)
def test_a_field_that_cannot_work_is_refused(case):
    check_schema(schema(record_type(field())))
    bad = field(**INVALID_FIELDS[case])
    with pytest.raises(UsageError) as caught:
        check_schema(schema(record_type(bad)))
    assert caught.value.code == "schema-invalid"
    assert str(caught.value.params["where"]).startswith("thing")


@pytest.mark.parametrize(
    "changes", [set_field, protective, state, {**protective, "absent_as": "no"}]
)
def test_fields_of_every_shape_are_accepted(changes):
    check_schema(schema(record_type(field(**changes))))


def test_an_entry_has_only_fields_written_once_and_an_amends():
    once = {"resolver": ResolverCode.ONCE}
    amends = field(1, "amends", **once, value=ValueSpec(ValueKind.RECORD))
    check_schema(schema(record_type(amends, field(2, **once), entry=True)))
    for bad in [
        record_type(amends, field(2), entry=True),
        record_type(field(2, **once), entry=True),
        record_type(field(1, "amends", **once), entry=True),
    ]:
        with pytest.raises(UsageError):
            check_schema(schema(bad))


def rule(**changes) -> Rule:
    base = {"number": 1, "name": "late", "labels": L, "kind": RuleKind.UNSEEN_EDIT, "anchor": 1}
    return Rule(**(base | {"values": ("yes",), "types": (), "fields": (2,)} | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"anchor": 9},
        {"values": ("perhaps",)},
        {"fields": (9,)},
        {"fields": ()},
        {"types": (1,)},
        {"kind": RuleKind.NEEDS_ENTRY},
        {"kind": RuleKind.NEEDS_ENTRY, "fields": (), "types": (1,)},
        {"kind": RuleKind.NEEDS_ENTRY, "fields": (), "types": (9,)},
    ],
)
def test_a_rule_names_what_exists(changes):
    fields = (field(1, "approval", value=CODE), field(2, "plan"))
    check_schema(schema(record_type(*fields, rules=(rule(),))))
    with pytest.raises(UsageError):
        check_schema(schema(record_type(*fields, rules=(rule(**changes),))))


def test_names_and_numbers_stand_once():
    for bad in [
        schema(record_type(field(1), field(2))),
        schema(record_type(field()), record_type(field(), number=2)),
        Schema(version=1, types={2: record_type(field())}, codelists={}),
        schema(record_type()),
        schema(record_type(field()), version=0),
        schema(record_type(field()), codelists=(Codelist("empty", {}),)),
        schema(record_type(field()), codelists=(Codelist("x", {"a b": Code("a b", L, False)}),)),
    ]:
        with pytest.raises(UsageError):
            check_schema(bad)


# -- successors --------------------------------------------------------------------------------

OLD = schema(record_type(field(1), field(2, "kinds", **set_field), field(3, "risk", **protective)))


def changed(number: int, **changes) -> Schema:
    fields = dict(OLD.types[1].fields)
    fields[number] = replace(fields[number], **changes)
    return schema(replace(OLD.types[1], fields=fields), version=2)


def test_a_successor_may_add_relabel_retire_and_deprecate():
    more = Codelist(
        "yes_no", {**YES_NO.codes, "no": Code("no", L, True), "maybe": Code("maybe", L, False)}
    )
    fields = dict(OLD.types[1].fields)
    fields[1] = replace(fields[1], labels=Labels("Khác", "Other"), retired=True)
    fields[3] = replace(fields[3], order=("yes", "maybe", "no"))
    fields[4] = field(4, "new")
    new = schema(replace(OLD.types[1], fields=fields), version=2, codelists=(more,))
    check_schema(new)
    check_successor(OLD, new)
    check_successor(
        OLD, replace(new, types={**new.types, 2: record_type(field(), number=2, name="b")})
    )


@pytest.mark.parametrize(
    "new",
    [
        replace(OLD),
        schema(version=2),
        schema(record_type(field(1)), version=2),
        schema(replace(OLD.types[1], name="other"), version=2),
        schema(replace(OLD.types[1], entry=True), version=2),
        schema(OLD.types[1], version=2, codelists=()),
        schema(
            OLD.types[1],
            version=2,
            codelists=(Codelist("yes_no", {"yes": Code("yes", L, False)}),),
        ),
        changed(1, compartment=Compartment.IDENTITY),
        changed(1, resolver=ResolverCode.LATEST),
        changed(1, name="renamed"),
        changed(1, value=ValueSpec(ValueKind.DATE)),
        changed(2, element=ValueSpec(ValueKind.PHONE)),
    ],
)
def test_a_successor_changes_nothing_that_records_rely_on(new):
    with pytest.raises(UsageError) as caught:
        check_successor(OLD, new)
    assert caught.value.code == "schema-invalid"


def test_a_part_stays_as_it_is():
    def with_part(*parts: Part, version: int) -> Schema:
        return schema(
            record_type(field(**set_field, parts={p.number: p for p in parts})), version=version
        )

    old = with_part(Part(1, "inner", L, TEXT), version=1)
    check_successor(old, with_part(Part(1, "inner", L, TEXT), Part(2, "b", L, CODE), version=2))
    for bad in [(), (Part(1, "renamed", L, TEXT),), (Part(1, "inner", L, CODE),)]:
        with pytest.raises(UsageError):
            check_successor(old, with_part(*bad, version=2))
