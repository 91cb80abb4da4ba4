"""The driver that oslo.config finds by its entry point, and the source that it opens."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from oslo_config import cfg, sources

from oslo_config_source_etcd import values
from oslo_config_source_etcd.refusal import SourceError, refuse, say

OPTIONS = [
    cfg.ListOpt(
        "endpoints",
        default=["http://127.0.0.1:2379"],
        help="Client URLs of etcd's members; the first that answers is taken.",
    ),
    cfg.StrOpt(
        "prefix",
        sample_default="/placement",
        help="Required. The key of an option is PREFIX/GROUP/OPTION.",
    ),
    cfg.StrOpt("user", help="User that reads the keys, where etcd has authentication."),
    cfg.StrOpt("password", secret=True, help="The user's password."),
    cfg.StrOpt("password_file", help="A file that holds the password, in place of `password`."),
    cfg.StrOpt("ca_file", help="The CA that signed etcd's certificate; those of certifi if unset."),
    cfg.StrOpt("cert_file", help="A client certificate, where etcd asks for one."),
    cfg.StrOpt("key_file", help="Its key, if it is not in cert_file."),
    cfg.FloatOpt("timeout", default=5.0, min=0.1, help="Timeout of one request. Seconds."),
    cfg.FloatOpt(
        "wait",
        default=60.0,
        min=0.0,
        help="Time to wait for etcd, its users and the first key. Seconds.",
    ),
]


class EtcdConfigurationSourceDriver(sources.ConfigurationSourceDriver):
    """Settings in etcd, read once. A source that cannot be used ends the process.

    Required option: prefix. With authentication: user, and password or password_file.
    """

    def list_options_for_discovery(self) -> list[Any]:
        return OPTIONS

    def open_source_from_opt_group(
        self, conf: cfg.ConfigOpts, group_name: str
    ) -> "EtcdConfigurationSource":
        try:
            return _open(conf, group_name)
        except SourceError as error:
            refuse(group_name, error)
        except Exception as error:
            # Anything else would be logged, and the service would serve with defaults.
            refuse(
                group_name,
                SourceError(
                    f"could not be opened: {type(error).__name__}: {error}.",
                    f"Correct the options of [{group_name}]; if they are right, report this.",
                ),
            )


class EtcdConfigurationSource(sources.ConfigurationSource):
    """The settings as they were when the source was opened."""

    def __init__(
        self, conf: cfg.ConfigOpts, name: str, prefix: str, where: str, found: Mapping[Any, str]
    ) -> None:
        self._conf = conf
        self._name = name
        self._prefix = prefix
        self._where = where
        self._found = found

    def get(
        self, group_name: str | None, option_name: str, opt: cfg.Opt
    ) -> tuple[Any, cfg.LocationInfo | None]:
        for group, option in _names(group_name, option_name, opt):
            if (group, option) in self._found:
                return self._value(group, option, opt)
        return (sources._NoValue, None)

    def check_known(self) -> None:
        """Check what is set for options that the service has declared by now. SourceError."""
        for info, group in self._conf._all_opt_infos():
            opt = info["opt"]
            for key in _names(group.name if group else None, opt.dest, opt):
                value = self._found.get(key)
                # What refers to another option is checked when it is read: that one may be ours.
                if value is not None and "$" not in value:
                    values.check(self._key(*key), values.raw(value, opt), opt)

    def _value(self, group: str, option: str, opt: cfg.Opt) -> tuple[Any, cfg.LocationInfo]:
        value = values.raw(self._found[group, option], opt)
        key = self._key(group, option)
        try:
            # The option may have been declared late. oslo.config would then raise ValueError at
            # each request that reads it.
            values.check(key, self._conf._substitute(value, group), opt)
        except SourceError as error:
            refuse(self._name, error)
        return value, cfg.LocationInfo(cfg.Locations.user, f"{self._where} {key}")

    def _key(self, group: str, option: str) -> str:
        return f"{self._prefix}{group}/{option}"


def _names(group: str | None, option: str, opt: cfg.Opt) -> list[values.Key]:
    """Keys of an option: its name, and its deprecated names."""
    own = group or "DEFAULT"
    names = [(own, option)]
    for old in opt.deprecated_opts:
        names.append((old.group or own, (old.name or option).replace("-", "_")))
    return names


def _open(conf: cfg.ConfigOpts, name: str) -> EtcdConfigurationSource:
    conf.register_opts(OPTIONS, name)
    options = conf[name]
    if not options.prefix or not options.prefix.strip("/"):
        raise SourceError(
            "no `prefix` is set.", f"Set it in [{name}]; keys are PREFIX/GROUP/OPTION."
        )
    for endpoint in options.endpoints or [""]:
        _check_endpoint(endpoint)
    # Imported late: services without etcd do not pay for it.
    from oslo_config_source_etcd.gateway import Server, snapshot

    server = Server(
        endpoints=options.endpoints,
        user=options.user,
        password=_password(options),
        ca_file=_readable("ca_file", options.ca_file),
        cert_file=_readable("cert_file", options.cert_file),
        key_file=_readable("key_file", options.key_file),
        seconds=options.timeout,
    )
    prefix = f"{options.prefix.rstrip('/')}/"
    tell = functools.partial(_waiting, name, options.wait)
    found = values.settings(snapshot(server, prefix, options.wait, tell), prefix)
    source = EtcdConfigurationSource(conf, name, prefix, ",".join(options.endpoints), found)
    source.check_known()
    return source


def _waiting(name: str, seconds: float, problem: str) -> None:
    say(f"configuration source {name}: {problem} Trying for {seconds:g} s.")


def _check_endpoint(endpoint: str) -> None:
    try:
        url = urlsplit(endpoint)
        fine = url.scheme in ("http", "https") and url.hostname and (url.port is None or url.port)
    except ValueError:
        fine = False
    if not fine:
        raise SourceError(
            f"{endpoint!r} in `endpoints` is no URL of etcd's.", "Give it as http://HOST:2379."
        )


def _password(options: Any) -> str | None:
    if options.password is not None and options.password_file:
        raise SourceError(
            "`password` and `password_file` are both set.", "Leave one of the two out."
        )
    path = _readable("password_file", options.password_file)
    password = Path(path).read_text().rstrip("\n") if path else options.password
    if options.user and not password:
        raise SourceError(
            f"there is no password for the user {options.user}.",
            "Set `password` or `password_file`.",
        )
    if password and not options.user:
        raise SourceError("a password is set, and no user.", "Set `user`.")
    return password or None


def _readable(option: str, path: str | None) -> str | None:
    if not path:
        return None
    try:
        with Path(path).open("rb"):
            return path
    except OSError as error:
        raise SourceError(
            f"{path}, which `{option}` names, cannot be read: {error.strerror}.",
            "Make it readable for this process, or name another.",
        ) from None
