"""Hosts that a fake docker has: contexts, and what their engines say of themselves."""

from harness.stack.model.hosts import Host

A, B = Host("a", "192.0.2.1"), Host("b", "192.0.2.2")


def info(
    id_: str, version: str = "28.0.0", processor: str = "x86_64", system: str = "linux"
) -> str:
    """A fake docker's answer to ``info``."""
    return f"printf '{id_}\\t{version}\\t{processor}\\t{system}\\n'"


# Two contexts, on machines of these addresses, and the engine of this machine.
HOSTS = {
    "context inspect * a": "echo ssh://ci@192.0.2.1",
    "context inspect * b": "echo tcp://192.0.2.2:2376",
    "context inspect * default": "echo unix:///var/run/docker.sock",
    "context inspect*": "echo no such context >&2; exit 1",
    "context ls*": "echo a; echo b; echo default",
    "--context a info*": info("ID-A"),
    "--context b info*": info("ID-B"),
    "--context default info*": info("ID-HERE"),
    "--host unix*info*": info("ID-HERE"),
    "info*": info("ID-HERE"),
}
