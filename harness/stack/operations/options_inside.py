"""Runs where placement is, on its standard library and placement's own alone: in an image.

Takes from stdin {"name": GROUP/OPTION or null, "value": text or null}, as JSON, and prints
{"names": {GROUP/OPTION: whether it is secret}, "type": what the value should be, "error": why it is
not, or null}.
"""

import json
import sys
from typing import Any


def options() -> dict[str, Any]:
    """All options that placement's process has, by GROUP/OPTION."""
    from keystoneauth1 import loading
    from keystonemiddleware import opts as middleware  # type: ignore[import-untyped]
    from oslo_config import cfg
    from placement import conf  # type: ignore[import-untyped]

    known = cfg.ConfigOpts()
    conf.register_opts(known)
    for group, declared in middleware.list_auth_token_opts():
        known.register_opts(declared, group=group)
    # Those of auth_type = password, the way of services.
    known.register_opts(loading.get_auth_plugin_conf_options("password"), "keystone_authtoken")
    found = {f"DEFAULT/{info['opt'].dest}": info["opt"] for info in known._opts.values()}
    for name, group in known._groups.items():
        found.update({f"{name}/{info['opt'].dest}": info["opt"] for info in group._opts.values()})
    return found


def problem(opt: Any, value: str) -> str | None:
    """Why the value is not one of this option's; None when it is."""
    try:
        for one in value.splitlines() if opt.multi else [value]:
            # What refers to another option is known when it is read.
            if "$" not in one:
                opt.type(one)
    except ValueError as error:
        return "" if opt.secret else str(error)
    return None


def main() -> None:
    asked = json.load(sys.stdin)
    known = options()
    opt = known.get(asked["name"])
    told: dict[str, Any] = {"names": {name: bool(one.secret) for name, one in known.items()}}
    told["type"] = type(opt.type).__name__.lower() if opt is not None else None
    valued = opt is not None and asked["value"] is not None
    told["error"] = problem(opt, asked["value"]) if valued else None
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
