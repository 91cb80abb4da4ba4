"""The program that measures processes: what it reads, and what it leaves out."""

import os
from pathlib import Path

from harness.footprint.processes_probe import measured

ROLLUP = """00400000-7fff4000 ---p 00000000 00:00 0    [rollup]
Rss:                 {rss} kB
Pss:                 {pss} kB
Pss_Dirty:             10 kB
"""


def process(proc: Path, pid: int, command: str, rss: int, pss: int) -> None:
    folder = proc / str(pid)
    folder.mkdir()
    (folder / "smaps_rollup").write_text(ROLLUP.format(rss=rss, pss=pss))
    (folder / "cmdline").write_bytes(command.encode() + b"\0")


def test_processes_are_measured_in_bytes_without_the_program_itself(tmp_path: Path) -> None:
    process(tmp_path, 9, "uwsgi\0--ini\0a.ini", 100, 50)
    process(tmp_path, 1, "sh", 2, 1)
    process(tmp_path, os.getpid(), "python", 7, 7)
    (tmp_path / "meminfo").touch()
    # A process may end while it is measured.
    (tmp_path / "12").mkdir()
    assert measured(str(tmp_path)) == [
        (1, "sh", 2048, 1024),
        (9, "uwsgi --ini a.ini", 102400, 51200),
    ]
