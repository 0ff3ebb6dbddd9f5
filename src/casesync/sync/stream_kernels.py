"""The compiled twins that take content in (sync floor; ``protocol/decisions/0012``)."""

from __future__ import annotations

from casesync.foundation.compiled import compiled

plain_kernel = compiled("casesync.sync._segment", 1) and compiled("casesync.sync._plain_run", 10)
"""Takes runs of plain changes; without it ``PlainPath.take`` takes each."""
packed_kernel = (
    plain_kernel
    and compiled("casesync.sync._content_header", 1)
    and compiled("casesync.sync._stream_row", 2)
    and compiled("casesync.sync._stored_key", 1)
    and compiled("casesync.sync._packed_run", 3)
)
"""Takes whole streams on their packed rows; without it ``page_stream`` takes each."""
handing_kernel = packed_kernel and compiled("casesync.sync._handed_out", 1)
"""Brings leaves to another process and back; without it all is done in this one."""
