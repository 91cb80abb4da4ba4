"""The part of the user's environment that other programs inherit.

A user's settings for docker, Compose, pip and uv are for other projects: a constraint would change
the locked versions, a profile of Compose would add services. Settings for the whole machine are
inherited: the engine's address, package indexes, certificates, proxies.
"""

import os
import re
from collections.abc import Mapping

# Variables that are never inherited. HARNESS_* belong to compose.yaml: a user may have set them for
# a stack that is started by hand. COMPOSE_* and the others change Compose and builds.
PREFIXES = ("HARNESS_", "COMPOSE_", "BUILDX_", "BUILDKIT_")
NAMES = frozenset(
    {
        *("DOCKER_BUILDKIT", "DOCKER_CONTENT_TRUST", "DOCKER_CONTENT_TRUST_SERVER"),
        *("DOCKER_DEFAULT_PLATFORM",),
    }
)
# Settings of pip and uv that say where packages come from and how they are fetched. Other settings
# of pip and uv decide which packages are chosen, or where they are installed.
OF_PACKAGES = ("PIP_", "UV_")
PLACES = re.compile(
    r"INDEX|FIND_LINKS|CERT|TLS|TRUSTED_HOST|INSECURE_HOST|KEYRING|PROXY|TIMEOUT|RETRIES|CACHE|"
    r"CONCURRENT|LINK_MODE|CONFIG_FILE|VERSION_CHECK|HTTP"
)
# Address of a proxy on this machine.
LOOPBACK = re.compile(r"//(?:[^@/]*@)?(?:localhost|127\.|\[::1\])")
# Settings of proxies, in both spellings.
PROXIES = tuple(
    spelling
    for name in ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy")
    for spelling in (name, name.upper())
)


def is_inherited(name: str) -> bool:
    """Whether a program that the harness starts gets this variable."""
    if name.startswith(PREFIXES) or name in NAMES:
        return False
    return not name.startswith(OF_PACKAGES) or PLACES.search(name) is not None


def inherited(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of an environment (this process's) that other programs get."""
    given = os.environ if environ is None else environ
    return {name: value for name, value in given.items() if is_inherited(name)}


def withheld() -> list[str]:
    """Names of the variables of this process that other programs do not get."""
    return sorted(name for name in os.environ if not is_inherited(name))


def proxies_of(environ: Mapping[str, str]) -> list[str]:
    """Names of the variables with proxies that a build in a container can reach."""
    given = [name for name in PROXIES if environ.get(name)]
    # Inside a container, this machine's own addresses are the container's.
    reachable = [name for name in given if not LOOPBACK.search(environ[name])]
    return reachable if any("no_" not in name.lower() for name in reachable) else []
