"""Finds the versions of the programs in the images, once for each image's content."""

import concurrent.futures
import contextlib
import json
import re
from collections.abc import Mapping

from harness.core.files import private_directory
from harness.core.paths import state_root
from harness.engine.docker import current
from harness.stack.images.catalogue import IMAGES
from harness.stack.images.contents import Contents

REMEMBERED = 50
# Number of containers that run at a time.
AT_ONCE = 4
ASK_SECONDS = 30.0
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
    "reference": ("apache2", "-v"),
    "memcached": ("memcached", "-V"),
    "etcd": ("etcd", "--version"),
    "haproxy": ("haproxy", "-v"),
}
# A program prints its version number among other words, except placement and keystone.
_NUMBER = re.compile(r"\d+\.\d+[\d.]*")
UNKNOWN = "unknown"


def versions(contents: Contents) -> dict[str, str]:
    """Each image's version of its program, e.g. {'placement': '16.0.0 (Python 3.13.5)'}."""
    remembered = state_root() / "versions.json"
    try:
        known: dict[str, str] = json.loads(remembered.read_text())
    except (OSError, ValueError):
        known = {}
    images = {name: content for name, content in contents.images.items() if name in _QUESTIONS}
    missing = [name for name, content in images.items() if content not in known]
    if missing:
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            printed = pool.map(_ask, missing, [images[name] for name in missing])
            answers = dict(zip((images[name] for name in missing), printed, strict=True))
        known |= {content: answer for content, answer in answers.items() if answer is not None}
        private_directory(remembered.parent)
        # A file that cannot be written costs the next run the same questions.
        with contextlib.suppress(OSError):
            remembered.write_text(json.dumps(dict(list(known.items())[-REMEMBERED:])))
    return {name: known.get(content, UNKNOWN) for name, content in images.items()}


def _ask(service: str, content: str) -> str | None:
    """The version that a service's program prints; None if it fails or takes too long."""
    program, *arguments = _QUESTIONS[service]
    image = IMAGES[service].tag(content)
    answer = current().run(image, program, *arguments, seconds=ASK_SECONDS)
    if not answer.ok or not answer.out.strip():
        return None
    first = answer.out.strip().splitlines()[0]
    number = _NUMBER.search(first) if "(Python" not in first else None
    return number[0] if number else first
