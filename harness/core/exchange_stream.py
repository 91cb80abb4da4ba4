"""One stream of all exchanges of a process, with any number of observers.

Each request of a suite, of the fixture ``placement`` and of HTTP/2 becomes one Exchange, which the
stream numbers and gives to its observers: the summary, a failure's report, a log, a comparison. To
add an observer, subscribe it in ``harness.plugin.session.Run``.
"""

import dataclasses
from collections import Counter
from typing import Protocol

from harness.core.exchange import Exchange


class Observer(Protocol):
    """Receives every exchange, in the order in which the answers came."""

    def observe(self, exchange: Exchange) -> None: ...


class ExchangeStream:
    """Publishes exchanges to observers. One thread uses it.

    An observer that raises is dropped, and its error kept in ``failures``: the other observers get
    every exchange, and no test fails because of it.
    """

    def __init__(self, worker: str = "") -> None:
        self._worker = worker
        self._observers: list[Observer] = []
        self._counts: Counter[tuple[str, str]] = Counter()
        # Suite and test of exchanges that name none: the Python test that is running.
        self._current = ("", "")
        self.failures: list[tuple[Observer, Exception]] = []

    def subscribe(self, observer: Observer) -> None:
        self._observers.append(observer)

    def unsubscribe(self, observer: Observer) -> None:
        self._observers.remove(observer)

    def begin_test(self, suite: str, test: str) -> None:
        """Name the test whose exchanges come next."""
        self._current = (suite, test)
        self._counts.clear()

    def publish(self, exchange: Exchange) -> Exchange:
        """Number an exchange, give it to all observers, and return it."""
        suite, test = (exchange.suite, exchange.test) if exchange.suite else self._current
        self._counts[suite, test] += 1
        number = self._counts[suite, test]
        published = dataclasses.replace(
            exchange, suite=suite, test=test, number=number, worker=self._worker
        )
        for observer in tuple(self._observers):
            try:
                observer.observe(published)
            except Exception as error:
                self._observers.remove(observer)
                self.failures.append((observer, error))
        return published
