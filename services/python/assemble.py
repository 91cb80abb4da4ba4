#!/usr/bin/env python3
"""Copy an interpreter, a virtual environment and the libraries they load into an empty root.

    assemble VENV ROOTFS UNUSED

UNUSED is a file of glob patterns, below the environment's site-packages or the standard library,
of what is never imported there. Everything else is found by asking the files themselves (ldd), so
that another release with other dependencies needs no change here.
"""

import compileall
import pathlib
import py_compile
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable

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


def main(venv: pathlib.Path, rootfs: pathlib.Path, unused: pathlib.Path) -> None:
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
    compile_all(rootfs)


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
    # What a wheel brings along (libs beside its extension module) is copied with it.
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
            workers=0,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )


if __name__ == "__main__":
    main(*(pathlib.Path(argument) for argument in sys.argv[1:4]))
