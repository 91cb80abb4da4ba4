"""placement in this process: SQLite in memory, no keystone. Nothing of it outlives the process."""

import contextlib
import logging
import os
import warnings
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any, ClassVar, Literal

from harness.config.plan import Plan
from harness.core.errors import TargetError, UsageError
from harness.core.exchange import Exchange
from harness.core.measurements import Progress, Setting
from harness.targets import placement_patches
from harness.targets.base import Stage, Transport, quiet
from harness.targets.wsgi import Application, WsgiTransport
from harness.upstream.fixture_data import FIXTURES, Fixture

HOST = "http://placement.embedded"
MOUNT = "/placement"
# placement's noauth2 takes a token for the user's name, and `admin` for one who may do everything.
TOKEN = "admin"  # noqa: S105
# Enough for the requests of one failing test with all its polls.
LOG_RECORDS = 500


class Embedded:
    """placement as a WSGI application that is called directly."""

    name = "embedded"
    url = HOST + MOUNT
    replicas: tuple[str, ...] = ()
    per_process: ClassVar[Literal[True]] = True

    def __init__(self, progress: Progress = quiet) -> None:
        self._progress = progress
        self._application: Application | None = None
        self._undo: Any = None
        self._log = _Log()
        self._listening = contextlib.ExitStack()
        _import_cgi()

    def start(self) -> None:
        """Load placement. Raises TargetError when it is not installed, or cannot be used."""
        self._progress("loading placement")
        try:
            self._application = self._load()
        except ImportError as error:
            raise TargetError(
                f"--target embedded runs placement in this process, but {error}.",
                "Install it: pip install 'placement-harness[embedded]'.",
            ) from error
        self._listening.enter_context(self._log.listening())

    def cancel(self) -> None:
        """It takes a second, and needs no cancelling."""

    @contextlib.contextmanager
    def stage(self, wanted: Fixture) -> Iterator[Stage]:
        """Upstream's own way: its fixture starts a placement of its own. Raises UsageError."""
        self.stop()
        fixtures = import_module(FIXTURES)
        if not wanted.source.samefile(str(fixtures.__file__)):
            raise UsageError(
                f"{wanted.name} is to be that of {wanted.source}, but --target embedded runs the "
                f"installed placement, whose fixtures are in {fixtures.__file__}.",
                "Install that placement, or run its suites with --placement on a stack.",
            )
        placement_patches.reuse_schema(fixtures.fixtures.Database)
        placement_patches.check_schemas()
        fixture = getattr(fixtures, wanted.name)()
        before = dict(os.environ)
        try:
            fixture.start_fixture()
            try:
                with self._log.listening():
                    yield Stage(HOST, {}, dict, WsgiTransport(fixtures.setup_app()))
            finally:
                fixture.stop_fixture()
        finally:
            os.environ.clear()
            os.environ.update(before)

    def stop(self) -> None:
        if self._undo is None:
            return
        self._listening.close()
        self._undo()
        self._undo = self._application = None
        _forget()

    def share(self, worker: int) -> Mapping[str, object]:
        return {}

    def token(self) -> str:
        return TOKEN

    def transport(self, *, verify: bool = True) -> Transport:
        if self._application is None:
            self.start()
        return WsgiTransport(self._call, MOUNT)

    def _call(self, environ: dict[str, Any], start_response: Any) -> Any:
        # Not the application itself: a suite of upstream's takes its place for a while.
        if self._application is None:
            self.start()
        assert self._application is not None  # noqa: S101
        return self._application(environ, start_response)

    def settings(self) -> Sequence[Setting]:
        return (
            Setting("placement", version("openstack-placement"), "in this process"),
            Setting("database", "SQLite in memory"),
            Setting("authentication", "noauth2"),
        )

    def check(self) -> None:
        """It cannot break without taking this process with it."""

    def explain(self, exchange: Exchange) -> Mapping[str, Sequence[str]]:
        lines = self._log.lines(exchange.request_id)
        return {"placement": lines} if lines else {}

    def shell_token(self) -> str | None:
        """No curl reaches it."""
        return None

    def _load(self) -> Application:
        """placement with a configuration of its own: no file, and nothing of the environment."""
        cfg = import_module("oslo_config.cfg")
        enginefacade = import_module("oslo_db.sqlalchemy.enginefacade")
        deploy = import_module("placement.deploy")
        db_api = import_module("placement.db_api")
        migration = import_module("placement.db.sqlalchemy.migration")

        config = cfg.ConfigOpts()
        import_module("placement.conf").register_opts(config)
        config.set_override("connection", "sqlite://", "placement_database")
        config.set_override("auth_strategy", "noauth2", "api")
        nothing: list[str] = []
        config(
            nothing,
            "placement",
            default_config_files=nothing,
            default_config_dirs=nothing,
            use_env=False,
        )
        import_module("oslo_policy.opts").set_defaults(config)
        # Else a policy.yaml in the user's home or in /etc/placement would count.
        config.set_override("policy_file", "/nonexistent/policy.yaml", "oslo_policy")

        _forget()
        manager = enginefacade.transaction_context()
        manager.configure(connection="sqlite://")
        self._undo = db_api.placement_context_manager.patch_factory(manager)
        migration.create_schema(db_api.get_placement_engine())
        placement_patches.check_schemas()
        application: Application = deploy.loadapp(config)
        return application


class _Log(logging.Handler):
    """Keeps placement's last log records, by request."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
        self._records: deque[tuple[str | None, logging.LogRecord]] = deque(maxlen=LOG_RECORDS)
        self._current: Any = None

    def emit(self, record: logging.LogRecord) -> None:
        if self._current is None:
            self._current = import_module("oslo_context.context").get_current
        context = self._current()
        self._records.append((context.request_id if context else None, record))

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        logger = logging.getLogger("placement")
        logger.addHandler(self)
        logger.setLevel(logging.DEBUG)
        # Not `propagate`: pytest listens to a logger that does not propagate, and would show the
        # lines of a failed test again.
        parent, logger.parent = logger.parent, None
        try:
            yield
        finally:
            logger.removeHandler(self)
            logger.setLevel(logging.NOTSET)
            logger.parent = parent

    def lines(self, request_id: str | None) -> list[str]:
        return [
            line
            for number, record in list(self._records)
            if request_id and (number == request_id or request_id in record.getMessage())
            for line in self.format(record).splitlines()
        ]


def _import_cgi() -> None:
    """Have webob find `cgi` imported, of which Python 3.11 and 3.12 say that it will go.

    In the main thread, unlike placement: filters of warnings are everybody's.
    """
    with warnings.catch_warnings(), contextlib.suppress(ImportError):
        warnings.filterwarnings("ignore", "'cgi' is deprecated", DeprecationWarning)
        import_module("cgi")


def _forget() -> None:
    """Let placement set up database and policy anew: it remembers both for the process."""
    import_module("placement.policy").reset()
    placement_patches.synced(False)


def make(plan: Plan, progress: Progress = quiet) -> Embedded:
    return Embedded(progress)


def attach(plan: Plan, shared: Mapping[str, object]) -> Embedded:
    """Another process cannot share this one's placement: each has its own."""
    return Embedded()
