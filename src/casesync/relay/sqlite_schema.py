"""Tables of the relay's SQLite file (relay).

Everything the relay knows stands in these columns; ``operator_view`` explains each to the person
who runs it. Leaves are found by ``place`` = network handle * 2^40 + index, which is the row id, so
that a span is one range of one tree. Nothing here is text: there is nothing to read.
"""

from __future__ import annotations

from typing import Final

SCHEMA_VERSION: Final = 2
PLACE_BITS: Final = 40
"""2^40 leaves to a network, 2^22 networks to a file."""

_CHANGE_LEAVES: Final = """
CREATE TABLE change_leaves (
  place INTEGER PRIMARY KEY, log_time_ms INTEGER NOT NULL, device INTEGER NOT NULL,
  number INTEGER NOT NULL, stream_no INTEGER NOT NULL, previous_link BLOB NOT NULL,
  header BLOB NOT NULL, signature BLOB NOT NULL, segments BLOB NOT NULL);
CREATE INDEX change_leaves_stream ON change_leaves (stream_no, place);
"""

TABLES: Final = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE networks (
  handle INTEGER PRIMARY KEY, network BLOB NOT NULL UNIQUE, control_size INTEGER NOT NULL,
  change_size INTEGER NOT NULL, log_time_ms INTEGER NOT NULL, stored_bytes INTEGER NOT NULL);
CREATE TABLE control_leaves (
  place INTEGER PRIMARY KEY, log_time_ms INTEGER NOT NULL, entry BLOB NOT NULL);
CREATE TABLE streams (
  stream_no INTEGER PRIMARY KEY, handle INTEGER NOT NULL, stream BLOB NOT NULL,
  opener INTEGER NOT NULL, UNIQUE (handle, stream));
{_CHANGE_LEAVES}
CREATE TABLE device_leaves (
  handle INTEGER NOT NULL, device INTEGER NOT NULL, number INTEGER NOT NULL,
  place INTEGER NOT NULL, PRIMARY KEY (handle, device, number)) WITHOUT ROWID;
CREATE UNIQUE INDEX device_leaves_place ON device_leaves (handle, device, place);
CREATE TABLE nodes (
  tree INTEGER NOT NULL, level INTEGER NOT NULL, node INTEGER NOT NULL, hash BLOB NOT NULL,
  PRIMARY KEY (tree, level, node)) WITHOUT ROWID;
CREATE TABLE feeds (
  feed_no INTEGER PRIMARY KEY, handle INTEGER NOT NULL, feed BLOB NOT NULL,
  UNIQUE (handle, feed));
CREATE TABLE feed_links (
  feed_no INTEGER NOT NULL, stream_no INTEGER NOT NULL, place INTEGER NOT NULL,
  linked INTEGER NOT NULL, PRIMARY KEY (stream_no, feed_no, place)) WITHOUT ROWID;
CREATE INDEX feed_links_place ON feed_links (feed_no, place);
CREATE TABLE feed_leaves (
  feed_no INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (feed_no, place)) WITHOUT ROWID;
CREATE TABLE devices (
  handle INTEGER NOT NULL, device INTEGER NOT NULL, newest_number INTEGER NOT NULL,
  newest_link BLOB NOT NULL, counter INTEGER NOT NULL, quota_day INTEGER NOT NULL,
  quota_bytes INTEGER NOT NULL, PRIMARY KEY (handle, device)) WITHOUT ROWID;
CREATE TABLE blobs (
  handle INTEGER NOT NULL, name BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY (handle, name));
CREATE TABLE rendezvous (
  handle INTEGER NOT NULL, invitation BLOB NOT NULL, device INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL, slot1 BLOB, slot2 BLOB, slot3 BLOB, slot4 BLOB,
  PRIMARY KEY (handle, invitation));
"""

FROM_VERSION_1: Final = "".join(
    (
        "DROP INDEX change_leaves_stream;",
        "ALTER TABLE change_leaves RENAME TO change_leaves_1;",
        _CHANGE_LEAVES,
        "INSERT INTO change_leaves SELECT place, log_time_ms, device, number, stream_no,",
        "  previous_link, header, signature, segments FROM change_leaves_1 ORDER BY place;",
        "DROP TABLE change_leaves_1;",
    )
)
"""Version 1 kept every link beside what it follows from, where nothing proved it."""
