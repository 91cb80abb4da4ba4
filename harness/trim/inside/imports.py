"""Runs in a container of placement's image, from standard input: imports placement without modules.

    python - < imports.py, with the questions in the variable QUESTIONS of this file

Each question is a list of lines as in left_out.txt. It is answered in a process of its own, by one
line of JSON: {"error": text or null, "modules": [names]}.
"""

import json
import os
import sys

QUESTIONS = json.loads("""{{QUESTIONS}}""")
MODULE, LEFT_OUT = "placement.wsgi.api", "/trim"
# The source etcd, and the command that migrates a database.
ALSO = ("oslo_config_source_etcd.gateway", "placement.cmd.manage")
# The error of a database that is not there, which ends the import of a whole application.
NO_DATABASE = "DBConnectionError"
MARK = "trim: "
SECONDS = 30
# Modules that an interpreter, or this script, has before any can be hidden.
EARLY = sorted(sys.modules)


def answer(cuts: list[str]) -> dict[str, object]:
    import signal

    signal.alarm(SECONDS)
    sys.path.insert(0, LEFT_OUT)
    left_out = __import__("left_out")
    sys.path.remove(LEFT_OUT)
    sys.meta_path.insert(0, left_out.Finder(cuts))
    error = None
    try:
        __import__(MODULE)
    except BaseException as raised:
        error = f"{type(raised).__name__}: {raised}"
        if error.startswith(NO_DATABASE):
            error = None
        elif (trace := raised.__traceback__) is not None:
            while trace.tb_next:
                trace = trace.tb_next
            error += f" ({trace.tb_frame.f_code.co_filename}:{trace.tb_lineno})"
    modules = [] if error else sorted(sys.modules)
    if error is None:
        error = also()
    return {"error": error, "modules": modules, "early": [] if cuts else EARLY}


def also() -> str | None:
    """Import what other uses of the image import, and no replica with the default settings."""
    for name in ALSO:
        try:
            __import__(name)
        except Exception as raised:
            return f"{type(raised).__name__}: {raised} ({name})"
    return None


def main() -> None:
    for cuts in QUESTIONS:
        sys.stdout.flush()
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            silent = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silent, 2)
            os.dup2(silent, 1)
            with os.fdopen(writing, "w") as file:
                file.write(json.dumps(answer(cuts)))
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as file:
            text = file.read()
        os.waitpid(child, 0)
        print(MARK + (text or json.dumps({"error": "it ended without a word", "modules": []})))


if __name__ == "__main__":
    main()
