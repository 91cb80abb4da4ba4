"""Freezes containers, and cuts them off from others; each state can be asked for, and undone.

A cut is a table of nftables in the network namespace of the container. It drops packets that go to
certain addresses or come from them, without an answer, as a broken network does. This needs root,
nsenter and nft, on the host of the engine.
"""

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.errors import UsageError
from harness.core.process import Outcome, run
from harness.engine.docker import translated
from harness.engine.values import Container, DockerError

TABLE = "placement_harness_cut"
SECONDS = 20.0
PACKETS = re.compile(r"counter packets (\d+)")


@dataclass(frozen=True, slots=True)
class Peer:
    """An address that a container is cut off from, and the port of its service; 0 for all."""

    address: str
    port: int = 0

    @property
    def rules(self) -> tuple[str, str]:
        """Conditions for packets to the peer, and for packets from it."""
        to = f" tcp dport {self.port}" if self.port else ""
        back = f" tcp sport {self.port}" if self.port else ""
        return f"ip daddr {self.address}{to}", f"ip saddr {self.address}{back}"


def require_cuts() -> None:
    """Raise UsageError where networks cannot be cut."""
    missing = [name for name in ("nsenter", "nft") if shutil.which(name) is None]
    if missing:
        raise UsageError(
            f"Networks cannot be cut: {' and '.join(missing)} cannot be found.",
            "Install util-linux and nftables on the engine's host.",
        )
    if os.geteuid() != 0:
        raise UsageError(
            "Networks cannot be cut: that needs root, in the containers' network namespaces.",
            "Run as root, on the engine's host.",
        )


def pause(container: Container) -> None:
    """Freeze all processes of a container. Raises DockerError."""
    with translated("pause a container"):
        container.engine.client(SECONDS).container.pause(container.id)


def unpause(container: Container) -> None:
    """Let a container go on that may be paused. Raises DockerError."""
    if container.engine.state(container.id) == "paused":
        with translated("unpause a container"):
            container.engine.client(SECONDS).container.unpause(container.id)


def address(container: Container) -> str:
    """The address of a container in its network. Raises DockerError."""
    fields = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
    return _detail(container, fields, "find a container's address").split()[0]


def cut(container: Container, peers: Sequence[Peer]) -> None:
    """Drop all packets between a container and its peers. Raises DockerError."""
    outgoing = "".join(f"{peer.rules[0]} counter drop\n" for peer in peers)
    incoming = "".join(f"{peer.rules[1]} counter drop\n" for peer in peers)
    rules = (
        f"table inet {TABLE} {{\n"
        f"chain out {{ type filter hook output priority 0;\n{outgoing}}}\n"
        f"chain in {{ type filter hook input priority 0;\n{incoming}}}\n}}\n"
    )
    _require(_nft(container, "-f", "-", stdin=rules), "cut a container off")


def dropped(container: Container) -> int | None:
    """How many packets a cut has dropped so far; None when the container is not cut off."""
    outcome = _nft(container, "list", "table", "inet", TABLE)
    if not outcome.ok:
        return None
    return sum(map(int, PACKETS.findall(outcome.out)))


def join(container: Container) -> None:
    """Undo a cut, if there is one. Raises DockerError."""
    # A container that was started anew has a new namespace, without a table.
    if dropped(container) is not None:
        _require(_nft(container, "delete", "table", "inet", TABLE), "undo a cut")


def _nft(container: Container, *words: str, stdin: str = "") -> Outcome:
    pid = _detail(container, "{{.State.Pid}}", "find a container's process")
    if pid == "0":
        return Outcome(1, "", "the container does not run")
    command = ("nsenter", f"--net=/proc/{pid}/ns/net", "nft", *words)
    return run(*command, seconds=SECONDS, stdin=stdin.encode() or None)


def _detail(container: Container, fields: str, action: str) -> str:
    outcome = container.engine.command.inspect(container.id, fields)
    _require(outcome, action)
    return outcome.out.strip()


def _require(outcome: Outcome, action: str) -> None:
    if not outcome.ok:
        raise DockerError(action, outcome)
