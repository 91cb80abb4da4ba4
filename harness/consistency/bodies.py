"""Bodies of requests that several rooms of the consistency checks send."""

from typing import Any

# Project and user of all allocations; placement does not ask keystone for them.
PROJECT = "11111111-1111-4111-8111-111111111111"
USER = "22222222-2222-4222-8222-222222222222"


def claim_body(
    claims: dict[str, dict[str, int]], consumer_generation: int | None = None
) -> dict[str, Any]:
    """Body of a claim of {provider's UUID: {resource class: amount}} by one consumer."""
    return {
        "allocations": {provider: {"resources": dict(of)} for provider, of in claims.items()},
        "project_id": PROJECT,
        "user_id": USER,
        "consumer_generation": consumer_generation,
        "consumer_type": "INSTANCE",
    }
