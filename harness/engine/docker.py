"""Which containers of stacks there are, as the engine lists them."""

from dataclasses import dataclass

from harness.core.errors import EngineError, StackError
from harness.core.process import run
from harness.engine import install
from harness.engine.compose import STACK_LABEL, STATE_LABEL

SERVICE_LABEL = "com.docker.compose.service"
# Each field by its name: `json .` has the engine measure every container's files, for seconds.
FIELDS = (
    *(".ID", ".Names", f'.Label "{SERVICE_LABEL}"', ".State", ".Status"),
    *(f'.Label "{STACK_LABEL}"', f'.Label "{STATE_LABEL}"'),
)


@dataclass(frozen=True, slots=True)
class Container:
    """One container. ``status`` is the engine's words for since when; ``directory`` is that of its
    stack's state, '' where it was started by hand."""

    id: str
    name: str
    service: str
    state: str
    status: str
    stack: str
    directory: str


def listed(stack: str | None = None) -> list[Container]:
    """The containers of a stack, or of all stacks, in the order of their names.

    Raises EngineError when they cannot be listed.
    """
    label = STACK_LABEL if stack is None else f"{STACK_LABEL}={stack}"
    said = run(
        *("docker", "ps", "--all", "--no-trunc", "--filter", f"label={label}"),
        *("--format", "\t".join(f"{{{{{field}}}}}" for field in FIELDS)),
        seconds=30,
    )
    if not said.ok:
        of = "" if stack is None else f" of {stack}"
        raise install.engine_problem() or EngineError(
            f"The containers{of} could not be listed: {said.reason}.",
            "See what is wrong: placement-harness doctor.",
        )
    found = [Container(*line.split("\t")) for line in said.out.splitlines()]
    return sorted(found, key=lambda container: container.name)


def published(stack: str, service: str, port: int, what: str) -> tuple[str, int]:
    """The host and port on which a service's port can be reached from outside.

    Raises StackError, in which ``what`` names the service.
    """
    said = run("docker", "port", f"{stack}-{service}-1", str(port), seconds=10)
    if not said.ok:
        raise StackError(
            f"{what} of the stack {stack} has no address: {said.reason}.",
            f"See whether it runs: placement-harness status, placement-harness logs {service}.",
            service=service,
        )
    host, _, number = said.out.split()[0].rpartition(":")
    return host, int(number)
