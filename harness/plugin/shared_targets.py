"""Changes that others make, during a run, to a placement that is not the run's alone."""

from collections.abc import Iterator, Mapping

from harness.core.errors import HarnessError
from harness.targets.base import Shared

# So many changed things are named.
NAMED = 3


def contents(target: Shared) -> Mapping[str, str] | None:
    """The contents of a target; None where it cannot be asked."""
    try:
        return target.contents()
    except (HarnessError, OSError, ValueError, LookupError, TypeError):
        return None


def changes(before: Mapping[str, str] | None, after: Mapping[str, str] | None) -> Iterator[str]:
    """Lines on what has come, gone and changed."""
    if before is None or after is None:
        yield "it could not be asked whether others have changed it meanwhile"
        return
    for verb, names in (
        ("came", after.keys() - before.keys()),
        ("went", before.keys() - after.keys()),
        ("changed", {name for name in before.keys() & after if before[name] != after[name]}),
    ):
        if names:
            listed = ", ".join(sorted(names)[:NAMED])
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            yield f"{verb} during the run: {listed}{more}"
