"""docker's command line, for what python-on-whales cannot do.

A comment before each group of methods gives the reason. The methods start docker by
``core.process`` and return its output unchanged; ``Engine`` makes values of it.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from harness.core.environment import proxies_of
from harness.core.process import Outcome, follow, run
from harness.core.program import APART, NOWHERE, Program

# Time limits of commands that take a moment on an idle machine. Seconds.
ANSWER_SECONDS = 10.0
# Time limit for the first answer of an engine on another machine.
SURVEY_SECONDS = 5.0
LIST_SECONDS = 30.0
Labels = Mapping[str, str | None]


class CommandLine:
    """docker's command line for one engine."""

    def __init__(self, context: str | None, host: str | None) -> None:
        self._docker = (
            "docker",
            *(("--context", context) if context else ()),
            *(("--host", host) if host else ()),
        )

    # docker may be missing, or hang. The remedy depends on docker's own error text, which the
    # library mixes with the command line; and the library has no time limit.

    def version(self) -> Outcome:
        return self._run("version", "--format", "{{.Server.Version}}", seconds=ANSWER_SECONDS)

    def info(self, fields: Sequence[str]) -> Outcome:
        return self._run("info", "--format", _row(fields), seconds=SURVEY_SECONDS)

    def contexts(self) -> Outcome:
        return self._run("context", "ls", "--format", "{{.Name}}", seconds=ANSWER_SECONDS)

    def context_address(self, name: str) -> Outcome:
        words = ("context", "inspect", "--format", "{{.Endpoints.docker.Host}}", name)
        return self._run(*words, seconds=ANSWER_SECONDS)

    def compose_version(self) -> Outcome:
        return self._run("compose", "version", "--short", seconds=ANSWER_SECONDS)

    def address(self) -> Outcome:
        # The library reads contexts one by one, each with its own command.
        words = ("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
        return self._run(*words, seconds=ANSWER_SECONDS)

    # A listing with fields in one call: the library gets ids alone, and inspects each object again
    # for each field that is read.

    def containers(self, labels: Labels, fields: Sequence[str]) -> Outcome:
        return self._list(("ps", "--all", "--no-trunc"), _label_filters(labels), fields)

    def state(self, container: str) -> Outcome:
        # A listing comes from a copy of the engine's data, which lags a death by a moment. The
        # library could inspect a container, too, but its import takes 0.2 s.
        return self.inspect(container, "{{.State.Status}}")

    def inspect(self, container: str, fields: str) -> Outcome:
        words = ("container", "inspect", "--format", fields, container)
        return self._run(*words, seconds=LIST_SECONDS)

    def networks(self, labels: Labels, fields: Sequence[str]) -> Outcome:
        return self._list(("network", "ls"), _label_filters(labels), fields)

    def volumes(self, labels: Labels, fields: Sequence[str]) -> Outcome:
        return self._list(("volume", "ls"), _label_filters(labels), fields)

    def images(self, labels: Labels, reference: str | None, fields: Sequence[str]) -> Outcome:
        filters = _label_filters(labels)
        if reference is not None:
            filters += ("--filter", f"reference={reference}")
        return self._list(("image", "ls"), filters, fields)

    def image_details(self, tags: Sequence[str], fields: Sequence[str]) -> Outcome:
        return self._run("image", "inspect", "--format", _row(fields), *tags, seconds=LIST_SECONDS)

    # Part of a stack's start and removal, for which the library's import is too long.

    def create_volume(self, name: str, labels: Mapping[str, str]) -> Outcome:
        words = [word for pair in labels.items() for word in ("--label", "=".join(pair))]
        return self._run("volume", "create", *words, name, seconds=LIST_SECONDS)

    def remove_volume(self, name: str) -> Outcome:
        return self._run("volume", "rm", name, seconds=LIST_SECONDS)

    # The engine's own words say why a network cannot be had; the library mixes them with the
    # command line.

    def create_network(self, name: str, labels: Mapping[str, str]) -> Outcome:
        words = [word for pair in labels.items() for word in ("--label", "=".join(pair))]
        return self._run("network", "create", *words, name, seconds=LIST_SECONDS)

    def remove_network(self, name: str) -> Outcome:
        return self._run("network", "rm", name, seconds=LIST_SECONDS)

    # Following, with a way to stop: the library has no handle of the process, which goes on when
    # the reading stops.

    def follow_events(self, labels: Labels, event: str, since: float) -> Program:
        filters = ("--filter", "type=container", "--filter", f"event={event}")
        moment = ("--since", f"{since:.9f}", "--format", "{{json .}}")
        command = [*self._docker, "events", *moment, *filters, *_label_filters(labels)]
        return Program(command, errors=NOWHERE, is_mortal=True)

    def follow_logs(self, container: str, tail: int | None, *, follow: bool) -> Program:
        last = "all" if tail is None else str(tail)
        words = ["logs", "--tail", last, *(["--follow"] if follow else []), container]
        return Program([*self._docker, *words])

    def logs(
        self, container: str, since: float | None, until: float | None, tail: int | None
    ) -> Outcome:
        # An engine may hang, so the command needs a time limit, and has to end with its caller.
        moments = (("--since", since), ("--until", until))
        span = [word for name, at in moments if at is not None for word in (name, f"{at:.3f}")]
        last = () if tail is None else ("--tail", str(tail))
        return self._run("logs", *last, *span, container, seconds=ANSWER_SECONDS)

    def save(self, *images: str) -> Program:
        # The archive is read as it comes: the library would hold all of it, or write a file.
        return Program([*self._docker, "save", *images], errors=APART)

    # Commands that a run may cancel. The library's commands would go on.

    def compose(
        self, options: Sequence[str], *words: str, seconds: float, before: Sequence[str] = ()
    ) -> Outcome:
        # Compose needs a clean environment: the user's variables would win over the stack's. And
        # importing the library takes a tenth of a stack's start, and of its removal.
        command = (*before, *self._docker, "compose", "--progress", "plain", *options, *words)
        return run(*command, seconds=seconds)

    def compose_build(
        self,
        options: Sequence[str],
        service: str,
        environment: Mapping[str, str],
        heard: Callable[[str], None],
    ) -> int:
        # docker itself passes on the proxies of its own settings alone.
        proxies = [word for name in proxies_of(environment) for word in ("--build-arg", name)]
        words = ("compose", "--progress", "plain", *options, "build", *proxies, service)
        return follow([*self._docker, *words], heard, environment)

    def execute(self, container: str, command: Sequence[str], seconds: float) -> Outcome:
        return self._run("exec", container, *command, seconds=seconds)

    def run_once(
        self, options: Sequence[str], image: str, command: Sequence[str], seconds: float,
        stdin: bytes | None,
    ) -> Outcome:  # fmt: skip
        # A value that may be secret goes through standard input, not on the command line.
        interactive = () if stdin is None else ("--interactive",)
        words = ("run", "--rm", *interactive, *options, image, *command)
        return self._run(*words, seconds=seconds, stdin=stdin)

    def pull(self, image: str, seconds: float, first_line: float) -> Outcome:
        # The time until the first line is limited: an unreachable registry writes nothing.
        return self._run("pull", image, seconds=seconds, first_line=first_line)

    # Commands that read standard input, which the library does not pass on.

    def build(self, tag: str, dockerfile: bytes, seconds: float) -> Outcome:
        return self._run("build", "--tag", tag, "-", seconds=seconds, stdin=dockerfile)

    def import_image(
        self, archive: IO[bytes], tag: str, changes: Sequence[str], seconds: float
    ) -> Outcome:
        options = [word for change in changes for word in ("--change", change)]
        return self._run("import", *options, "-", tag, seconds=seconds, stdin=archive)

    def load(self, archive: IO[bytes], seconds: float) -> Outcome:
        return self._run("load", "--quiet", seconds=seconds, stdin=archive)

    def copy_into(self, container: str, folder: str, archive: IO[bytes], seconds: float) -> Outcome:
        return self._run("cp", "-", f"{container}:{folder}", seconds=seconds, stdin=archive)

    # The library silently ignores the number of seconds to wait, and takes the default.

    def stop(self, containers: Sequence[str], patience: int, seconds: float) -> Outcome:
        return self._run("stop", "--time", str(patience), *containers, seconds=seconds)

    def _list(self, words: Sequence[str], filters: Sequence[str], fields: Sequence[str]) -> Outcome:
        return self._run(*words, *filters, "--format", _row(fields), seconds=LIST_SECONDS)

    def _run(
        self,
        *words: str,
        seconds: float,
        first_line: float | None = None,
        stdin: IO[bytes] | bytes | None = None,
    ) -> Outcome:
        command = (*self._docker, *words)
        return run(*command, seconds=seconds, first_line=first_line, stdin=stdin)


def compose_options(
    files: Sequence[Path], env_file: Path | None, project: str | None, profile: str | None = None
) -> tuple[str, ...]:
    """Options of ``docker compose`` that say which project it is."""
    return (
        *(word for file in files for word in ("--file", str(file))),
        *(("--project-name", project) if project else ()),
        *(("--profile", profile) if profile else ()),
        # The checkout's .env is for stacks that are started by hand.
        *("--env-file", str(env_file or os.devnull)),
    )


def _label_filters(labels: Labels) -> tuple[str, ...]:
    pairs = (name if value is None else f"{name}={value}" for name, value in labels.items())
    return tuple(word for pair in pairs for word in ("--filter", f"label={pair}"))


def _row(fields: Sequence[str]) -> str:
    """docker's template of a line with these fields, separated by tabs.

    The template names each field: `json .` would make the engine measure every container's files,
    which takes seconds.
    """
    return "\t".join(f"{{{{{field}}}}}" for field in fields)
