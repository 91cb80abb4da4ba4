"""Access to things that are private to pytest-xdist.

Each function names the private thing and the reason. pyproject.toml says which versions of
pytest-xdist are allowed; ``make test-versions`` runs tests/plugin with the oldest and the newest.
xdist_scheduler.py, a subclass of xdist's, is the other module that depends on its inner workings.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


def is_controller(config: pytest.Config) -> bool:
    """Whether this process leaves its tests to xdist's workers. Known once pytest is configured.

    Private: the name of xdist's plugin. xdist has a public function for a worker
    (``xdist.is_xdist_worker``), and none that tells a controller before its session begins.
    """
    return config.pluginmanager.has_plugin("dsession")


def number_of_workers(config: pytest.Config) -> int:
    """How many workers xdist is going to start; 0 where it starts none.

    Private: ``parse_tx_spec_config``, which reads ``--tx 2*popen`` as two workers. The public hook
    ``pytest_xdist_setupnodes`` has the number too, but comes after the plan is made.
    """
    if config.getoption("dist", "no") == "no":
        return 0
    from xdist.workermanage import parse_tx_spec_config  # type: ignore[import-untyped]

    return len(parse_tx_spec_config(config))


def is_option_given(config: pytest.Config, name: str) -> bool:
    """Whether the command line has an option whose default is ``no``, as ``--dist`` has.

    Private: ``known_args_namespace``, the options as they were parsed. ``-n 2`` alone changes the
    value of ``--dist`` after parsing.
    """
    return getattr(config.known_args_namespace, name, None) != "no"


def distribute_files(config: pytest.Config) -> None:
    """Let xdist give whole files to workers, as ``--dist loadfile`` does.

    Private: ``config.option`` is the only way to change an option after parsing.
    """
    config.option.dist = "loadfile"


def keep_order(config: pytest.Config) -> None:
    """Let xdist share out files in the order in which they were collected.

    Private: see ``distribute_files``. By default xdist puts files with many tests first.
    """
    config.option.loadscopereorder = False


def wait_less_for_workers(config: pytest.Config, seconds: float) -> None:
    """Let xdist kill its workers ``seconds`` after it has asked them to end.

    Private: ``EXIT_TIMEOUT`` (10 s). After a target has broken, a worker may wait for an answer
    that never comes.
    """
    controller = config.pluginmanager.get_plugin("dsession")
    if controller is not None and controller.nodemanager is not None:
        controller.nodemanager.EXIT_TIMEOUT = seconds


def stop(config: pytest.Config, reason: str) -> None:
    """Let the controller end the run; does nothing in a run without workers.

    Private: ``shouldstop`` of xdist's plugin. xdist does not look at that of pytest's session.
    """
    controller = config.pluginmanager.get_plugin("dsession")
    if controller is not None:
        controller.shouldstop = reason


@contextmanager
def reporting(item: pytest.Item) -> Iterator[None]:
    """Let a worker report a test that has run before the one that it runs.

    Private: ``item_index``, which a worker compares with each report's test.
    """
    plugins = [
        plugin
        for plugin in item.config.pluginmanager.get_plugins()
        if type(plugin).__name__ == "WorkerInteractor"
    ]
    before = [getattr(plugin, "item_index", None) for plugin in plugins]
    for plugin in plugins:
        plugin.item_index = item.session.items.index(item)
    try:
        yield
    finally:
        for plugin, index in zip(plugins, before, strict=True):
            plugin.item_index = index
