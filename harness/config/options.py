"""Names and help of the settings of a run, for pytest and for the commands.

pytest loads this module in every project where the harness is installed: it imports nothing. The
values that a setting can have are the keys of tables in the rooms above (``targets.choices``).
"""

from typing import NamedTuple


class Setting(NamedTuple):
    """A setting of a run. The names of its option, variable and ini setting are made of its name.

    ``metavar`` stands for the value in the help; ``help`` says what the value means.
    """

    metavar: str
    help: str
    default: str
    # Several values may be given, each with the option again.
    repeatable: bool = False
    # An ini file can have it. A port belongs to a machine, not to a project.
    in_ini: bool = True


SETTINGS = {
    "replicas": Setting(
        "N", "run against a stack with N placement replicas behind Apache (default: 3)", "3"
    ),
    "target": Setting(
        "stack|reference|embedded|URL", "where requests go (default: stack)", "stack"
    ),
    "stack": Setting("fresh|keep|reuse|replace", "lifetime of the stack (default: fresh)", "fresh"),
    "stack_port": Setting(
        "PORT", "Apache's port on 127.0.0.1 (default: any free one)", "0", in_ini=False
    ),
    "database": Setting("NAME", "what replicas write to (default: mariadb)", "mariadb"),
    "config_source": Setting(
        "env|file|etcd", "how replicas get their configuration (default: env)", "env"
    ),
    "placement": Setting(
        "SPEC",
        "a version, a checkout or a package (default: the locked release); given several times, "
        "replicas take turns",
        "",
        repeatable=True,
    ),
    "placement_constraints": Setting(
        "FILE", "the dependencies of --placement (default: those of its own date)", ""
    ),
    "host": Setting(
        "NAME[=ADDRESS]",
        "a docker context or an engine's address; given several times, replicas take turns on "
        "these, and the first has everything else (default: the engine that docker uses)",
        "",
        repeatable=True,
        in_ini=False,
    ),
    "release": Setting(
        "VERSION",
        "the release of the placement at a URL, for suites that hold for some releases alone "
        "(default: the locked one)",
        "",
    ),
}
INI = tuple(name for name, setting in SETTINGS.items() if setting.in_ini)


def option(name: str) -> str:
    """The option of a setting."""
    return f"--{name.replace('_', '-')}"


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"PLACEMENT_HARNESS_{name.upper()}"


def ini_name(name: str) -> str:
    """The name of a setting in an ini file; also the name under which pytest keeps its option."""
    return f"placement_{name}"
