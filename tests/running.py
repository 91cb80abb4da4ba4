"""How a run of the project's own tests is shared between workers, and when it waits for images.

`make test` builds images beside the checks and the tests. Tests with the marker ``engine`` need
images, and wait for the file that the variable HARNESS_IMAGES_BUILT names: it holds the exit code
of the build.
"""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from harness.plugin import _xdist_compat
from harness.plugin.xdist_scheduler import Scheduler

BUILT = "HARNESS_IMAGES_BUILT"
# The longest that a build of all images may take. Seconds.
LONGEST = 1200.0


class BothEnds(Scheduler):
    """Gives whole files to workers: the first files to the first worker, the last to the others.

    Tests on stacks come first. They spend part of their time on waiting for containers, and two of
    them at once slow each other down. So the other workers begin with the tests that need no
    stack, and take tests on stacks when those are done.
    """

    def _assign_work_unit(self, node: Any) -> None:
        if node.gateway.id != "gw0":
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> BothEnds | None:
    # xdist would sort files by their number of tests.
    _xdist_compat.keep_order(config)
    return BothEnds(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("engine") is None)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if BUILT in os.environ and item.get_closest_marker("engine"):
        code = exit_code_of_build(Path(os.environ[BUILT]), LONGEST)
        if code != "0":
            pytest.fail(f"The images are not built ({code}): see the output of the build.", False)


def exit_code_of_build(file: Path, seconds: float) -> str:
    """Wait for the end of a build, and give its exit code, or say that it does not end."""
    end = time.monotonic() + seconds
    while not file.exists() or not file.read_text().endswith("\n"):
        if time.monotonic() > end:
            return f"no end within {seconds:.0f} s"
        time.sleep(0.1)
    return file.read_text().strip()
