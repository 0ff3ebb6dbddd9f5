"""What a replica shows of a case, as canonical JSON: the bytes that must be equal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from casesync.client.case_reader import CaseReader
from casesync.client.views import CaseView
from casesync.foundation.ids import StreamId
from casesync.model.schema import Schema
from simulation.world import Desk


def case_view(desk: Desk, stream: StreamId) -> CaseView:
    """The case as the desk sees it, without an access entry."""
    core = desk.core
    with core.store.transaction() as tx:
        return CaseReader(core, tx, stream).view()


def exported(view: CaseView) -> bytes:
    """Everything in the view but the stream's id, which differs between two networks."""
    plain = asdict(view)
    del plain["stream_hex"]
    return json.dumps(plain, sort_keys=True, ensure_ascii=False, default=_plain).encode()


def by_compartment(view: CaseView, schema: Schema) -> dict[int, dict[str, Any]]:
    """Per compartment the fields and the writes behind them, as this device reads them."""
    found: dict[int, dict[str, Any]] = {}
    for record in view.records:
        record_type = schema.type_by_name(record.type)
        for name, field in record.fields.items():
            if field.sealed or (field.elements is not None and not field.elements):
                continue
            compartment = int(record_type.field_by_name(name).compartment)
            plain = _as_written(asdict(field))
            del plain["flags"]  # rules look into other compartments
            found.setdefault(compartment, {})[f"{record.type}/{record.id_hex}.{name}"] = plain
    return found


def _as_written(plain: Any) -> Any:
    """Without who brought a copy: who holds the original says nothing of it."""
    if isinstance(plain, dict):
        return {key: _as_written(item) for key, item in plain.items() if key != "copied_by"}
    return [_as_written(item) for item in plain] if isinstance(plain, list | tuple) else plain


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value))
