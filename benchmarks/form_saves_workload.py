"""The form-saves workload: what is written, by whom, in which order (seeded, no engine in it).

40,000 saves of 10 fields over 10,000 records from 4 devices by default: save ``i`` goes to record
``i mod records``, so that every record is saved by several devices, each having seen the save
before. Values are short texts as forms hold them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

FIELD_NAMES = (
    "family_name",
    "middle_name",
    "given_name",
    "date_of_birth",
    "sex_on_file",
    "gender",
    "address",
    "address_area",
    "current_area",
    "religion",
)
"""What the fields are called, where an engine names them; ours numbers them (``person.toml``)."""


class Shape(NamedTuple):
    """Size of a workload."""

    saves: int = 40_000
    fields: int = 10
    records: int = 10_000
    devices: int = 4
    seed: int = 2026


class Save(NamedTuple):
    """One press of "save"."""

    record: int
    device: int
    values: tuple[str, ...]


_WORDS = (
    "nhà bạn",
    "đã gọi",
    "hẹn lại",
    "tự lực",
    "an toàn",
    "cần hỗ trợ",
    "học nghề",
    "khám bệnh",
    "pháp lý",
    "vay vốn",
    "giấy khai sinh",
    "tái hôn",
    "trọ",
    "quê",
    "chưa rõ",
    "đồng ý",
)


def saves(shape: Shape) -> Iterator[Save]:
    """The saves in the order in which they happen."""
    source = random.Random(shape.seed)
    for at in range(shape.saves):
        record = at % shape.records
        device = (at // shape.records + record) % shape.devices
        values = tuple(
            f"{source.choice(_WORDS)} {source.randrange(1000)}" for _ in range(shape.fields)
        )
        yield Save(record, device, values)
