"""Log drivers of a stack's containers: failure reports and `logs` have to read what they keep."""

from collections.abc import Mapping
from typing import Any

from harness.core.errors import UsageError

STACKS_DRIVER = "json-file"
STACKS_LOGGING = {"driver": STACKS_DRIVER, "options": {"max-size": "10m", "max-file": "3"}}


def choose(services: Mapping[str, dict[str, Any]], override: object) -> None:
    """Let each service log to a driver that can be read. Raises UsageError.

    The engine's own driver may be one that cannot be read, or keep a log without end. The user's
    file, ``override``, may name another one: with any but `none`, the engine keeps a copy.
    """
    for name, service in services.items():
        logging = service.setdefault("logging", STACKS_LOGGING)
        driver = logging.get("driver", STACKS_DRIVER)
        without_copy = str((logging.get("options") or {}).get("cache-disabled")).lower() == "true"
        if driver == "none" or without_copy:
            why = "`none`" if driver == "none" else f"`{driver}` with cache-disabled"
            raise UsageError(
                f"{override} gives the service {name} the log driver {why}, whose logs cannot be "
                "read.",
                "Name one that `docker logs` can read, e.g. json-file, local or journald.",
            )
