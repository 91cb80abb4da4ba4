"""Runs in a container of placement's image, in place of a program of it, and notes what it needs.

    python replica.py PROGRAM ARGUMENT ...

/trim/cuts.txt    what this process goes without, as in left_out.txt; a line "observe" besides
/trim-out/PID     what the process and its children needed; standard error, where there is no such
                  folder, with "trim: " before each line:

    import NAME            a module was asked for, whether there is one or not
    open PATH              a file was opened
    load PATH NAME         a function of a module ran before the first request
    serve PATH NAME        a function of a module ran since then
    used NAME              something that is cut was wanted
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOLDER = os.path.dirname(os.path.abspath(__file__))
OUT, MARK = "/trim-out", "trim: "
# CO_OPTIMIZED: the code of a function, and not of a module or of a class.
FUNCTION = 1
# This function of placement runs in each request, before all others.
FIRST = ("/placement/requestlog.py", "RequestLog.__call__")


class Notes:
    """A file of lines; each line once for each process."""

    def __init__(self) -> None:
        self._file, self._mark = 2, MARK
        if os.path.isdir(OUT):
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            # Processes of several containers have the same numbers.
            path = f"{OUT}/{os.uname().nodename}-{os.getpid()}"
            self._file, self._mark = os.open(path, flags, 0o666), ""
        self._there: set[str] = set()

    def add(self, line: str) -> None:
        if line not in self._there and "\n" not in line:
            self._there.add(line)
            os.write(self._file, f"{self._mark}{line}\n".encode(errors="replace"))


class Spy:
    """The first entry of sys.meta_path: notes names, and finds nothing.

    Python's audit event does not come for importlib.import_module, which entry points use.
    """

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        self._notes.add(f"import {name}")


def watch(notes: Notes) -> None:
    phase = ["load"]
    # Python 3.12 has it: the image's own is newer than the harness's may be.
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined]
    tool = monitoring.PROFILER_ID

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str):
            notes.add(f"open {arguments[0]}")

    def started(code: object, _: int) -> object:
        name, path = code.co_qualname, code.co_filename  # type: ignore[attr-defined]
        if phase[0] == "load" and name == FIRST[1] and path.endswith(FIRST[0]):
            phase[0] = "serve"
            monitoring.restart_events()
        if code.co_flags & FUNCTION:  # type: ignore[attr-defined]
            notes.add(f"{phase[0]} {path} {name}")
        return monitoring.DISABLE

    sys.meta_path.insert(0, Spy(notes))
    sys.addaudithook(audit)
    monitoring.use_tool_id(tool, "trim")
    monitoring.register_callback(tool, monitoring.events.PY_START, started)
    monitoring.set_events(tool, monitoring.events.PY_START)


def main() -> None:
    sys.path.remove(FOLDER) if FOLDER in sys.path else None
    with open(f"{FOLDER}/cuts.txt") as file:
        lines = file.read().split("\n")
    cuts = [line for line in lines if " " in line]
    notes = Notes()
    if cuts:
        sys.path.insert(0, FOLDER)
        left_out: Any = __import__("left_out")
        sys.path.remove(FOLDER)
        explain = left_out.error

        def error(module: str, kind: str, use: str = "") -> "Any":
            # An import that fails is expected by its importer, or ends the process.
            if use:
                notes.add(f"used {use}")
            return explain(module, kind, use)

        left_out.error = error
        # Before every other finder: the files are there.
        sys.meta_path.insert(0, left_out.Finder(cuts))
    if "observe" in lines:
        watch(notes)
    program, *arguments = sys.argv[1:]
    sys.argv = [program, *arguments]
    sys.path.insert(0, os.path.dirname(program))
    with open(program) as file:
        source = file.read()
    names = sys.modules["__main__"].__dict__
    names["__file__"] = program
    exec(compile(source, program, "exec"), names)  # noqa: S102 (the image's own program)


if __name__ == "__main__":
    main()
