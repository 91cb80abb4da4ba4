"""Notices a container's death when it happens."""

import json
import subprocess
import threading
from dataclasses import dataclass

from harness.core.errors import StackError
from harness.core.process import mortal, run
from harness.engine.compose import STACK_LABEL
from harness.stack.model.lanes import SERVICE, ReplicaId
from harness.stack.model.record import Record
from harness.stack.settings.databases import DATABASES

LAST_LINES = 20


@dataclass(frozen=True, slots=True)
class Death:
    """A container that has exited: its Compose service, and its exit code."""

    container: str
    service: str
    code: int

    @property
    def replica(self) -> str | None:
        """Which replica it was, as Apache calls it; None when it was something else."""
        replica = ReplicaId.of_service(self.service)
        return str(replica) if replica else None

    @property
    def who(self) -> str:
        return f"replica {self.replica}" if self.replica else self.service


class Watch:
    """Listens to the engine's events about one stack, from ``start`` until ``stop``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._deaths: list[Death] = []
        self._process: subprocess.Popen[str] | None = None
        self._begun = threading.Event()
        self._stopped = False

    def start(self) -> None:
        threading.Thread(target=self._listen, name="watch", daemon=True).start()
        self._begun.wait()

    def stop(self) -> None:
        self._stopped = True
        if self._process:
            self._process.terminate()
            self._process.wait()
            self._process = None

    @property
    def blind(self) -> bool:
        """Whether the engine has stopped telling."""
        return bool(self._process and self._process.poll() is not None) and not self._stopped

    def deaths(self) -> list[Death]:
        return list(self._deaths)

    def forget(self, deaths: list[Death]) -> None:
        self._deaths = [death for death in self._deaths if death not in deaths]

    def _listen(self) -> None:
        # Begun in the thread that reads: that one lives as long as this process, and with its end,
        # be it by kill -9, ends the command.
        label = f"label={STACK_LABEL}={self._name}"
        filters = ("--filter", "type=container", "--filter", "event=die", "--filter", label)
        try:
            self._process = process = subprocess.Popen(  # noqa: S603 (no shell)
                mortal(["docker", "events", *filters, "--format", "{{json .}}"]),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )
        finally:
            self._begun.set()
        for line in process.stdout or ():
            attributes = json.loads(line)["Actor"]["Attributes"]
            self._deaths.append(
                Death(
                    container=attributes["name"],
                    service=attributes.get("com.docker.compose.service", "?"),
                    code=int(attributes.get("exitCode", -1)),
                )
            )


def death_error(death: Death, when: str) -> StackError:
    """What to say of a container that died, with its last words."""
    said = run("docker", "logs", "--tail", str(LAST_LINES), death.container, seconds=10)
    lines = (said.out + said.err).splitlines()[-LAST_LINES:]
    killed = " (killed)" if death.code == 137 else ""
    return StackError(
        f"{death.who} ({death.container}) exited with code {death.code}{killed} {when}.",
        "Its last lines are below. `placement-harness doctor` checks the machine; "
        "--stack keep leaves the stack for a look.",
        evidence=lines,
        service=SERVICE if death.replica else death.service,
    )


def was_meant(death: Death, record: Record) -> bool:
    """Whether a replica was removed or restarted on purpose, by this process or another one; or a
    cluster's node, of a stack that was ready, is started again by the engine."""
    if death.replica and death.replica.isdecimal():
        number = int(death.replica)
        if number in record.leaving or number > record.replicas:
            return True
    node = record.ready and death.service in DATABASES[record.database].cluster
    if not death.replica and not node:
        return False
    # No replica starts itself again: one that runs was restarted by somebody.
    asked = "{{.State.Running}} {{.State.Restarting}}"
    state = run("docker", "inspect", "--format", asked, death.container, seconds=10)
    return "true" in state.out
