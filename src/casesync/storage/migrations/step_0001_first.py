"""Version 1: the first tables (storage floor, DESIGN.md 9).

What is asked for one by one has rows; what is only ever carried along is packed. Nothing is found
by its content but through ``case_index``.
"""

from __future__ import annotations

from sqlite_utils import Database


def apply(database: Database) -> None:
    """Make the tables in an empty database."""
    _make_values(database)
    _make_streams(database)
    _make_work_lists(database)
    _make_listing(database)


def _make_values(database: Database) -> None:
    make = database.create_table
    make("value", {"key": str, "body": bytes}, pk="key", strict=True)
    make(
        "control_entry",
        {"position": int, "log_time_ms": int, "entry": bytes},
        pk="position",
        strict=True,
    )
    make("blob", {"name": bytes, "body": bytes}, pk="name", strict=True)
    make(
        "unit_seed",
        {"unit": bytes, "compartment": int, "epoch": int, "seed": bytes},
        pk=("unit", "compartment", "epoch"),
        strict=True,
    )
    make(
        "access_entry",
        {
            "device": int,
            "sequence": int,
            "entry": bytes,
            "entry_hash": bytes,
            "change_number": int,  # the change that carries it; null = not sealed yet
        },
        pk=("device", "sequence"),
        strict=True,
    )
    database.execute(
        "CREATE INDEX access_entry_unsealed ON access_entry(device, sequence)"
        " WHERE change_number IS NULL"
    )


def _make_streams(database: Database) -> None:
    make = database.create_table
    # 512 streams to a row; a stream's place in it is its serial number.
    make("stream_directory", {"id": int, "streams": bytes, "kinds": bytes}, pk="id", strict=True)
    make("stream_mark", {"flag": int, "bits": bytes}, pk="flag", strict=True)  # bit = serial
    for table in ("stream_rows", "stream_keys"):
        make(table, {"id": int, "body": bytes}, pk="id", strict=True)  # 64 streams to a row
        make(f"{table}_large", {"serial": int, "body": bytes}, pk="serial", strict=True)
    make("change_block", {"id": int, "count": int, "body": bytes}, pk="id", strict=True)


def _make_work_lists(database: Database) -> None:
    make = database.create_table
    make(
        "outbox",
        {
            "number": int,
            "stream": bytes,
            "location": int,
            "size_bytes": int,
            "log_index": int,  # receipt; null = not acknowledged
            "log_time_ms": int,
        },
        pk="number",
        strict=True,
    )
    make("owed", {"stream": bytes, "position": int, "end": int}, pk="stream", strict=True)
    make(
        "quarantine",
        {
            "stream": bytes,
            "device": int,
            "number": int,
            "log_index": int,
            "state": str,
            "reason": str,
            "noticed_ms": int,
        },
        pk=("device", "number"),
        strict=True,
    )
    # The element is text or bytes and must come back as what it was: a column without a type.
    database.execute(
        "CREATE TABLE conflict(conflict_id TEXT, stream BLOB, record BLOB, type_name TEXT,"
        " field TEXT, element, part INTEGER, since_ms INTEGER)"
    )
    database.table("conflict").create_index(["stream"])
    database.table("conflict").create_index(["conflict_id"])


def _make_listing(database: Database) -> None:
    database.create_table(
        "listing",
        {
            "serial": int,
            "record": bytes,
            "code": str,
            "sort_ms": int,
            "fields": str,  # JSON object: "type.field" -> effective value
            "texts": str,  # JSON array
        },
        pk="serial",
        strict=True,
    )
    database.execute("CREATE INDEX listing_newest ON listing(sort_ms DESC, code)")
    database.table("listing").create_index(["code"])
    # FTS5 keeps the words: without them it could not take a case out. Folding is ours, the
    # tokenizer shall not fold a second time.
    database.execute(
        "CREATE VIRTUAL TABLE case_index USING fts5("
        "folded, exact, fields, tokenize = 'unicode61 remove_diacritics 0')"
    )
