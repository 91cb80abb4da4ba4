"""Writes the directory that a placement's image is built from: Dockerfile, lock, and package."""

import hashlib
import os
import shutil
import uuid
from pathlib import Path

from harness.core.errors import BuildError
from harness.core.files import private_directory
from harness.placements import checkout, package_index
from harness.placements.model import SERVICE, Kind, Placement

# Files of services/placement that every build has.
OWN = (
    *("Dockerfile", "cut.py", "cuts.txt", "devstack.ini", "keep.txt", "left_out.py"),
    *("libraries.py", "reference.py", "serve.py"),
)
# Number of contexts that stay on the machine.
KEPT = 8
# The largest file that is copied from a checkout's top level. Bytes.
LARGEST = 1_000_000


def content(
    kind: Kind,
    lock: Path,
    version: str,
    date: str | None = None,
    package: Path | None = None,
    schema: str = "",
    service: Path = SERVICE,
) -> str:
    """Digest of everything that a placement's image is made of.

    A checkout's digest covers its dependencies and its schema, but not its code, which is mounted
    over the image's. ``service`` is the directory with the files of OWN.
    """
    digest = hashlib.sha256()
    for path in [*(service / name for name in OWN), lock]:
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
    """Variables for the build of a package: pbr would ask git for the version."""
    lines = [f"PBR_VERSION={checkout.public(version)}"]
    return "\n".join([*lines, *([f"UV_EXCLUDE_NEWER={date}"] if date else []), ""])


def prepare(placement: Placement) -> Path:
    """The directory that the image is built from. The locked release is built from SERVICE.

    The directory is written once for each content, and never changed: an edit of the checkout
    reaches no build that is under way. Raises BuildError when the files have changed since
    ``placement`` was resolved.
    """
    if placement.locked:
        return SERVICE
    root = package_index.home() / "contexts"
    private_directory(root)
    folder = root / placement.content
    if not folder.is_dir():
        partial = root / f".{uuid.uuid4().hex}"
        try:
            _write(placement, partial)
            # If another run was quicker, its directory has the same content.
            if not folder.is_dir():
                partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    os.utime(folder)
    contexts = [path for path in root.iterdir() if not path.name.startswith(".")]
    for old in sorted(contexts, key=lambda path: path.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def _write(placement: Placement, folder: Path) -> None:
    """Copy all files that a build reads. Raises BuildError if they are not those of ``placement``.

    The copies are compared with the digest in ``placement.content``.
    """
    folder.mkdir()
    for name in OWN:
        shutil.copy(SERVICE / name, folder)
    lock = folder / "requirements.txt"
    shutil.copy(placement.lock, lock)
    package, schema = None, ""
    if placement.package is not None:
        (folder / "package.env").write_text(settings(placement.version, placement.date))
        package = folder / "package" / "placement"
        if placement.package.is_dir():
            _copy_checkout(placement.package, package)
            schema = checkout.schema(package, lock).digest
        else:
            package = folder / "package" / placement.package.name
            package.parent.mkdir()
            shutil.copy(placement.package, package)
    kind, version, date = placement.kind, placement.version, placement.date
    if content(kind, lock, version, date, package, schema, folder) != placement.content:
        raise BuildError(
            f"placement {placement.title} has changed since this run began.",
            "Run again.",
        )


def _copy_checkout(tree: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for path in tree.iterdir():
        if path.is_file() and path.stat().st_size < LARGEST:
            _copy(path, target / path.name)
    package = tree / "placement"
    for path in checkout.package_files(package):
        _copy(path, target / path.relative_to(tree))
    if (tree / "etc").is_dir():
        # setup.cfg may name files in etc/.
        shutil.copytree(
            tree / "etc", target / "etc", ignore_dangling_symlinks=True, copy_function=_copy
        )
    for folder in (target, *(path for path in target.rglob("*") if path.is_dir())):
        folder.chmod(0o755)


def _copy(source: Path | str, target: Path | str) -> None:
    """Copy a file for a build: readable by all, whatever its mode and the umask are.

    Replicas are of another user than the files, and the digest of an image ignores modes.
    """
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    Path(target).chmod(0o644)
