"""Runs tests/plugin with the oldest and the newest versions that pyproject.toml allows.

    python -m tests.versions                      both
    python -m tests.versions oldest -k order      one of them; further arguments go to pytest

The versions are those of libraries whose private parts the harness uses. Everything else is the
newest that a package index has. Each environment is temporary.
"""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = ("pytest", "pytest-xdist", "gabbi", "httpx")
EXTRAS = "embedded,upstream,workers"
SIDES = ("oldest", "newest")


def bounds() -> dict[str, tuple[str, str]]:
    """The oldest version of each library, and the version that is too new."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    matches = (
        re.fullmatch(r"([\w-]+)>=([\d.]+),<([\d.]+)", requirement)
        for requirements in lists
        for requirement in requirements
    )
    return {match[1]: (match[2], match[3]) for match in matches if match}


def requirements(side: str) -> list[str]:
    """The libraries for an environment, as uv takes them."""
    pins = {name: bounds()[name] for name in LIBRARIES}
    if side == "oldest":
        return [f"{name}=={oldest}" for name, (oldest, _) in pins.items()]
    return [f"{name}<{too_new}" for name, (_, too_new) in pins.items()]


def run(side: str, arguments: Sequence[str]) -> int:
    """Make an environment, run the tests in it, and return pytest's exit code."""
    with tempfile.TemporaryDirectory(prefix="placement-harness-versions-") as folder:
        python = f"{folder}/bin/python"
        install = ("uv", "pip", "install", "--quiet", "--python", python)
        subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, folder], check=True)
        subprocess.run(
            [*install, "--editable", f"{ROOT}[{EXTRAS}]", *requirements(side)], check=True
        )
        print(f"==> {side}: {', '.join(requirements(side))}", flush=True)
        done = subprocess.run(
            [python, "-m", "pytest", "tests/plugin", "-p", "no:cacheprovider", *arguments],
            cwd=ROOT,
            env={**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}"},
            check=False,
        )
        return done.returncode


def main(arguments: Sequence[str]) -> int:
    sides = [side for side in SIDES if side in arguments] or SIDES
    others = [argument for argument in arguments if argument not in SIDES]
    return max([run(side, others) for side in sides])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
