"""Prints the libraries that placement's modules refer to, in the order of these references."""

import sys
import types
from collections.abc import Iterator

import placement.wsgi  # noqa: F401  (for all that it imports)

# Libraries that placement loads by name, according to its configuration.
BY_NAME = ("keystoneauth1.identity", "pymysql", "sqlalchemy.dialects.mysql.pymysql")


def referred() -> Iterator[object]:
    """Names of the modules that placement refers to, and of the modules of classes and functions.

    A constant gives None.
    """
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "placement":
            for value in vars(module).values():
                is_module = isinstance(value, types.ModuleType)
                yield value.__name__ if is_module else getattr(value, "__module__", None)


for name in dict.fromkeys((*referred(), *BY_NAME)):
    if isinstance(name, str) and name.partition(".")[0] not in ("placement", "_frozen_importlib"):
        print(name)
