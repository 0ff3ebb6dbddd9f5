"""Write the vectors of change headers, chains, checkpoints, spans and control entries.

``python protocol/vectors/generate_logs.py`` writes them, ``--check`` compares with what lies
there. One file is one scenario: ``what`` says it, ``expect`` is ``accepted`` or names the layer
that must refuse. Bytes are lower-case hex. Composite signatures are hedged, so one over
the same bytes that lies there is kept.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from log_changes import write_chains, write_checkpoints, write_comparisons, write_headers
from log_control import write_control_entries
from log_spans import write_spans

HERE = Path(__file__).resolve().parent


def plain(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def main():
    check = "--check" in sys.argv[1:]
    written = set()
    for write in (
        write_headers,
        write_chains,
        write_checkpoints,
        write_comparisons,
        write_spans,
        write_control_entries,
    ):
        for name, vector in write():
            path = HERE / f"{name}.json"
            text = json.dumps(plain(vector), indent=1, sort_keys=False) + "\n"
            written.add(path)
            if check:
                if not path.exists() or path.read_text() != text:
                    sys.exit(f"{name} is not what the generator makes")
            else:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
    folders = ("header", "chain", "checkpoint", "comparison", "span", "control-entry")
    strays = {p for folder in folders for p in (HERE / folder).glob("*.json")} - written
    if strays:
        sys.exit(f"no scenario makes {sorted(p.name for p in strays)}")


if __name__ == "__main__":
    main()
