"""What runs in the images: asked of the programs themselves, once for each content."""

import json
from collections.abc import Iterable, Mapping, Sequence

from harness.placements.model import Placement
from harness.stack.commands import run
from harness.stack.images import IMAGES, content
from harness.state import private_directory, state_root

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
}


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
        # Few: what no image has any more is forgotten some day.
        known = dict(list(known.items())[-REMEMBERED:])
        known |= {contents[service]: _ask(service, contents[service]) for service in missing}
        private_directory(remembered.parent)
        remembered.write_text(json.dumps(known))
    return {service: known[digest] for service, digest in contents.items()}


def _ask(service: str, content: str) -> str:
    program, *arguments = _QUESTIONS[service]
    command = ("docker", "run", "--rm", "--network", "none", "--entrypoint", program)
    answer = run(*command, IMAGES[service].tag(content), *arguments, seconds=30)
    if not answer.ok or not answer.out.strip():
        return "unknown"
    first = answer.out.strip().splitlines()[0]
    if "mariadbd" in _QUESTIONS[service]:
        return first.partition("Ver ")[2].partition("-MariaDB")[0] or first
    if service == "apache":
        return first.partition("Apache/")[2].partition(" ")[0] or first
    return first.removeprefix("memcached ")
