"""The microversions of a placement: which there are, and what each has changed.

``documented.yaml`` beside this module has the changes.
"""

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml

from harness.core.errors import TargetError, UsageError
from harness.core.exchange import Request
from harness.parity.compare import Difference
from harness.parity.explore.finding import Finding
from harness.parity.explore.side import TIMEOUT
from harness.targets.base import Target

DOCUMENTED = Path(__file__).with_name("documented.yaml")
ALL = "all"
VERSION = r"(\d+\.\d+)"
HEADER, SCHEMA = "header openstack-api-version", "Failed validating"
EXAMPLES = "Give two, e.g. 1.27,1.28; or all neighbours of a range, e.g. 1.20-1.39; or all."


@dataclass(frozen=True, slots=True)
class Sign:
    """Patterns that a change fits: of the route, the place, the query, the request's body."""

    route: str = ".*"
    place: str = ".*"
    query: str = ""
    request: str = ""

    def fits(self, finding: Finding, place: str) -> bool:
        request = finding.left[-1].request
        return bool(
            re.fullmatch(self.route, finding.cause.route)
            and re.fullmatch(self.place, place)
            and re.search(self.query, unquote(urlsplit(request.url).query))
            and re.search(self.request, request.body.decode(errors="replace"))
        )


@dataclass(frozen=True, slots=True)
class Change:
    """The change of a microversion, by its title in placement's history of its API."""

    version: str
    title: str
    signs: Sequence[Sign] = ()

    def is_shown_by(self, finding: Finding) -> bool:
        """Whether a difference from the microversion before is this change."""
        return any(sign.fits(finding, finding.cause.place) for sign in self.signs)

    def is_followed_by(self, finding: Finding) -> bool:
        """Whether a difference is another reason for the refusal of such a request."""
        are_refusals = min(finding.cause.statuses) >= "400"
        return are_refusals and any(sign.fits(finding, "status") for sign in self.signs)


def is_meant(difference: Difference) -> bool:
    """Whether two microversions always differ so: by their number, and in a schema that is shown.

    placement shows the schema that a refused request does not meet.
    """
    shows_schema = SCHEMA in difference.left or SCHEMA in difference.right
    return difference.place == HEADER or shows_schema


def documented() -> Mapping[str, Change]:
    """The changes, by their microversions."""
    return {
        entry["version"]: Change(
            entry["version"], entry["change"], [Sign(**sign) for sign in entry["shows"]]
        )
        for entry in yaml.safe_load(DOCUMENTED.read_text())
    }


@dataclass(frozen=True, slots=True)
class Asked:
    """The microversions that are to be compared, as they were written.

    Two of them with each other, or each of a range with the one before; without ``first`` and
    ``last``, of all that placement has.
    """

    written: str
    first: str = ""
    last: str = ""
    is_range: bool = True

    def pairs(self, lowest: str, highest: str) -> Sequence[tuple[str, str]]:
        """The pairs, of a placement with these microversions. Raises UsageError."""
        first, last = self.first or lowest, self.last or highest
        for version in (first, last):
            if not _key(lowest) <= _key(version) <= _key(highest):
                raise UsageError(
                    f"--microversions {self.written}: placement has none of {version}, but "
                    f"{lowest} to {highest}.",
                    EXAMPLES,
                )
        if not self.is_range:
            return [(first, last)]
        major = first.partition(".")[0]
        between = [f"{major}.{minor}" for minor in range(_key(first)[1], _key(last)[1] + 1)]
        return [*itertools.pairwise(between)]


def asked(written: str) -> Asked:
    """The microversions that ``--microversions`` names. Raises UsageError for nonsense."""
    if written == ALL:
        return Asked(written)
    match = re.fullmatch(f"{VERSION}([,-]){VERSION}", written)
    if match is None or match[1] == match[3]:
        raise UsageError(f"--microversions {written} are not two microversions.", EXAMPLES)
    first, sign, last = match.groups()
    if sign == "-" and _key(first) > _key(last):
        raise UsageError(f"--microversions {written} ends before it begins.", EXAMPLES)
    return Asked(written, first, last, is_range=sign == "-")


def known_to(target: Target) -> tuple[str, str]:
    """The lowest and the highest microversion of a placement. Raises TargetError."""
    request = Request("GET", f"{target.url}/", {"accept": "application/json"})
    transport = target.transport()
    try:
        answer = transport.send(request, timeout=TIMEOUT)
        (version,) = json.loads(answer.body)["versions"]
        return version["min_version"], version["max_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TargetError(
            f"{target.url} does not say which microversions it has.",
            "Is it placement's address? See what it answers: curl URL/",
        ) from error
    finally:
        transport.close()


def _key(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)
