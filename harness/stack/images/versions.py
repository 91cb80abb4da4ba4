"""What runs in the images: asked of the programs themselves, once for each content."""

import contextlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence

from harness.core.files import private_directory
from harness.core.paths import state_root
from harness.core.process import run
from harness.placements.model import Placement
from harness.stack.images.build import IMAGES, content

REMEMBERED = 50
_PYTHON = (
    "from importlib.metadata import version as v; import platform;"
    "print(v({!r}), '(Python', platform.python_version() + ')')"
)
_QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "placement": ("/opt/placement/bin/python", "-c", _PYTHON.format("openstack-placement")),
    "keystone": ("/opt/keystone/bin/python", "-c", _PYTHON.format("keystone")),
    "mariadb": ("mariadbd", "--version"),
    "mariadb-10.11": ("mariadbd", "--version"),
    "apache": ("apache2", "-v"),
    "memcached": ("memcached", "-V"),
    "etcd": ("etcd", "--version"),
    "haproxy": ("haproxy", "-v"),
}
# In what a program says of itself; placement and keystone say it alone.
_NUMBER = re.compile(r"\d+\.\d+[\d.]*")
UNKNOWN = "unknown"


def versions(names: Iterable[str], placements: Sequence[Placement] = ()) -> dict[str, str]:
    """What runs in each of these images, e.g. {'placement': '16.0.0 (Python 3.13.5)'}."""
    remembered = state_root() / "versions.json"
    try:
        known: dict[str, str] = json.loads(remembered.read_text())
    except (OSError, ValueError):
        known = {}
    contents = {service: content(service, placements) for service in names if service in _QUESTIONS}
    missing = [service for service, digest in contents.items() if digest not in known]
    if missing:
        found = {contents[service]: _ask(service, contents[service]) for service in missing}
        known |= {digest: one for digest, one in found.items() if one is not None}
        private_directory(remembered.parent)
        # Few: what no image has any more is forgotten some day. Asking again does no harm.
        with contextlib.suppress(OSError):
            remembered.write_text(json.dumps(dict(list(known.items())[-REMEMBERED:])))
    return {service: known.get(digest, UNKNOWN) for service, digest in contents.items()}


def _ask(service: str, content: str) -> str | None:
    """What a service's program says of itself; None when it says nothing, as on a busy machine."""
    program, *arguments = _QUESTIONS[service]
    command = ("docker", "run", "--rm", "--network", "none", "--entrypoint", program)
    answer = run(*command, IMAGES[service].tag(content), *arguments, seconds=30)
    if not answer.ok or not answer.out.strip():
        return None
    first = answer.out.strip().splitlines()[0]
    number = _NUMBER.search(first) if "(Python" not in first else None
    return number[0] if number else first
