"""The pytest of a cell takes no module of the user's directory for one of Python's."""

import subprocess
from pathlib import Path

from harness.matrix.runner import PYTEST


def test_a_file_named_like_a_module_is_not_imported(tmp_path: Path) -> None:
    (tmp_path / "dis.py").write_text("raise SystemExit('imported')\n")
    done = subprocess.run([*PYTEST, "--version"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, "imported" in done.stderr) == (0, False)
