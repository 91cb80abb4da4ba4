"""Runs in a container that sees another one's processes: prints their memory as JSON.

The result is a list of [pid, command, rss, pss], without this process itself.
"""

import json
import os
import sys

FIELDS = ("Rss:", "Pss:")


def measured(proc: str = "/proc") -> list[tuple[int, str, int, int]]:
    rows = []
    for name in os.listdir(proc):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f"{proc}/{name}/smaps_rollup") as file:
                sizes = {line.split()[0]: int(line.split()[1]) for line in file if "kB" in line}
            with open(f"{proc}/{name}/cmdline", "rb") as file:
                command = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
        rss, pss = (sizes[field] * 1024 for field in FIELDS)
        rows.append((int(name), command, rss, pss))
    return sorted(rows)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measured()))
