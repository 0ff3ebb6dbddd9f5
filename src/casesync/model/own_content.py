"""Bodies that this device writes, with what they decode to (model).

What ``segment_body.encode_content`` encodes is read again before anything is signed, and an author
merges what was read. For a form, which is what an office saves all day, both follow from the same
few parts: its compiled twin writes the bytes and takes nothing that reading would refuse
(``protocol/decisions/0020-saves-in-bulk.md``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from casesync.foundation.compiled import compiled
from casesync.model.cells import SIMPLE_FORMS, CellId, Form
from casesync.model.segment_body import (
    Content,
    Replacement,
    Write,
    decode_content,
    encode_content,
)

form_kernel = compiled("casesync.model._form_body", 2)
"""Writes the bodies of forms; without it ``encode_content`` does."""


def made_content(
    clock_ms: int,
    schema_version: int,
    replaces: Sequence[Replacement],
    writes: Collection[Write],
) -> tuple[bytes, Content]:
    """The canonical body of a content segment, and what ``decode_content`` makes of it.

    Args:
        clock_ms: the author's clock, below 2^48.
        schema_version: that the author knows.
        replaces: as ``StreamState.replaces_for`` gives them.
        writes: at least one; where they stand in the body: see ``encode_content``.

    Raises:
        UsageError: ``change-too-large``: over 256 cells, 4,096 replacements or 1 MB.
    """
    if form_kernel is not None:
        record, kind = next(iter(writes)).cell[:2]
        keys = []
        for cell, code, _ in writes:
            if cell[0] != record or cell[1] != kind or cell[3] is not None or cell[4]:
                break
            keys.append(cell[2] << 4 | code)
        else:
            form = SIMPLE_FORMS.get((kind, *keys))
            if form is not None:
                values = [write[2] for write in writes]
                return made_form(clock_ms, schema_version, replaces, record, form, values)
    body = encode_content(clock_ms, schema_version, replaces, writes)
    return body, decode_content(body)


def made_form(
    clock_ms: int,
    schema_version: int,
    replaces: Sequence[Replacement],
    record: bytes,
    form: Form,
    values: Sequence[Any],
) -> tuple[bytes, Content]:
    """As ``made_content``, where all cells of one form without elements are written.

    Args:
        clock_ms: the author's clock, below 2^48.
        schema_version: that the author knows.
        replaces: as ``StreamState.replaces_for`` gives them.
        record: 16 bytes.
        form: of ``intern_form``, without elements.
        values: one for each of its keys.

    Raises:
        UsageError: ``change-too-large``: over 256 cells, 4,096 replacements or 1 MB.
    """
    if form_kernel is not None:
        made = form_kernel.made_form(clock_ms, schema_version, replaces, record, form, values)
        if made is not None:
            body, content = made
            return body, content
    writes = [
        Write(CellId(record, form.type, key >> 4, None, 0), key & 15, value)
        for key, value in zip(form.keys, values, strict=True)
    ]
    body = encode_content(clock_ms, schema_version, replaces, writes)
    return body, decode_content(body)
