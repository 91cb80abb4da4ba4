"""The reference's placement: its settings are in placement.conf, and in no variable."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVICE = Path(__file__).parents[3] / "services" / "placement"
# Prints the options and the variables that it is started with, and ends when all lanes have printed
# theirs: the first that ends stops the others.
UWSGI = """
import json, os, pathlib, time

def run(options):
    its = {name: value for name, value in os.environ.items() if name.startswith("OS_")}
    os.write(1, (json.dumps([options, its]) + "\\n").encode())
    folder = pathlib.Path(__file__).parent
    (folder / f"{os.getpid()}.written").touch()
    while len([*folder.glob("*.written")]) < int(os.environ["UWSGIS"]):
        time.sleep(0.01)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("serve.py", "devstack.ini"):
        shutil.copy(SERVICE / name, tmp_path)
    script = (SERVICE / "reference.py").read_text()
    (tmp_path / "reference.py").write_text(script.replace("/etc/placement", f"{tmp_path}/etc"))
    (tmp_path / "pyuwsgi.py").write_text(UWSGI)
    return tmp_path


@pytest.fixture
def started(folder: Path) -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def serve(
    folder: Path, started: list[subprocess.Popen[str]], **environment: str
) -> list[tuple[list[str], dict[str, str]]]:
    uwsgis = 1 + len(json.loads(environment.get("LANES", "{}")))
    process = subprocess.Popen(
        [sys.executable, folder / "reference.py"],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={"PYTHONPATH": str(folder), "UWSGIS": str(uwsgis), **environment},
    )
    started.append(process)
    text, _ = process.communicate(timeout=30)
    return [json.loads(line) for line in text.splitlines()]


def test_settings_are_in_a_file_that_the_service_alone_can_read(
    folder: Path, started: list[subprocess.Popen[str]]
) -> None:
    ((options, left),) = serve(
        folder,
        started,
        OS_DEFAULT__DEBUG="True",
        OS_PLACEMENT_DATABASE__CONNECTION="mysql://u:word@h/s?a=b",
        OS_API__AUTH_STRATEGY="keystone",
        POST_BUFFERING="65536",
    )
    file = folder / "etc" / "placement.conf"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text() == (
        "[api]\nauth_strategy = keystone\n\n"
        "[DEFAULT]\ndebug = True\n\n"
        "[placement_database]\nconnection = mysql://u:word@h/s?a=b\n"
    )
    assert left == {}
    assert f"--ini={folder}/devstack.ini" in options
    assert "--post-buffering=65536" in options
    assert options[-1] == "--socket=/var/run/uwsgi/placement-api.socket"


def test_each_lane_has_a_file_and_a_socket(
    folder: Path, started: list[subprocess.Popen[str]]
) -> None:
    lanes = {"2": {"OS_A__B": "second", "OS_ONLY__FIRST": None}}
    runs = serve(folder, started, OS_A__B="first", OS_ONLY__FIRST="1", LANES=json.dumps(lanes))
    sockets = {options[-1]: left for options, left in runs}
    second = "--socket=/var/run/uwsgi/placement-api-2.socket"
    assert sockets[second] == {"OS_PLACEMENT_CONFIG_DIR": f"{folder}/etc/2"}
    assert (
        folder / "etc" / "placement.conf"
    ).read_text() == "[a]\nb = first\n\n[only]\nfirst = 1\n"
    assert (folder / "etc" / "2" / "placement.conf").read_text() == "[a]\nb = second\n"
