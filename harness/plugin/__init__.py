"""The pytest plugin: its options. Inert until one of them, or an ini setting, asks for it.

pytest loads this module in every project where the harness is installed, so it imports nothing
that costs time.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from harness.config.options import INI, SETTINGS, ini_name, option, variable

if TYPE_CHECKING:
    from harness.config.plan import Plan

# Options that no ini file and no variable can set.
OTHERS = ("suites", "report", "record", "parity", "parity_report", "consistency", "empty")
GABBI = {
    "gabbi_fixture_modules": "modules in which suites find their fixtures",
    "gabbi_inner_fixtures": "fixtures around each test, as module:Class",
    "gabbi_response_handlers": "gabbi response handlers, as module:Class",
    "gabbi_content_handlers": "gabbi content handlers, as module:Class",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("placement-harness", "OpenStack placement as it is deployed")
    for name, setting in SETTINGS.items():
        # Each value is text: resolve() says what is wrong with a value, and what is right.
        group.addoption(
            option(name),
            dest=ini_name(name),
            metavar=setting.metavar,
            help=setting.help,
            action="append" if setting.repeatable else "store",
        )
    group.addoption(
        "--suite",
        dest="placement_suites",
        metavar="upstream|DIR|FILE",
        action="append",
        help="run placement's own suites, or these; may be given several times",
    )
    group.addoption(
        "--run-report",
        dest="placement_report",
        metavar="FILE",
        help="write what this run measured: verdicts, requests, start-up, memory (JSON)",
    )
    group.addoption(
        "--record",
        dest="placement_record",
        metavar="FILE",
        help="keep the exchanges of this run in a recording, FILE.jsonl, .jsonl.gz or .jsonl.zst",
    )
    group.addoption(
        "--parity",
        dest="placement_parity",
        metavar="TARGET|placement=SPEC|devstack|FILE",
        help="compare every answer with that of another target, asked beside (reference, embedded, "
        "URL), of another release in a stack of its own, or with a recording: that of a real "
        "devstack, or one of --record",
    )
    group.addoption(
        "--parity-report",
        dest="placement_parity_report",
        metavar="FILE",
        help="write a page that shows the comparison: one HTML file, which needs no network",
    )
    group.addoption(
        "--consistency",
        dest="placement_consistency",
        action="store_const",
        const=True,
        help="in place of suites: concurrent calls through all replicas, judged by what placement "
        "promises; one test for each workload of placement-harness check",
    )
    group.addoption(
        "--empty",
        dest="placement_empty",
        action="store_const",
        const=True,
        help="begin each suite with an empty placement, and take the tokens of noauth2 in it "
        "(x-auth-token: admin), as placement's own suites do",
    )
    for name in INI:
        parser.addini(ini_name(name), SETTINGS[name].help)
    for name, help_text in GABBI.items():
        parser.addini(name, help_text, type="linelist")
    parser.addini(
        "gabbi_safe_yaml", "load suites without Python objects in them", type="bool", default=True
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if not asked_for(config):
        return
    from harness.plugin import setup

    setup.install(config, plan_of)


def asked_for(config: pytest.Config) -> bool:
    """Whether an option, a variable or an ini setting wants the harness in this run."""
    given = [config.getoption(f"placement_{name}") for name in (*SETTINGS, *OTHERS)]
    return any(value is not None for value in given) or any(
        os.environ.get(variable(name)) or config.getini(ini_name(name)) for name in INI
    )


def plan_of(config: pytest.Config) -> Plan:
    """The plan that the options make. Raises UsageError."""
    from harness.config.resolve import BETWEEN, resolve
    from harness.targets import choices

    options = {name: config.getoption(ini_name(name)) for name in SETTINGS}
    for name, setting in SETTINGS.items():
        if setting.repeatable and options[name]:
            options[name] = BETWEEN.join(options[name])
    ini = {name: config.getini(ini_name(name)) for name in INI}
    return resolve(options, os.environ, ini, choices(), config.invocation_params.dir)
