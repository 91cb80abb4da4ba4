"""Client of Apache's balancer-manager, which decides which replicas get requests.

Apache keeps its members in shared memory: a change takes effect at once in all its processes, and
drops no connection. A graceful restart would close the idle connections of clients.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import requests

from harness.config.plan import FIRST_LANE
from harness.core.deadline import Deadline
from harness.core.errors import StackError
from harness.stack.model.lanes import ReplicaId

ANSWER_SECONDS = 5.0
_NAMES = {"httpd": "http://httpd.apache.org"}


@dataclass(frozen=True, slots=True)
class Member:
    """One replica as Apache describes it. ``busy`` counts requests under way."""

    replica: int
    address: str
    enabled: bool
    busy: int


class Balancer:
    """The balancer of one lane.

    ``url`` is Apache's for this lane, ``key`` the stack's balancer key. The caller closes
    ``session``.
    """

    def __init__(
        self, session: requests.Session, url: str, key: str, lane: str = FIRST_LANE
    ) -> None:
        self._url = f"{url}/balancer-manager"
        self._key = key
        # services/apache/start.sh gives the balancer this name.
        self._name = "placement" if lane == FIRST_LANE else f"lane-{lane}"
        self._session = session
        # Apache ignores a change whose Referer is not the balancer-manager's own page.
        self._headers = {"X-Harness-Key": key, "Referer": self._url}

    def members(self) -> list[Member]:
        answer = self._ask("GET", params={"xml": "1"})
        members = []
        page = ElementTree.fromstring(answer.content)  # noqa: S314 (the stack's own Apache)
        for worker in page.iterfind(".//httpd:worker", _NAMES):

            def text(name: str, worker: ElementTree.Element = worker) -> str:
                return worker.findtext(f"httpd:{name}", "", _NAMES).strip()

            members.append(
                Member(
                    replica=ReplicaId.parse(text("route")).number,
                    address=text("name"),
                    enabled="Dis" not in text("status"),
                    busy=int(text("busy")),
                )
            )
        return members

    def only(self, replicas: Collection[int]) -> None:
        """Give requests to these replicas, and to no others."""
        for member in self.members():
            if member.enabled is not (member.replica in replicas):
                self._set(member.replica, enabled=not member.enabled)

    def enable(self, replica: int) -> None:
        self._set(replica, enabled=True)

    def drain(self, replica: int, deadline: Deadline) -> None:
        """Give a replica no more requests, and wait until its requests are answered.

        The wait ends with the deadline, after Apache's own timeout: Apache's count of requests can
        stay above zero though none is under way.
        """
        self._set(replica, enabled=False)
        for _ in deadline.every(0.05):
            if self._member(replica).busy == 0:
                return

    def _ask(self, method: str, **content: Mapping[str, str]) -> requests.Response:
        try:
            answer = self._session.request(
                method,
                self._url,
                headers=self._headers,
                timeout=ANSWER_SECONDS,
                **content,  # type: ignore[arg-type]
            )
            answer.raise_for_status()
        except requests.RequestException as error:
            raise StackError(
                f"Apache's balancer-manager gives no answer: {type(error).__name__}.",
                "See Apache's log: placement-harness logs apache.",
                service="apache",
            ) from error
        return answer

    def _member(self, replica: int) -> Member:
        return next(member for member in self.members() if member.replica == replica)

    def _set(self, replica: int, *, enabled: bool) -> None:
        change = {
            "b": self._name,
            "w": self._member(replica).address,
            "w_status_D": "0" if enabled else "1",
            "nonce": self._key,
        }
        self._ask("POST", data=change)
        # Apache answers 200 to a change that it ignores.
        if self._member(replica).enabled is not enabled:
            raise StackError(
                f"Apache did not {'enable' if enabled else 'disable'} replica {replica}.",
                "See Apache's log: placement-harness logs apache.",
                service="apache",
            )


class Balancers:
    """The balancers of all lanes as one, since replicas of one number share a container.

    ``members`` are the numbers of the replicas that each balancer has.
    """

    def __init__(self, members: Mapping[Balancer, Collection[int]]) -> None:
        self._members = members

    def members(self) -> list[Member]:
        return [member for balancer in self._members for member in balancer.members()]

    def only(self, replicas: Collection[int]) -> None:
        """Give requests to these replicas, and to no others."""
        for balancer, numbers in self._members.items():
            balancer.only([replica for replica in replicas if replica in numbers])

    def enable(self, replica: int) -> None:
        for balancer in self._of(replica):
            balancer.enable(replica)

    def drain(self, replica: int, deadline: Deadline) -> None:
        """Give a replica no more requests in any lane, and wait until its requests are answered."""
        for balancer in self._of(replica):
            balancer.drain(replica, deadline)

    def _of(self, replica: int) -> list[Balancer]:
        return [balancer for balancer, numbers in self._members.items() if replica in numbers]
