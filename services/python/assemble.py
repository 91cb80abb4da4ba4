#!/usr/bin/env python3
"""Copy an interpreter, a virtual environment and the libraries they load into an empty root.

    assemble VENV ROOTFS UNUSED [PACKAGE ...]

UNUSED is a file of glob patterns for files that are never imported, below the environment's
site-packages or the standard library. Shared libraries are found with ldd, so that another release
with other dependencies needs no change here. The bytecode goes into one file,
but for that of the PACKAGEs, over which other code can be mounted.
"""

import compileall
import marshal
import pathlib
import py_compile
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Sequence

import bytecode

# Parts of the standard library that no server loads.
STDLIB_UNUSED = (
    "test", "idlelib", "tkinter", "turtledemo", "turtle.py", "ensurepip", "venv", "pydoc_data",
    "lib2to3", "config-*", "__phello__", "_pyrepl", "sitecustomize.py", "EXTERNALLY-MANAGED",
    "lib-dynload/_test*", "lib-dynload/_tkinter*", "lib-dynload/_curses*", "lib-dynload/_dbm*",
    "lib-dynload/_gdbm*", "lib-dynload/readline*", "lib-dynload/xxlimited*",
    "lib-dynload/_ctypes_test*", "lib-dynload/_codecs_*", "lib-dynload/_sqlite3*", "sqlite3",
)  # fmt: skip
# Tests, type stubs and sources of extension modules. The registry of hardware addresses is 8 MB of
# text that is read only to name a vendor.
SITE_UNUSED = (
    "*/tests", "*/test", "*/testing", "wrapt-stubs", "**/*.pyi", "**/*.pyx", "**/*.pxd", "**/*.c",
    "**/*.h", "**/locale", "**/*.po", "netaddr/eui/*.txt", "netaddr/eui/*.idx",
)  # fmt: skip

# Bytes before the code in a .pyc: magic number, flags, and a hash, or a time and a size.
PYC_HEAD = 16


def main(
    venv: pathlib.Path, rootfs: pathlib.Path, unused: pathlib.Path, apart: Sequence[str]
) -> None:
    interpreter = pathlib.Path(sys.executable).resolve()
    stdlib = pathlib.Path(sysconfig.get_path("stdlib"))
    (site,) = venv.glob("lib/python3*/site-packages")

    never = patterns(unused)
    copy_tree(stdlib, rootfs, ignored(stdlib, STDLIB_UNUSED + never))
    copy_tree(venv, rootfs, ignored(site, SITE_UNUSED + never))
    copy_file(interpreter, rootfs)
    for name in ("python3", interpreter.name):
        link = rootfs / "usr/bin" / name
        if not link.exists():
            link.symlink_to(interpreter.name)

    binaries = [interpreter, *stdlib.rglob("*.so"), *site.rglob("*.so*")]
    kept = [path for path in binaries if (rootfs / path.relative_to("/")).exists()]
    for library in libraries(kept):
        copy_file(library, rootfs)
    strip(path for path in rootfs.rglob("*.so*") if path.is_file() and not path.is_symlink())
    # Debian's merged /usr: binaries name their loader as /lib64/ld-linux-x86-64.so.2.
    for name in ("lib", "lib64", "bin"):
        if not (rootfs / name).exists():
            (rootfs / name).symlink_to(f"usr/{name}")

    for directory in ("tmp", "run", "var/tmp"):
        (rootfs / directory).mkdir(parents=True, exist_ok=True)
        (rootfs / directory).chmod(0o1777)
    etc = rootfs / "etc"
    etc.mkdir()
    (etc / "passwd").write_text("service:x:10001:10001::/tmp:/none\n")
    (etc / "group").write_text("service:x:10001:\n")
    shutil.copy("/etc/uwsgi.ini", etc)
    (etc / "nsswitch.conf").write_text("hosts: files dns\n")
    inside = [rootfs / folder.relative_to("/") for folder in (stdlib, site)]
    shutil.copy(bytecode.__file__, inside[-1])
    (inside[-1] / "bytecode.pth").write_text("import bytecode; bytecode.install()\n")
    compile_all(rootfs)
    write_archive(inside[-1] / bytecode.NAME, rootfs, inside, imported_early(venv), apart)


def patterns(listing: pathlib.Path) -> tuple[str, ...]:
    lines = (line.partition("#")[0].strip() for line in listing.read_text().splitlines())
    return tuple(line for line in lines if line)


