"""The releases of placement that a target runs."""

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from harness.config.plan import Plan, is_url
from harness.placements.lockfile import locked_version
from harness.placements.model import NAME


def of(plan: Plan) -> tuple[str, ...]:
    """The versions that answer in this run, e.g. ('16.0.0',). A stack can run several.

    A cluster's plan has to be resolved. A URL says no release: it is the one that the user named,
    else the locked one.
    """
    if is_url(plan.target):
        return named([plan.release])
    if plan.target == "embedded":
        try:
            return (version(NAME),)
        except PackageNotFoundError:
            # The start of the target says what to install.
            return named(())
    # The import takes time, which runs on other targets need not spend.
    from harness.stack.resolved_plan import ResolvedPlan

    placements = plan.contents.placements if isinstance(plan, ResolvedPlan) else ()
    return named(placement.version for placement in placements)


def named(versions: Iterable[str]) -> tuple[str, ...]:
    """These versions; the locked one in place of an empty one, and where there is none."""
    return tuple(version or locked_version() for version in versions) or (locked_version(),)
