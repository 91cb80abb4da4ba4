"""Asks a target whether the run's own token is still good."""

from harness.core.errors import HarnessError, TargetError
from harness.core.exchange import Exchange, Request
from harness.targets.base import PerProcess, Target

TIMEOUT = 10.0


def refused(target: Target, exchange: Exchange | None) -> HarnessError | None:
    """The error of a run whose token has become worthless, of which a test's 401 may come.

    None for any other exchange.
    """
    if exchange is None or exchange.response is None or exchange.response.status != 401:
        return None
    if isinstance(target, PerProcess):
        return None
    transport = target.transport()
    headers = {"x-auth-token": target.token(), "accept": "application/json"}
    try:
        answer = transport.send(
            Request("GET", f"{target.url}/resource_classes", headers), timeout=TIMEOUT
        )
    except HarnessError as error:
        return error
    except OSError:
        return None
    finally:
        transport.close()
    if answer.status != 401:
        return None
    return TargetError(
        f"{target.url} does not take the run's own token any more: it was revoked, or has expired.",
        "No test is to blame: run again, with a new token. If tokens expire sooner than a run "
        "ends, lengthen [token] expiration of that keystone.",
    )
