"""Comparing a real stack with other targets, asked beside."""

import pytest

from tests.live._live import Commands

SUITE = """
defaults:
  request_headers:
    x-auth-token: $ENVIRON['SERVICE_TOKEN']
    openstack-api-version: placement 1.39
tests:
- name: a trait of one's own
  PUT: $ENVIRON['PLACEMENT_SERVICE']/traits/CUSTOM_PARITY
  status: 201 || 204
- name: it is listed
  GET: $ENVIRON['PLACEMENT_SERVICE']/traits?name=startswith:CUSTOM_PARITY
- name: it is deleted
  DELETE: $ENVIRON['PLACEMENT_SERVICE']/traits/CUSTOM_PARITY
  status: 204
"""
# Planted: on one side alone, a trait is there before the suite begins.
PLANTED = """
def test_it(stack, placement):
    placement.put("/traits/CUSTOM_PARITY").raise_for_status()
"""


def test_a_stack_answers_as_the_reference_in_it_does(commands: Commands) -> None:
    commands.suite(SUITE)
    text = commands.pytest("--replicas", "3", "--parity", "reference", "gabbits")
    assert "stack | reference: 3 exchanges; tests: 0 same, 3 expected difference" in text


def test_a_planted_difference_is_found_at_its_place(commands: Commands) -> None:
    suite, plant = commands.suite(SUITE), commands.suite(PLANTED, "test_plant.py")
    words = ("--replicas", "3", "--parity", "embedded")
    text = commands.pytest(*words, str(plant), str(suite), code=1)
    assert "1 not compared, 1 different" in text
    assert "PUT /placement/traits/CUSTOM_PARITY (replica" in text
    assert "status: the values differ" in text


@pytest.mark.long
def test_two_releases_are_compared_each_in_a_stack_of_its_own(commands: Commands) -> None:
    commands.suite(SUITE)
    words = ("--replicas", "1", "--placement", "16.0.0", "--parity", "placement=15.0.0")
    text = commands.pytest(*words, "gabbits")
    assert "beside: placement 15.0.0" in text
    assert "stack | placement=15.0.0: 3 exchanges; tests: 3 same" in text
