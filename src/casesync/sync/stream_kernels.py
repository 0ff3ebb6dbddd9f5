"""The compiled twins that take content in (sync floor; ``protocol/decisions/0012``)."""

from __future__ import annotations

from typing import Final

from casesync.foundation.compiled import compiled
from casesync.translog.served_leaf import leaf_kernel

_segment = compiled("casesync.sync._segment", 3)
_plain_run = compiled("casesync.sync._plain_run", 11)
_content_header = compiled("casesync.sync._content_header", 2)
_stream_row = compiled("casesync.sync._stream_row", 3)
_stored_key = compiled("casesync.sync._stored_key", 2)
_packed_run = compiled("casesync.sync._packed_run", 9)
_handed_out = compiled("casesync.sync._handed_out", 3)

plain_kernel = leaf_kernel and _segment and _plain_run
"""Takes runs of plain changes; without it ``PlainPath.take`` takes each."""
packed_kernel = plain_kernel and _content_header and _stream_row and _stored_key and _packed_run
"""Takes whole streams on their packed rows; without it ``page_stream`` takes each."""
handing_kernel = packed_kernel and _handed_out
"""Brings leaves to another process and back; without it all is done in this one."""

VERSIONS: Final = [
    twin and twin.VERSION
    for twin in (
        leaf_kernel,
        _segment,
        _content_header,
        _stream_row,
        _stored_key,
        _packed_run,
        _handed_out,
    )
]
"""What must be the same in two processes that work on one batch."""
