"""Fixtures that several rooms' tests share."""

import pytest

from tests.fakes.machine import fresh_machine

machine = pytest.fixture(fresh_machine)
