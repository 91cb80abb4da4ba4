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

# Private: the name by which gabbi's handler reaches the parser. gabbi parses a JSONPath again at
# each use, which takes 0.5 ms; here each path is parsed once.
jsonhandler.json_parser = SimpleNamespace(parse=functools.lru_cache(maxsize=4096)(ext.parser.parse))

_building = threading.Lock()


class Client(httpclient.Http):  # type: ignore[misc]
    """gabbi's client without an httpx client, whose TLS context would take 24 ms a test.

    Private: gabbi's test case uses no other method than ``request``.
    """

    def __init__(self) -> None:
        # The constructor of Http is not called, since it makes the httpx client.
        pass


class VerboseClient(httpclient.VerboseHttp, Client):  # type: ignore[misc]
    """Shows requests and responses on standard output. Private: names of attributes and methods."""

    def __init__(self, caption: str, show: object) -> None:
        self.caption = caption
        self._show_headers = show != "body"
        self._show_body = show != "headers"

    @property
    def _stream(self) -> TextIO:
        # pytest replaces standard output for each test.
        return sys.stdout

    def colorize(self, color: str, message: str) -> str:
        colored: str = utils.get_colorizer(self._stream)(color, message)
        return colored

    def shown_header(self, name: str, value: str) -> str:
        """The text to show for the value of a header."""
        return value

    def shown_text(self, text: str) -> str:
        """The text to show for a line or a body."""
        return text

    def _print_header(self, name: str, value: str, **options: Any) -> None:
        super()._print_header(name, self.shown_header(name, value), **options)

    def _verbose_output(self, message: str, **options: Any) -> None:
        super()._verbose_output(self.shown_text(message), **options)


class Case(case.HTTPTestCase):  # type: ignore[misc]
    """gabbi's test case, with a clearer message for a wrong status.

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
    """The tests of a suite, in order, as instances of ``case`` that use clients of ``get_http``.

    Private: the names by which gabbi's suite maker reaches both, and the list in its suite.
    Raises gabbi's own errors for an invalid suite.
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
