"""Build hook: compile the twins of hot paths where this machine can (``protocol/decisions/0012``).

Without a compiler, or where it fails, the installation goes on without them: every twin has its
Python beside it, which does the same work more slowly (``casesync.foundation.compiled``).
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from Cython.Build import cythonize
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from setuptools import Distribution, Extension

ROOT = Path(__file__).resolve().parent
SOURCE = ROOT / "src"
SUFFIXES = (".so", ".pyd")


class KernelHook(BuildHookInterface):
    """Puts the compiled modules beside their Python twins, where both kinds of wheel find them."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by the builder before it collects files."""
        if self.target_name != "wheel":
            return
        try:
            built = compile_all()
        except Exception as error:  # noqa: BLE001 - each compiler fails in its own way
            self.app.display_warning(f"continuing without compiled twins: {error}")
            for stale in SOURCE.glob("casesync/*/_*"):
                if stale.suffix in SUFFIXES:
                    stale.unlink()
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["artifacts"] += [str(path.relative_to(ROOT)) for path in built]


def compile_all() -> list[Path]:
    """Compile every ``.pyx``; where the modules lie now."""
    sources = sorted(SOURCE.glob("casesync/**/*.pyx"))
    built = []
    with tempfile.TemporaryDirectory() as folder:
        extensions = [
            Extension(".".join(path.relative_to(SOURCE).with_suffix("").parts), [str(path)])
            for path in sources
        ]
        modules = cythonize(extensions, build_dir=folder, include_path=[str(SOURCE)], quiet=True)
        command = Distribution({"ext_modules": modules}).get_command_obj("build_ext")
        command.build_lib = command.build_temp = folder
        command.ensure_finalized()
        command.run()
        for made in Path(folder).glob("casesync/**/*"):
            if made.suffix in SUFFIXES:
                target = SOURCE / made.relative_to(folder)
                beside = target.with_name(target.name + ".new")
                shutil.copyfile(made, beside)
                beside.replace(target)  # a running process keeps the file it has loaded
                built.append(target)
    return built
