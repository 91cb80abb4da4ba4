"""Failures of Compose are turned into errors that say what to do."""

from __future__ import annotations

import pytest

from harness.core.errors import StackError
from harness.core.process import Outcome
from harness.engine.values import DockerError
from harness.stack.model import composing


@pytest.mark.parametrize(
    ("output", "problem", "remedy"),
    [
        (
            "failed to create network one_default: Error response from daemon: could not find an "
            "available, non-overlapping IPv4 address pool among the defaults to assign",
            "no addresses left for another network",
            "docker network prune",
        ),
        (
            "failed to create network one_default: all predefined address pools have been fully "
            "subnetted",
            "no addresses left for another network",
            "default-address-pools",
        ),
        (
            "Error response from daemon: client version 1.52 is too new. Maximum supported API "
            "version is 1.41",
            "does not fit the container engine",
            "DOCKER_API_VERSION",
        ),
        ("something else", "could not be started", "doctor"),
    ],
)
def test_a_start_that_fails_names_its_cause(output: str, problem: str, remedy: str) -> None:
    error = composing._start_error(DockerError("start containers", Outcome(1, err=output)))
    assert isinstance(error, StackError)
    assert problem in error.problem
    assert remedy in error.remedy
    assert error.evidence
