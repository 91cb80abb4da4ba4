"""Puts the stack's files into wheels: they stand at the root of the repository, not in harness/."""

import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# harness/core/paths.py looks for them there.
TARGET = "harness/_project"
FILES = ("compose.yaml", "requirements/compose.txt")
FOLDERS = ("gabbits", "services")
# Tests of the etcd driver, and what running them leaves; no image contains these.
EXCLUDED = ("tests", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache")


class BundledProject(BuildHookInterface[Any]):
    """Adds copies of the stack's files to a wheel; an editable one refers to the checkout's."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        bundled = [root / name for name in FILES]
        for folder in FOLDERS:
            bundled += _files_below(root / folder)
        for path in bundled:
            inside = path.relative_to(root).as_posix()
            build_data["force_include"][str(path)] = f"{TARGET}/{inside}"


def _files_below(folder: Path) -> list[Path]:
    """Files of a folder that a stack can need, in the order of their names."""
    files: list[Path] = []
    for directory, names, entries in os.walk(folder):
        names[:] = [
            name for name in names if name not in EXCLUDED and not name.endswith(".egg-info")
        ]
        files += [Path(directory, name) for name in entries if not name.endswith(".pyc")]
    return sorted(files)
