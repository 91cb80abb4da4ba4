"""Reads the settings of an existing cloud's placement: its placement.conf, variables, options."""

import configparser
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from harness.core.errors import UsageError
from harness.stack.model import oslo_settings
from harness.stack.model.lanes import POLICY
from harness.stack.model.oslo_settings import CONNECTION

AUTH_GROUP = "keystone_authtoken/"
AUTH_URL, AUTH_TYPE = f"{AUTH_GROUP}auth_url", f"{AUTH_GROUP}auth_type"
MEMCACHED = "keystone_authtoken/memcached_servers"
POLICY_FILE, POLICY_DIRS = "oslo_policy/policy_file", "oslo_policy/policy_dirs"
# Settings that name files of the cloud's host, whose content replicas get.
FILES = {"keystone_authtoken/cafile": "ca.pem", POLICY_FILE: "policy.yaml"}
# The folder of these files in a replica's container.
FOLDER = f"{POLICY}/1"
# Settings that name files which replicas cannot have.
KEYS = ("keystone_authtoken/certfile", "keystone_authtoken/keyfile")
# A container's log goes to the engine.
LOGS = frozenset(
    f"default/{option}"
    for option in (
        *("log_file", "log_dir", "log_config_append", "use_syslog", "use_journal"),
        *("use_stderr", "watch_log_file", "state_path", "tempdir"),
    )
)
SECRETS = ("password", "connection", "secret", "key")


@dataclass(frozen=True, slots=True, repr=False)
class Cloud:
    """The settings of a cloud's placement, by GROUP/OPTION, and the files that they name.

    ``files`` are the contents of these files, by their names in FOLDER. ``given`` are the settings
    of ``--set``.
    """

    settings: Mapping[str, str]
    files: Mapping[str, str]
    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """The database as messages name it: without the password."""
        url = urlsplit(self.settings[CONNECTION])
        port = f":{url.port}" if url.port else ""
        return f"{url.path.lstrip('/')} at {url.hostname}{port}, as {url.username}"


def read(conf: Path | None, environment: Mapping[str, str], given: Iterable[str] = ()) -> Cloud:
    """The cloud that a placement.conf describes; variables come after it, options after both.

    ``given`` are GROUP/OPTION=VALUE. Raises UsageError for what cannot be meant.
    """
    settings = _in_file(conf) if conf else {}
    variables, _ = oslo_settings.split(environment)
    settings |= variables
    by_option = dict(map(_given, given))
    settings |= by_option
    settings = {name: value for name, value in settings.items() if name not in LOGS}
    _refuse_without(settings, conf)
    folder = conf.absolute().parent if conf else None
    return Cloud(*_with_files(settings, folder), by_option)


def _in_file(path: Path) -> dict[str, str]:
    # oslo.config takes the last value of an option that stands there twice, and `$` stands for
    # other options.
    parser = configparser.RawConfigParser(
        strict=False, default_section="", comment_prefixes=("#", ";"), empty_lines_in_values=False
    )
    try:
        parser.read_string(path.read_text())
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}.",
            "Give the cloud's placement.conf, as a user who may read it; it holds passwords.",
        ) from None
    except (configparser.Error, UnicodeDecodeError) as error:
        # An error's text may hold the line, and so a password.
        line = getattr(error, "lineno", None)
        where = f", line {line}," if line else ""
        raise UsageError(
            f"{path}{where} is not as placement.conf is: [group], and lines of option = value.",
            "Give the cloud's placement.conf; with devstack it is /etc/placement/placement.conf.",
        ) from None
    return {
        f"{group.lower()}/{option.replace('-', '_')}": value
        for group in parser.sections()
        for option, value in parser.items(group)
    }


def _given(written: str) -> tuple[str, str]:
    name, equals, value = written.partition("=")
    group, slash, option = name.strip().partition("/")
    if not (equals and slash and group and option):
        raise UsageError(
            f"--set {name} makes no sense.", "Write --set GROUP/OPTION=VALUE, as in placement.conf."
        )
    setting = f"{group}/{option.replace('-', '_')}".lower()
    if setting.endswith(SECRETS):
        (variable,) = oslo_settings.variables({setting: ""})
        raise UsageError(
            f"--set {setting} would show a secret in the list of this machine's processes.",
            f"Set the variable {variable}, or write it into placement.conf.",
        )
    return setting, value


def _refuse_without(settings: Mapping[str, str], conf: Path | None) -> None:
    where = f"{conf} has" if conf else "Without --placement-conf, there is"
    for name in (CONNECTION, AUTH_URL):
        if not settings.get(name):
            group, _, option = name.partition("/")
            (variable,) = oslo_settings.variables({name: ""})
            raise UsageError(
                f"{where} no {option} in [{group}].",
                f"Give the placement.conf that the cloud's placement reads (--placement-conf), or "
                f"set the variable {variable}.",
            )
    try:
        url = urlsplit(settings[CONNECTION])
        has_server = bool(url.hostname) and url.port != 0
    except ValueError:
        has_server = False
    if not has_server:
        # The text of a wrong URL may hold the password.
        raise UsageError(
            f"{CONNECTION} names no database server.",
            "Several replicas need one that they all reach: "
            "mysql+pymysql://USER:PASSWORD@HOST/SCHEMA, with %40 for an @ in the password.",
        )
    named = [name for name in (*KEYS, POLICY_DIRS) if settings.get(name)]
    named += [CONNECTION] if "ssl_" in url.query else []
    if named:
        raise UsageError(
            f"{' and '.join(named)} of the cloud's placement names files, which replicas in "
            "containers do not have.",
            "Give a copy of its placement.conf without, if the cloud works without.",
        )


def _with_files(
    settings: dict[str, str], folder: Path | None
) -> tuple[dict[str, str], dict[str, str]]:
    """The settings with paths as replicas have them, and the contents of the files."""
    contents = {}
    if folder and POLICY_FILE not in settings and (folder / "policy.yaml").is_file():
        settings[POLICY_FILE] = "policy.yaml"
    for name, inside in FILES.items():
        if not settings.get(name):
            continue
        path = (folder or Path()) / settings[name]
        try:
            contents[inside] = path.read_text()
        except OSError as error:
            raise UsageError(
                f"{path}, which {name} names, cannot be read: {error.strerror}.",
                "Make it readable, or give a placement.conf without it.",
            ) from None
        settings[name] = f"{FOLDER}/{inside}"
    return settings, contents
