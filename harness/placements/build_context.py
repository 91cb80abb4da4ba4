"""What a placement's image is built from: the Dockerfile, its lock, and what no index has."""

import hashlib
import shutil
from pathlib import Path

from harness.core.files import private_directory
from harness.placements import checkout, package_index
from harness.placements.model import SERVICE, Kind, Placement

OWN = ("Dockerfile", "libraries.py", "serve.py", "unused.txt")
KEPT = 8
# Of a checkout's other files: what a build may read.
LARGEST = 1_000_000


def content(
    kind: Kind,
    lock: Path,
    version: str,
    date: str | None = None,
    package: Path | None = None,
    schema: str = "",
) -> str:
    """A digest of what such an image is made of.

    Of a checkout, what its dependencies are, and its schema, which databases are made with.
    """
    digest = hashlib.sha256()
    for path in [*(SERVICE / name for name in OWN), lock]:
        digest.update(path.read_bytes())
    if package is not None:
        digest.update(settings(version, date).encode())
        if kind == "checkout":
            digest.update(schema.encode())
            files = [package / name for name in checkout.BUILD_FILES if (package / name).is_file()]
            digest.update(checkout.digest_of(package, files).encode())
        else:
            digest.update(package.read_bytes())
    return digest.hexdigest()[:16]


def settings(version: str, date: str | None) -> str:
    """Variables for the build of a package: pbr asks git for the version, which is not there."""
    lines = [f"PBR_VERSION={checkout.public(version)}"]
    return "\n".join([*lines, *([f"UV_EXCLUDE_NEWER={date}"] if date else []), ""])


def prepare(placement: Placement) -> Path:
    """The directory that the image is built from, written anew; the locked release has its own."""
    if placement.locked:
        return SERVICE
    root = package_index.home() / "contexts"
    private_directory(root)
    folder = root / placement.content
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in OWN:
        shutil.copy(SERVICE / name, folder)
    shutil.copy(placement.lock, folder / "requirements.txt")
    if placement.package is not None:
        (folder / "package.env").write_text(settings(placement.version, placement.date))
        inside = folder / "package"
        inside.mkdir()
        if placement.package.is_dir():
            _copy_checkout(placement.package, inside / "placement")
        else:
            shutil.copy(placement.package, inside)
    for old in sorted(root.iterdir(), key=lambda one: one.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def _copy_checkout(tree: Path, target: Path) -> None:
    target.mkdir()
    for path in tree.iterdir():
        if path.is_file() and path.stat().st_size < LARGEST:
            shutil.copy(path, target)
    package = tree / "placement"
    for path in checkout.package_files(package):
        copied = target / path.relative_to(tree)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copied)
    if (tree / "etc").is_dir():
        # setup.cfg may name files there.
        shutil.copytree(tree / "etc", target / "etc", ignore_dangling_symlinks=True)
