"""Text from elsewhere on its way to a terminal (cli)."""

from __future__ import annotations

from casesync.model.safe_text import safe_text


def safe_line(text: str) -> str:
    """``text`` with line breaks kept and everything that steers a terminal made visible."""
    return "\n".join(safe_text(line) for line in text.split("\n"))
