"""Meanings of refusals of the engine and of docker's command line: the problem and its remedy."""

import re

# The engine has no addresses left for the network of another project.
NO_NETWORK = re.compile(r"non-overlapping|address pools? .*(exhausted|fully subnetted)", re.I)
# docker's command line or Compose, and the engine, speak no common version of the API.
NO_COMMON_API = re.compile(r"(client version|API version) \S+ is too (new|old)", re.I)
# The address is one that a router or a tunnel stands for.
NO_ADDRESS = re.compile(r"cannot assign requested address", re.I)

MEANINGS = (
    (
        NO_NETWORK,
        "The container engine has no addresses left for another network.",
        "Remove networks that nothing uses (`docker network prune`), or give the engine more: "
        "default-address-pools in its daemon.json.",
    ),
    (
        NO_COMMON_API,
        "docker's command line or Compose does not fit the container engine.",
        "Upgrade the older one (`docker version`, `docker compose version`), and see that "
        "DOCKER_API_VERSION is not set.",
    ),
    (
        NO_ADDRESS,
        "A port could not be opened on the address of a host, which is not its machine's own.",
        "Name an address that the machine itself has: --host NAME=ADDRESS.",
    ),
)


def meaning(output: str) -> tuple[str, str] | None:
    """Problem and remedy of a refusal; None for one that has no meaning here."""
    for pattern, problem, remedy in MEANINGS:
        if pattern.search(output):
            return problem, remedy
    return None
