"""The schema this project ships, for tests of the model."""

from __future__ import annotations

from functools import cache
from importlib import resources

from casesync.model.schema import Schema
from casesync.model.schema_toml import load_toml


@cache
def shipped_schema() -> Schema:
    """All files of ``casesync/model/schemas``."""
    folder = resources.files("casesync.model").joinpath("schemas")
    return load_toml(
        {f.name: f.read_text("utf-8") for f in folder.iterdir() if f.name.endswith(".toml")}
    )
