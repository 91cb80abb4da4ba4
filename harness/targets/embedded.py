"""placement in this process: SQLite in memory, no keystone. Nothing of it outlives the process."""

import contextlib
import json
import logging
import os
import tempfile
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Literal

from harness.config.plan import Plan
from harness.core.errors import TargetError, UsageError
from harness.core.exchange import Exchange
from harness.core.measurements import Progress, Setting
from harness.targets.base import Stage, Transport, quiet
from harness.targets.placement_process import ProcessState, SchemaTemplate, checking_once
from harness.targets.wsgi import Application, WsgiTransport
from harness.upstream.fixture_data import FIXTURES, Fixture

HOST = "http://placement.embedded"
MOUNT = "/placement"
# placement's noauth2 takes a token for a user's name; the user `admin` may do everything.
TOKEN = "admin"  # noqa: S105
# Enough for the requests of one failing test with all its polls.
LOG_RECORDS = 500
NO_POLICY_FILE = "/nonexistent/policy.yaml"


class Embedded:
    """placement as a WSGI application that is called directly.

    ``policy`` holds rules in place of placement's defaults. Several targets can live in one process
    and be used by turns, each with its database and its policy.
    """

    name = "embedded"
    url = HOST + MOUNT
    replicas: tuple[str, ...] = ()
    per_process: ClassVar[Literal[True]] = True

    def __init__(self, progress: Progress = quiet, policy: Mapping[str, str] | None = None) -> None:
        self._progress = progress
        self._policy = dict(policy or {})
        self._policy_folder: tempfile.TemporaryDirectory[str] | None = None
        self._application: Application | None = None
        self._schemas = SchemaTemplate()
        self._log = _Log()
        _import_cgi()

    def start(self) -> None:
        """Load placement. Raises TargetError when it is not installed, or cannot be used."""
        self._progress("loading placement")
        try:
            state = self._process_state()
            with state.installed():
                application = self._load()
        except ImportError as error:
            raise TargetError(
                f"--target embedded runs placement in this process, but {error}.",
                "Install it: pip install 'placement-harness[embedded]'.",
            ) from error
        self._application = state.wrap(self._log.wrap(application))

    def cancel(self) -> None:
        """Do nothing: a start takes a second."""

    @contextlib.contextmanager
    def stage(self, wanted: Fixture) -> Iterator[Stage]:
        """Upstream's way: the fixture starts a placement. Raises UsageError.

        The fixture redirects standard output and logging of the process while it is started. Stages
        of several targets therefore have to end in the reverse order of their beginning.
        """
        fixtures = import_module(FIXTURES)
        if not wanted.source.samefile(str(fixtures.__file__)):
            raise UsageError(
                f"{wanted.name} is to be that of {wanted.source}, but --target embedded runs the "
                f"installed placement, whose fixtures are in {fixtures.__file__}.",
                "Install that placement, or run its suites with --placement on a stack.",
            )
        state = self._process_state()
        database = fixtures.fixtures
        state.replace(database, "Database", self._schemas.copying(database.Database))
        state.replace(fixtures, "CONF", None)
        fixture = getattr(fixtures, wanted.name)()
        with state.installed(), _environment_changes() as changes:
            fixture.start_fixture()
        try:
            application = state.wrap(self._log.wrap(fixtures.setup_app()))
            yield Stage(HOST, changes, dict, WsgiTransport(application))
        finally:
            with state.installed():
                fixture.stop_fixture()

    def stop(self) -> None:
        self._application = None
        if self._policy_folder is not None:
            self._policy_folder.cleanup()
            self._policy_folder = None

    def share(self, worker: int) -> Mapping[str, object]:
        return {}

    def token(self) -> str:
        return TOKEN

    def transport(self, *, verify: bool = True) -> Transport:
        if self._application is None:
            self.start()
        assert self._application is not None  # noqa: S101
        return WsgiTransport(self._application, MOUNT)

    def settings(self) -> Sequence[Setting]:
        return (
            Setting("placement", version("openstack-placement"), "in this process"),
            Setting("database", "SQLite in memory"),
            Setting("authentication", "noauth2"),
        )

    def check(self) -> None:
        """Do nothing: placement ends with this process."""

    def explain(self, exchange: Exchange) -> Mapping[str, Sequence[str]]:
        lines = self._log.lines(exchange.request_id)
        return {"placement": lines} if lines else {}

    def shell_token(self) -> str | None:
        """None: curl cannot reach a placement without an address."""
        return None

    def _process_state(self) -> ProcessState:
        util = import_module("placement.util")
        state = ProcessState()
        state.replace(util, "jsonschema", checking_once(util.jsonschema))
        return state

    def _load(self) -> Application:
        """placement with settings from here alone: no file, and nothing from the environment."""
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
        # By default placement reads a policy.yaml in the user's home or in /etc/placement.
        config.set_override("policy_file", self._policy_file(), "oslo_policy")

        manager = enginefacade.transaction_context()
        manager.configure(connection="sqlite://")
        db_api.placement_context_manager.patch_factory(manager)
        migration.create_schema(db_api.get_placement_engine())
        application: Application = deploy.loadapp(config)
        return application

    def _policy_file(self) -> str:
        """The path of a file with the rules. oslo.policy looks at it with each request."""
        if not self._policy:
            return NO_POLICY_FILE
        self._policy_folder = tempfile.TemporaryDirectory(prefix="placement-harness-")
        file = Path(self._policy_folder.name, "policy.yaml")
        file.write_text(json.dumps(self._policy))
        return str(file)


class _Log(logging.Handler):
    """Keeps the last log records of one target, by request."""

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

    def wrap(self, application: Application) -> Application:
        """The application, whose log records come here; this takes 60 us a request."""

        def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
            with self._listening():
                return application(environ, start_response)

        return call

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        logger = logging.getLogger("placement")
        logger.addHandler(self)
        level = logger.level
        logger.setLevel(logging.DEBUG)
        # Not `propagate`: pytest attaches its handler to a logger that does not propagate, and
        # would show the lines of a failed test twice.
        parent, logger.parent = logger.parent, None
        try:
            yield
        finally:
            logger.removeHandler(self)
            logger.setLevel(level)
            logger.parent = parent

    def lines(self, request_id: str | None) -> list[str]:
        return [
            line
            for number, record in list(self._records)
            if request_id and (number == request_id or request_id in record.getMessage())
            for line in self.format(record).splitlines()
        ]


@contextlib.contextmanager
def _environment_changes() -> Iterator[dict[str, str]]:
    """Collect the variables that this block sets, and put back those from before."""
    before = dict(os.environ)
    changes: dict[str, str] = {}
    try:
        yield changes
        changes.update(
            {name: value for name, value in os.environ.items() if before.get(name) != value}
        )
    finally:
        os.environ.clear()
        os.environ.update(before)


def _import_cgi() -> None:
    """Import `cgi` before webob does: Python 3.11 and 3.12 warn that the module will go.

    In the main thread, unlike placement: filters of warnings belong to the process.
    """
    with warnings.catch_warnings(), contextlib.suppress(ImportError):
        warnings.filterwarnings("ignore", "'cgi' is deprecated", DeprecationWarning)
        import_module("cgi")


def make(plan: Plan, progress: Progress = quiet) -> Embedded:
    return Embedded(progress)


def attach(plan: Plan, shared: Mapping[str, object]) -> Embedded:
    """A target of this process, which starts at its first request."""
    return Embedded()
