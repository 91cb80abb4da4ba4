"""The settings with which pip and uv fetch packages: the user's, as far as they say from where.

A constraint, a target directory or a date of the user's is for other projects: it would change the
locked packages. So both programs get no configuration file, and what these files say about indexes,
certificates and proxies as variables. uv gets what pip is told too.

    python -m harness.core.packages COMMAND...    run pip or uv with these settings

Only the standard library is needed: the Makefile uses this module before anything is installed.
"""

import configparser
import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.core.environment import inherited

# pip's variable, and uv's for the same; uv's second name wins where the user has set it.
SAME = (
    ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    ("PIP_EXTRA_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL"),
    ("PIP_TRUSTED_HOST", "UV_INSECURE_HOST", "UV_INSECURE_HOST"),
    ("PIP_CERT", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"),
)
# The directory of configuration files for all users.
SYSTEM = Path("/etc")
# Sections of pip.conf that count for a download or an installation.
SECTIONS = ("global", "download", "install")
# Keys of uv.toml, and their variables.
OF_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "allow-insecure-host": "UV_INSECURE_HOST",
    "keyring-provider": "UV_KEYRING_PROVIDER",
    "native-tls": "UV_NATIVE_TLS",
    "system-certs": "UV_SYSTEM_CERTS",
}
# Files in which systems keep the authorities that they trust. uv trusts a list of its own unless it
# is told, so that it would not know a company's authority that pip knows.
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
)
TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR", "UV_SYSTEM_CERTS", "UV_NATIVE_TLS")


def environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of programs that fetch packages."""
    given = os.environ if environ is None else environ
    settings = {**_of_pip(given), **inherited(given)}
    for name, value in _of_uv(given).items():
        settings.setdefault(name, value)
    for pip, uv, other in SAME:
        if settings.get(pip) and not settings.get(uv) and not settings.get(other):
            settings[uv] = settings[pip]
    settings.pop("UV_CONFIG_FILE", None)
    bundle = next((path for path in BUNDLES if os.path.isfile(path)), None)
    if bundle and not any(settings.get(name) for name in TRUST):
        settings["SSL_CERT_FILE"] = bundle
    return {**settings, "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}


def _of_pip(environ: Mapping[str, str]) -> dict[str, str]:
    """The settings of pip's configuration files, as variables, that say where packages are."""
    settings: dict[str, str] = {}
    for path in _files_of_pip(environ):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            # pip itself would end with an error that names the file.
            continue
        for section in filter(parser.has_section, SECTIONS):
            for key, value in parser.items(section):
                settings[f"PIP_{key.replace('-', '_').upper()}"] = " ".join(value.split())
    return inherited(settings)


def _files_of_pip(environ: Mapping[str, str]) -> Iterator[Path]:
    """pip's configuration files, the most important one last."""
    chosen = environ.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return
    home = Path(environ.get("HOME") or Path.home())
    for folder in reversed((environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")):
        yield Path(folder) / "pip/pip.conf"
    yield SYSTEM / "pip.conf"
    yield home / ".pip/pip.conf"
    yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip/pip.conf"
    yield Path(sys.prefix) / "pip.conf"
    if chosen:
        yield Path(chosen)


def _of_uv(environ: Mapping[str, str]) -> dict[str, str]:
    """The settings of uv's configuration files, as variables, that say where packages are."""
    if environ.get("UV_NO_CONFIG"):
        return {}
    home = Path(environ.get("HOME") or Path.home())
    user = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "uv/uv.toml"
    chosen = environ.get("UV_CONFIG_FILE")
    settings: dict[str, str] = {}
    for path in (Path(chosen),) if chosen else (SYSTEM / "uv/uv.toml", user):
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        pip = data.get("pip")
        for table in (pip if isinstance(pip, dict) else {}, data):
            for key in OF_UV.keys() & table.keys():
                settings[OF_UV[key]] = _text(table[key])
        for index in data.get("index", ()):
            name = "UV_DEFAULT_INDEX" if index.get("default") else "UV_INDEX"
            before = settings.get(name, "") if name == "UV_INDEX" else ""
            settings[name] = f"{before} {index.get('url', '')}".strip()
    return settings


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


if __name__ == "__main__":
    try:
        os.execvpe(sys.argv[1], sys.argv[1:], environment())  # noqa: S606 (no shell)
    except OSError as failure:
        sys.exit(f"{sys.argv[1]}: {failure.strerror}")