def ignored(root: pathlib.Path, patterns: tuple[str, ...]) -> set[pathlib.Path]:
    return {path for pattern in patterns for path in root.glob(pattern)}


def copy_tree(source: pathlib.Path, rootfs: pathlib.Path, without: set[pathlib.Path]) -> None:
    def skip(directory: str, names: list[str]) -> set[str]:
        here = pathlib.Path(directory)
        return {name for name in names if here / name in without or name == "__pycache__"}

    target = rootfs / source.relative_to("/")
    shutil.copytree(source, target, symlinks=True, ignore=skip, dirs_exist_ok=True)


def copy_file(path: pathlib.Path, rootfs: pathlib.Path) -> None:
    target = rootfs / path.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copy2(path, target)


def libraries(binaries: list[pathlib.Path]) -> set[pathlib.Path]:
    """The shared libraries that these binaries load, the loader and name resolution included."""
    found = set(pathlib.Path("/usr/lib").glob("*/libnss_dns.so.2"))
    found |= set(pathlib.Path("/usr/lib").glob("*/libnss_files.so.2"))
    for binary in binaries:
        listing = subprocess.run(["ldd", binary], capture_output=True, text=True)
        for line in listing.stdout.splitlines():
            words = [word for word in line.split() if word.startswith("/")]
            for word in words:
                path = pathlib.Path(word)
                # ldd prints /lib/...; the files are in /usr/lib.
                found.add(path.parent.resolve() / path.name)
    # Libraries that a wheel brings along, beside its extension module, are copied with the wheel.
    return {path for path in found if "/site-packages/" not in str(path)}


def strip(binaries: Iterable[pathlib.Path]) -> None:
    """Drop the symbols that only a debugger reads: wheels of SQLAlchemy carry 10 MB of them."""
    subprocess.run(["strip", "--strip-unneeded", *binaries], check=True)


def compile_all(rootfs: pathlib.Path) -> None:
    """Compile once, here: no process writes into a read-only image, nor checks a source's time."""
    for directory in ("usr/lib", "opt"):
        compileall.compile_dir(
            rootfs / directory,
            quiet=2,
            stripdir=str(rootfs),
            prependdir="/",
            workers=0,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )


def imported_early(venv: pathlib.Path) -> set[str]:
    """What an interpreter has imported when it can look into the archive: bytecode.py among it."""
    where = {"PYTHONPATH": str(pathlib.Path(bytecode.__file__).parent)}
    asked = [venv / "bin/python", "-c", "import bytecode, sys; print(*sys.modules)"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True, env=where)
    return {*said.stdout.split()}


def write_archive(
    archive: pathlib.Path,
    rootfs: pathlib.Path,
    folders: list[pathlib.Path],
    early: set[str],
    apart: Sequence[str],
) -> None:
    """Move the bytecode below folders, which are as sys.path has them, into an archive.

    Left where they are: modules imported early, before there is a finder; packages apart; and what
    is in no package, since that is loaded by its path, as migrations are.
    """
    index: dict[str, tuple[str, int, int]] = {}
    codes: list[bytes] = []
    offset = 0
    for folder in folders:
        for compiled in sorted(folder.rglob("__pycache__/*.pyc")):
            source = compiled.parents[1] / f"{compiled.name.partition('.')[0]}.py"
            name = module_name(source, folder)
            # sys.path has two modules of this name: the first is the one that is imported.
            if not name or name in early or name in index or name.partition(".")[0] in apart:
                continue
            code = compiled.read_bytes()[PYC_HEAD:]
            index[name] = (f"/{source.relative_to(rootfs)}", offset, len(code))
            codes.append(code)
            offset += len(code)
            compiled.unlink()
    head = marshal.dumps(index)
    archive.write_bytes(b"".join([len(head).to_bytes(bytecode.HEAD, "little"), head, *codes]))


def module_name(source: pathlib.Path, folder: pathlib.Path) -> str | None:
    """What a source below a folder of sys.path is imported as; None when it is in no package."""
    parts = source.relative_to(folder).with_suffix("").parts
    packages = [folder.joinpath(*parts[: n + 1]) for n in range(len(parts) - 1)]
    if not all((package / "__init__.py").exists() for package in packages):
        return None
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


if __name__ == "__main__":
    main(*(pathlib.Path(argument) for argument in sys.argv[1:4]), apart=sys.argv[4:])
