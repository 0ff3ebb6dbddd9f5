"""Names that people type, made fit for the control log (access floor).

The author's side only: what a reader must accept is bounded in ``body_shapes`` and no verdict
depends on the rules of Unicode.
"""

from __future__ import annotations

import unicodedata

from casesync.access.body_shapes import NAME_BYTES_MAX
from casesync.foundation.errors import UsageError


def usable_name(typed: str, *, empty: bool = False) -> str:
    """``typed`` in NFC, without spaces at its ends.

    Args:
        typed: name of a network, unit, member or device.
        empty: whether there may be none.

    Raises:
        UsageError: ``name-invalid``.
    """
    name = unicodedata.normalize("NFC", typed).strip()
    unfit = any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in name)
    if unfit or not (name or empty) or len(name.encode()) > NAME_BYTES_MAX:
        raise UsageError("name-invalid")
    return name
