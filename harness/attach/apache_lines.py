"""The lines that put replicas in place of a placement in an Apache, and those that were there."""

import re
from collections.abc import Sequence
from pathlib import Path

from harness.core.errors import UsageError

# devstack's own (lib/apache, write_uwsgi_config).
DEVSTACK = (
    'ProxyPass "/placement" "unix:/var/run/uwsgi/placement-api.socket|uwsgi://'
    'uwsgi-uds-placement-api" retry=0 acquire=1'
)
# The modules of a balancer, as Debian's a2enmod names them. slotmem_shm comes with proxy_balancer.
MODULES = ("proxy_uwsgi", "proxy_balancer", "lbmethod_byrequests")
PROXIED = re.compile(r'^[ \t]*ProxyPass[ \t]+"?(/placement)/?"?[ \t].*$', re.M | re.I)
# See services/apache/start.sh. A request that a member has received is never sent to another one.
MEMBER = "retry=0 addressttl=1 connectiontimeout=3"


def former(path: Path | None) -> str:
    """The line of the cloud's Apache for its placement; devstack's where no file is given.

    Raises UsageError for a file without such a line.
    """
    if path is None:
        return DEVSTACK
    try:
        matches = PROXIED.finditer(path.read_text())
        lines = [match.group(0).strip() for match in matches]
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(
            f"--apache {path} cannot be read: {reason}.",
            "Give the file of Apache's configuration with the ProxyPass line of placement.",
        ) from None
    if not lines:
        raise UsageError(
            f"{path} has no ProxyPass line for /placement.",
            "Give the file of Apache's configuration with that line: with devstack, "
            "/etc/apache2/sites-available/placement-api.conf.",
        )
    return "\n".join(lines)


def balancer(name: str, members: Sequence[str]) -> str:
    """The lines that send the requests for /placement to these replicas, by turns."""
    return "\n".join(
        [
            f'<Proxy "balancer://{name}">',
            *(
                f'    BalancerMember "uwsgi://{member}" route={number} {MEMBER}'
                for number, member in enumerate(members, 1)
            ),
            "    ProxySet lbmethod=byrequests",
            "</Proxy>",
            f'ProxyPass "/placement" "balancer://{name}"',
        ]
    )
