#!/usr/bin/env python3
"""Cut from an assembled root what placement does without.

    cut.py ROOTFS VENV CUTS KEEP

CUTS is what `placement-harness trim` has written (cuts.txt), KEEP the list of what stays whatever
CUTS says (keep.txt). A cut whose reason does not hold for this placement is not made:

- a file that was never opened stays if this placement imports it;
- a module whose importers do without it, or that has a stand-in, stays if placement cannot be
  imported without it; one that has a stand-in also if its distribution has another version than
  the one that was tried.
"""

import importlib.machinery
import importlib.metadata
import importlib.util
import json
import marshal
import pathlib
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType

TOOLS = pathlib.Path("/usr/local/bin")
EXPLAINER, PTH = "left_out.py", "left_out.pth"
LIST, LATE = "left_out.txt", "late.txt"
# Imports what a replica imports before its first request, and prints the files of the modules.
IMPORTS = """
import json, os, sys
import left_out
sys.meta_path.insert(0, left_out.Finder(json.load(sys.stdin)))
os.environ["OS_PLACEMENT_DATABASE__CONNECTION"] = "mysql+pymysql://none@127.0.0.1:1/none"
os.environ["OS_PLACEMENT_DATABASE__MAX_RETRIES"] = "0"
import keystoneauth1.identity, pymysql, sqlalchemy.dialects.mysql.pymysql
try:
    import placement.wsgi.api
except Exception as error:
    if type(error).__name__ != "DBConnectionError":
        raise
files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
print("\\nfiles:" + json.dumps([file for file in files if file]))
"""


@dataclass(frozen=True)
class Cut:
    """A line of cuts.txt.

    ``root`` is site or lib. ``what`` is a glob pattern of paths below it if nothing has opened
    them, else the name of a module. ``version`` is the one of its distribution, or of Python, that
    was tried.
    """

    kind: str
    root: str
    what: str
    version: str = ""


class Image:
    """The assembled root of an image."""

    def __init__(self, rootfs: pathlib.Path, venv: pathlib.Path) -> None:
        (site,) = (rootfs / venv.relative_to("/")).glob("lib/python3*/site-packages")
        stdlib = pathlib.Path(sysconfig.get_path("stdlib"))
        self.rootfs, self.venv, self.site = rootfs, venv, site
        self.roots = {"site": site, "lib": rootfs / stdlib.relative_to("/")}
        shutil.copy(pathlib.Path(__file__).with_name(EXPLAINER), site)
        (site / EXPLAINER).chmod(0o644)

    def imported(self, lines: Iterable[str]) -> set[pathlib.Path] | None:
        """Files that placement imports with these modules cut; None if it cannot be imported."""
        python = ["chroot", self.rootfs, self.venv / "bin/python", "-c", IMPORTS]
        asked = subprocess.run(
            python, input=json.dumps([*lines]), capture_output=True, text=True, check=False
        )
        found = asked.stdout.rpartition("\nfiles:")[2]
        if asked.returncode or not found:
            print(asked.stderr, file=sys.stderr)
            return None
        return {self.rootfs / file.lstrip("/") for file in json.loads(found)}

    def files(self, root: str, pattern: str) -> Iterator[pathlib.Path]:
        found = self.roots[root].glob(pattern)
        return (path for path in found if not path.is_dir() and path.suffix != ".pyc")

    def files_of(self, module: str) -> Iterator[pathlib.Path]:
        """The files of a module, and of those below it."""
        path = module.replace(".", "/")
        for root in self.roots:
            for pattern in (f"{path}.py", f"{path}.*.so", f"{path}/**/*"):
                yield from self.files(root, pattern)

    def name_of(self, path: pathlib.Path) -> str:
        """The name that a file is imported by; empty for other files."""
        for root in (self.roots["lib"] / "lib-dynload", *self.roots.values()):
            if path.is_relative_to(root) and path.suffix in (".py", ".so"):
                parts = path.relative_to(root).parts
                last = parts[-1].partition(".")[0]
                return ".".join(parts[:-1] if last == "__init__" else (*parts[:-1], last))
        return ""

    def place_of(self, path: pathlib.Path) -> str:
        """The module, or the package of another file."""
        for root in self.roots.values():
            if path.is_relative_to(root):
                return self.name_of(path) or ".".join(path.relative_to(root).parts[:-1])
        return ""

    def remove(self, paths: Iterable[pathlib.Path]) -> None:
        """Remove files, their bytecode, and the directories that are empty then."""
        for path in paths:
            for compiled in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
                compiled.unlink()
            path.unlink()
            for folder in (path.parent / "__pycache__", *path.parents):
                if folder in self.roots.values() or (folder.is_dir() and any(folder.iterdir())):
                    continue
                if folder.is_dir() and folder.is_relative_to(self.rootfs):
                    folder.rmdir()

    def remove_metadata(self) -> None:
        """Remove the metadata of distributions of which nothing else is left."""
        for metadata in self.site.glob("*.dist-info"):
            listed = (metadata / "RECORD").read_text().splitlines()
            paths = [self.site / line.rsplit(",", 2)[0] for line in listed]
            inside = [path for path in paths if path.is_relative_to(self.site)]
            others = [path for path in inside if metadata not in path.parents]
            if others and not any(".." not in path.parts and path.exists() for path in others):
                shutil.rmtree(metadata)

    def rewrite_archive(self) -> None:
        """Drop the bytecode of sources that are gone."""
        bytecode = tool("bytecode", TOOLS / "bytecode.py")
        path = self.site / bytecode.NAME
        content = path.read_bytes()
        codes = bytecode.HEAD + int.from_bytes(content[: bytecode.HEAD], "little")
        index, kept, offset = {}, [], 0
        for name, (source, at, size) in marshal.loads(content[bytecode.HEAD : codes]).items():
            if (self.rootfs / source.lstrip("/")).exists():
                index[name] = (source, offset, size)
                kept.append(content[codes + at : codes + at + size])
                offset += size
        head = marshal.dumps(index)
        path.write_bytes(b"".join([len(head).to_bytes(bytecode.HEAD, "little"), head, *kept]))

    def remove_libraries(self) -> None:
        """Remove the shared libraries that only extension modules needed that are gone."""
        assemble = tool("assemble", TOOLS / "assemble")
        binaries = [pathlib.Path(sys.executable).resolve()]
        for root in self.roots.values():
            binaries += [
                pathlib.Path("/", so.relative_to(self.rootfs)) for so in root.rglob("*.so*")
            ]
        needed = {library.resolve().name for library in assemble.libraries(binaries)}
        needed |= {library.name for library in assemble.libraries(binaries)}
        for path in self.rootfs.glob("usr/lib/*-linux-gnu/*.so*"):
            if path.name not in needed:
                print(f"no longer needed: {path.name}", file=sys.stderr)
                path.unlink()


