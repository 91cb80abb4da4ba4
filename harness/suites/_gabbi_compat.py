"""Access to things that are private to gabbi and to httpx, for suites.

Each part names the private thing and the reason. ``make test-versions`` runs tests/plugin with the
oldest and the newest gabbi and httpx that pyproject.toml allows.
"""

import functools
import sys
import threading
import unittest
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, TextIO

from gabbi import case, httpclient, suitemaker, utils  # type: ignore[import-untyped]
from gabbi.handlers import jsonhandler  # type: ignore[import-untyped]
from jsonpath_ng import ext

# Private: the name by which gabbi's handler reaches the parser. gabbi parses each JSONPath anew for
# each use (0.5 ms); they mean the same every time.
jsonhandler.json_parser = SimpleNamespace(parse=functools.lru_cache(maxsize=4096)(ext.parser.parse))

_building = threading.Lock()


class Client(httpclient.Http):  # type: ignore[misc]
    """gabbi's client without an httpx client of its own, whose TLS context takes 24 ms a test.

    Private: that gabbi's test case asks for ``request`` alone.
    """

    def __init__(self) -> None:
        # Not the one of Http, which makes the httpx client.
        pass


class VerboseClient(httpclient.VerboseHttp, Client):  # type: ignore[misc]
    """Shows what it does on standard output. Private: the names of its attributes and methods."""

    def __init__(self, caption: str, show: object) -> None:
        self.caption = caption
        self._show_headers = show != "body"
        self._show_body = show != "headers"

    @property
    def _stream(self) -> TextIO:
        # pytest has another one for each test.
        return sys.stdout

    def colorize(self, color: str, message: str) -> str:
        colored: str = utils.get_colorizer(self._stream)(color, message)
        return colored

    def shown_header(self, name: str, value: str) -> str:
        """The value of a header as it is shown."""
        return value

    def shown_text(self, text: str) -> str:
        """A line or a body as it is shown."""
        return text

    def _print_header(self, name: str, value: str, **options: Any) -> None:
        super()._print_header(name, self.shown_header(name, value), **options)

    def _verbose_output(self, message: str, **options: Any) -> None:
        super()._verbose_output(self.shown_text(message), **options)


class Case(case.HTTPTestCase):  # type: ignore[misc]
    """gabbi's test case, whose words on a status are in the order in which people say it.

    Private: ``_test_status``, which says "'409' not found in ['204']".
    """

    def _test_status(self, expected_status: object, observed_status: str) -> None:
        try:
            super()._test_status(expected_status, observed_status)
        except AssertionError as error:
            raise self.failureException(
                f"status {observed_status}, expected {expected_status}"
            ) from error


def cases(
    suite: dict[str, Any],
    path: Path,
    *,
    case: type[Case],
    get_http: Callable[..., Client],
    fixtures: ModuleType | SimpleNamespace,
    handlers: Sequence[Any],
    inner_fixtures: Sequence[Any],
) -> list[Any]:
    """The tests of a suite, of this class and with these clients, in order.

    Private: the names by which gabbi's suite maker reaches both, and its suite's list.
    Raises what gabbi raises on a suite that is none.
    """
    with _ours(case, get_http):
        made = suitemaker.test_suite_from_dict(
            *(unittest.TestLoader(), path.stem, suite, str(path.parent)),
            # The address is known when the tests run.
            *("to be known", None, fixtures, None),
            handlers=handlers,
            inner_fixtures=inner_fixtures,
        )
    tests: list[Any] = made._tests
    return tests


@contextmanager
def _ours(case: type[Case], get_http: Callable[..., Client]) -> Iterator[None]:
    with _building:
        before = suitemaker.case, suitemaker.httpclient
        suitemaker.case = SimpleNamespace(HTTPTestCase=case)
        suitemaker.httpclient = SimpleNamespace(get_http=get_http)
        try:
            yield
        finally:
            suitemaker.case, suitemaker.httpclient = before
