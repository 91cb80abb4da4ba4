"""gabbi's source distribution: its wheel lacks the YAML files of its own tests."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

VERSION = "4.2.3"
SHA256 = "c1c94bdf15ce53c8759599f1d288812d79ca89936746e83cc56ed5901b99f358"
PIP = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "gabbi"]
# Git ignores it.
CACHE = Path(__file__).parents[2] / "build" / "gabbi"


def tests_directory() -> Path:
    """Directory of gabbi's own suites, fetched once. Raises RuntimeError if they cannot be had."""
    if version("gabbi") != VERSION:
        raise RuntimeError(f"gabbi is {version('gabbi')}: give _sdist.py its version and SHA-256")
    archive = CACHE / f"gabbi-{VERSION}.tar.gz"
    if not archive.exists():
        _fetch()
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != SHA256:
        raise RuntimeError(f"{archive} has SHA-256 {digest}, not {SHA256}; delete it")
    tests = CACHE / f"gabbi-{VERSION}" / "gabbi" / "tests"
    if not tests.is_dir():
        with tarfile.open(archive) as tar:
            tar.extractall(CACHE, filter="data")
    return tests


def _fetch() -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [*PIP, "--dest", str(CACHE), f"gabbi=={VERSION}"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"gabbi's sources cannot be had: {done.stderr[-1000:]}")
