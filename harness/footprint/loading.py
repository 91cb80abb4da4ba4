"""Imports placement in a container of its image, and says what that took."""

import json
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import EngineError, UsageError
from harness.engine.docker import Engine
from harness.engine.values import Once
from harness.footprint.image import Files

PROBE = Path(__file__).with_name("probe.py")
MARK = "footprint: "
# Replicas load this module (compose.yaml). The application is made before the database is asked.
MODULE = "placement.wsgi.api"
# The error of a database that is not there, which ends the import of a whole application.
NO_DATABASE = "DBConnectionError"
PROBE_SECONDS = 60.0
IMPORT_TIME = re.compile(r"^import time: +(\d+) \| +(\d+) \|( +)(\S+)$")
# Settings as compose.yaml has them, but for the database: nothing listens at that address, and
# placement does not try twice. Passwords are none.
ENVIRONMENT: Mapping[str, str] = {
    "OS_PLACEMENT_DATABASE__CONNECTION": "mysql+pymysql://placement:none@127.0.0.1:1/placement",
    "OS_PLACEMENT_DATABASE__MAX_RETRIES": "0",
    "OS_KEYSTONE_AUTHTOKEN__AUTH_TYPE": "password",
    "OS_KEYSTONE_AUTHTOKEN__AUTH_URL": "http://127.0.0.1:1/identity",
    "OS_KEYSTONE_AUTHTOKEN__WWW_AUTHENTICATE_URI": "http://127.0.0.1:1/identity",
    "OS_KEYSTONE_AUTHTOKEN__INTERFACE": "admin",
    "OS_KEYSTONE_AUTHTOKEN__USERNAME": "placement",
    "OS_KEYSTONE_AUTHTOKEN__PASSWORD": "none",
    "OS_KEYSTONE_AUTHTOKEN__PROJECT_NAME": "service",
    "OS_KEYSTONE_AUTHTOKEN__USER_DOMAIN_ID": "default",
    "OS_KEYSTONE_AUTHTOKEN__PROJECT_DOMAIN_ID": "default",
    "OS_KEYSTONE_AUTHTOKEN__MEMCACHED_SERVERS": "127.0.0.1:1",
}


@dataclass(frozen=True, slots=True)
class Module:
    """An imported module. ``microseconds`` is its own import time, without those of others.

    ``importer`` is the module whose import brought it in first; empty where Python does not say.
    """

    name: str
    path: str
    microseconds: int
    importer: str


@dataclass(frozen=True, slots=True)
class Option:
    """An option that is set or read. ``where`` is oslo.config's word for the place of its value."""

    group: str
    name: str
    where: str
    value: str
    default: str
    read: bool

    @property
    def is_set(self) -> bool:
        """Whether the user or the environment gave the value."""
        return self.where in ("user", "environment", "command_line")


@dataclass(frozen=True, slots=True)
class Loading:
    """The import of placement: CPU ``seconds``, and ``memory`` of the process (rss, pss) in bytes.

    ``importers`` maps a module to all modules that import it.
    """

    python: str
    seconds: float
    modules: Sequence[Module]
    importers: Mapping[str, Sequence[str]]
    memory: Mapping[str, int]
    options: Sequence[Option]


def interpreter(files: Files) -> str:
    """The path of the Python that has placement in the image. Raises UsageError without one."""
    paths = {file.path for file in files.visible}
    every = {*paths, *files.links}
    homes = {
        path.partition("/lib/python3")[0]
        for path in paths
        if path.endswith(
            ("site-packages/placement/__init__.py", "dist-packages/placement/__init__.py")
        )
    }
    pythons = [path for path in sorted(every) if re.search(r"/bin/python3?$", path)]
    if not homes:
        raise UsageError(
            "The image has no package placement in a directory of Python's packages.",
            "Name an image of placement, or a release or checkout with --placement.",
        )
    for home in sorted(homes, key=len, reverse=True):
        for path in pythons:
            if posixpath.dirname(posixpath.dirname(path)) == home:
                return path
    if pythons:
        return pythons[0]
    raise UsageError("The image has no Python in it.", "Name an image that runs placement.")


def load(engine: Engine, image: str, python: str) -> Loading:
    """Import placement in a container of an image. Raises EngineError when that fails."""
    once = Once(environment=ENVIRONMENT, confined=True, stdin=PROBE.read_bytes())
    words = ("-X", "importtime", "-", MODULE)
    outcome = engine.run(image, python, *words, seconds=PROBE_SECONDS, once=once)
    lines = [line for line in outcome.out.splitlines() if line.startswith(MARK)]
    if not lines:
        raise EngineError(
            f"placement could not be imported in {image}: {outcome.reason}.",
            "Run the image by hand, and import placement.wsgi.api in its Python.",
            evidence=outcome.evidence,
        )
    result = json.loads(lines[-1].removeprefix(MARK))
    if result["error"] and not result["error"].startswith(NO_DATABASE):
        raise EngineError(
            f"placement could not be imported in {image}: {result['error']}.",
            "The image lacks something that placement needs.",
        )
    times = import_times(outcome.err.splitlines())
    modules = [
        Module(name, path or "", *times.get(name, (0, "")))
        for name, path in sorted(result["modules"].items())
    ]
    return Loading(
        result["python"],
        result["seconds"],
        modules,
        _reversed(result["importers"], result["modules"]),
        result["memory"],
        [Option(*row) for row in sorted(result["settings"])],
    )


def import_times(lines: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Own time in microseconds and first importer of each module, by `-X importtime`.

    Python writes a module when its import ends, so below those that it imports, and two columns to
    the left of them.
    """
    times: dict[str, tuple[int, str]] = {}
    waiting: list[tuple[int, str]] = []
    for line in lines:
        if not (match := IMPORT_TIME.match(line)):
            continue
        microseconds, _, indent, name = match.groups()
        depth = len(indent)
        while waiting and waiting[-1][0] > depth:
            imported = waiting.pop()[1]
            times[imported] = (times[imported][0], name)
        if name not in times:
            times[name] = (int(microseconds), "")
            waiting.append((depth, name))
    return times


def _reversed(
    imported: Mapping[str, Sequence[str]], modules: Mapping[str, str]
) -> dict[str, list[str]]:
    importers: dict[str, list[str]] = {}
    for importer, names in imported.items():
        for name in names:
            if name in modules and importer != name:
                importers.setdefault(name, []).append(importer)
    return {name: sorted({*names}) for name, names in sorted(importers.items())}