def tool(name: str, path: pathlib.Path) -> ModuleType:
    """A program of services/python, as a module."""
    sys.path.insert(0, str(path.parent))
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    spec = importlib.util.spec_from_loader(name, loader)
    if spec is None:
        sys.exit(f"{path} is no module")
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def read(path: pathlib.Path) -> list[list[str]]:
    """The words of each line, without comments."""
    lines = (line.partition("#")[0].split() for line in path.read_text().splitlines())
    return [words for words in lines if words]


def versions(site: pathlib.Path) -> set[str]:
    """The installed distributions as requirements, e.g. SQLAlchemy==2.1.9."""
    found = importlib.metadata.distributions(path=[str(site)])
    return {
        f"Python=={platform.python_version()}",
        *(f"{each.metadata['Name']}=={each.version}" for each in found),
    }


def is_below(name: str, names: set[str]) -> bool:
    """Whether a module or one of the packages around it is among these."""
    while name and name not in names:
        name = name.rpartition(".")[0]
    return bool(name)


def main(
    rootfs: pathlib.Path, venv: pathlib.Path, listed: pathlib.Path, keep: pathlib.Path
) -> None:
    cuts = [Cut(*words) for words in read(listed)]
    if not cuts:
        return
    kept = {words[0] for words in read(keep)}
    image = Image(rootfs, venv)
    installed = versions(image.site)
    tried = [
        cut
        for cut in cuts
        if cut.kind == "late"
        or (
            cut.kind in ("guarded", "standin")
            and (cut.kind == "guarded" or cut.version in installed)
            and not is_below(cut.what, kept)
            and not any(is_below(name, {cut.what}) for name in kept)
        )
    ]
    imported = image.imported(f"{cut.kind} {cut.what}" for cut in tried)
    if imported is None:
        print("placement cannot be imported without these modules: they stay", file=sys.stderr)
        tried, imported = [], image.imported([])
    if imported is None:
        sys.exit("placement cannot be imported in its image, before anything was cut from it")
    late = [cut.what for cut in tried if cut.kind == "late"]
    tried = [cut for cut in tried if cut.kind != "late"]
    gone = {path for cut in tried for path in image.files_of(cut.what)}
    never = {
        path for cut in cuts if cut.kind == "unopened" for path in image.files(cut.root, cut.what)
    }
    own = image.site / "placement"
    gone |= {
        path
        for path in never - imported
        if not path.is_relative_to(own) and not is_below(image.place_of(path), kept)
    }
    names = {name for path in gone if (name := image.name_of(path))}
    image.remove(sorted(gone))
    image.remove_metadata()
    image.rewrite_archive()
    image.remove_libraries()
    explained = {cut.what: cut.kind for cut in tried}
    for name in sorted(names):
        if not is_below(name, set(explained)):
            explained[name] = "unopened"
    text = "".join(f"{kind} {name}\n" for name, kind in sorted(explained.items()))
    (image.site / LIST).write_text(text)
    if late:
        (image.site / LATE).write_text("".join(f"late {name}\n" for name in late))
    (image.site / PTH).write_text("import left_out; left_out.install()\n")
    print(f"cut {len(gone)} files, {len(names)} of them modules", file=sys.stderr)


if __name__ == "__main__":
    main(*(pathlib.Path(argument) for argument in sys.argv[1:5]))
