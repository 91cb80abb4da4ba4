"""Serve placement as devstack does: settings in placement.conf, uwsgi on a unix socket.

    reference.py

    OS_GROUP__OPTION   the settings; they are written into placement.conf, and unset
    LANES              the lanes besides the first one, as JSON: {name: {variable: value}}; a
                       variable that is null is not set there
    POST_BUFFERING     bytes of a body that uwsgi reads itself; 0, as in devstack, for none

Each lane has its own uwsgi, socket and placement.conf. Lanes stop together.
"""

import json
import os
import pathlib
import re
import signal
import sys
from collections.abc import Mapping

import serve

SETTINGS = pathlib.Path("/etc/placement")
SOCKETS = "/var/run/uwsgi/placement-api"
OPTION = "--socket="
VARIABLE = re.compile(r"OS_([A-Z0-9_]+?)__([A-Z0-9_]+)")
# placement looks for its file in the folder that this variable names.
FOLDER = "OS_PLACEMENT_CONFIG_DIR"


def write(folder: pathlib.Path, environment: Mapping[str, str]) -> None:
    """Write the settings of an environment as a placement.conf, which holds passwords."""
    sections: dict[str, list[str]] = {}
    for name, value in sorted(environment.items()):
        found = VARIABLE.fullmatch(name)
        if found:
            group, option = found.groups()
            section = "DEFAULT" if group == "DEFAULT" else group.lower()
            sections.setdefault(section, []).append(f"{option.lower()} = {value}")
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / "placement.conf"
    file.touch(mode=0o600)
    file.write_text(
        "\n".join(f"[{name}]\n" + "\n".join(lines) + "\n" for name, lines in sections.items())
    )


def main() -> None:
    lanes: dict[str, dict[str, str | None]] = json.loads(os.environ.pop("LANES", "{}"))
    # PID 1 ignores signals without a handler.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    whole = dict(os.environ)
    write(SETTINGS, whole)
    places: dict[str, dict[str, str | None]] = {f"{SOCKETS}.socket": {}}
    for name, changes in lanes.items():
        its = {key: value for key, value in {**whole, **changes}.items() if value is not None}
        write(SETTINGS / name, its)
        places[f"{SOCKETS}-{name}.socket"] = {FOLDER: str(SETTINGS / name)}
    for name in whole:
        if VARIABLE.fullmatch(name):
            # An environment variable would count more than the file.
            del os.environ[name]
    serve.preload()
    options = [
        f"--ini={pathlib.Path(__file__).with_name('devstack.ini')}",
        f"--post-buffering={os.environ.pop('POST_BUFFERING', '0')}",
        # So the harness loads a checkout's changed code: see uwsgi.ini of services/python.
        "--hook-master-start=unix_signal:1 uwsgi_reload_workers",
        "--hook-master-start=unix_signal:23 getpid",
    ]
    if lanes:
        serve.serve_lanes(options, OPTION, places)
    serve.serve([*options, f"{OPTION}{SOCKETS}.socket"])


if __name__ == "__main__":
    main()
