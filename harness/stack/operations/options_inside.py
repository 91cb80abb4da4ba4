"""Lists placement's options, and checks a value, in a container of placement's image.

The image has no other code of the harness: this script imports the standard library and placement's
libraries alone. It reads {"name": GROUP/OPTION or null, "value": text or null} from stdin, as JSON,
and prints {"names": {GROUP/OPTION: whether it is secret}, "type": type of the option, "error": why
the value is wrong, or null}.
"""

import json
import sys
from typing import Any


def options() -> dict[str, Any]:
    """All options of a placement process: GROUP/OPTION -> option."""
    from keystoneauth1 import loading
    from keystonemiddleware import opts as middleware  # type: ignore[import-untyped]
    from oslo_config import cfg
    from placement import conf  # type: ignore[import-untyped]

    known = cfg.ConfigOpts()
    conf.register_opts(known)
    for group, declared in middleware.list_auth_token_opts():
        known.register_opts(declared, group=group)
    # Services log in with auth_type = password, whose options are a plugin's.
    known.register_opts(loading.get_auth_plugin_conf_options("password"), "keystone_authtoken")
    opts = {f"DEFAULT/{info['opt'].dest}": info["opt"] for info in known._opts.values()}
    for name, group in known._groups.items():
        opts.update({f"{name}/{info['opt'].dest}": info["opt"] for info in group._opts.values()})
    return opts


def problem(opt: Any, value: str) -> str | None:
    """The reason why the option does not take this value; None if it does."""
    try:
        for line in value.splitlines() if opt.multi else [value]:
            # A value that refers to another option cannot be checked before it is read.
            if "$" not in line:
                opt.type(line)
    except ValueError as error:
        return "" if opt.secret else str(error)
    return None


def main() -> None:
    question = json.load(sys.stdin)
    known = options()
    opt = known.get(question["name"])
    answer: dict[str, Any] = {"names": {name: bool(each.secret) for name, each in known.items()}}
    answer["type"] = type(opt.type).__name__.lower() if opt is not None else None
    valued = opt is not None and question["value"] is not None
    answer["error"] = problem(opt, question["value"]) if valued else None
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
