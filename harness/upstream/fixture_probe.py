"""Runs placement's gabbi fixtures on SQLite, and prints what each of them has made, as JSON.

A program of its own, which imports the placement that its environment leads to:

    python snapshot.py placement.tests.functional.fixtures.gabbits > scenes.json

For each fixture class: ``environ``, the variables it sets; ``rows``, what it has put into each
table; ``settings``, the options it sets; ``rules``, the policy it sets (None: placement's own).
Besides: ``legacy_rules``, placement's rules with the deprecated ones still allowed.
"""

import importlib
import json
import os
import sys
from typing import Any

# What every database has: written there by placement itself.
STANDARD = {"traits": "CUSTOM_%", "resource_classes": "CUSTOM_%"}
PASSED_OVER = frozenset({"alembic_version"})


def main(module_name: str) -> None:
    fixtures = importlib.import_module(module_name)
    base = importlib.import_module("gabbi.fixture").GabbiFixture
    found = {
        name: _scene(fixtures, one)
        for name, one in vars(fixtures).items()
        if isinstance(one, type) and issubclass(one, base) and one.__module__ == module_name
    }
    json.dump({"fixtures": found, "legacy_rules": _legacy_rules()}, sys.stdout, default=str)


def _scene(fixtures: Any, one: Any) -> dict[str, Any]:
    before = dict(os.environ)
    out = sys.stdout
    fixture = one()
    fixture.start_fixture()
    try:
        # The fixture holds standard output back.
        made = {name: value for name, value in os.environ.items() if before.get(name) != value}
        return {
            "environ": made,
            "rows": _rows(),
            "settings": _settings(fixtures.CONF),
            "rules": _rules(),
        }
    finally:
        fixture.stop_fixture()
        sys.stdout = out
        os.environ.clear()
        os.environ.update(before)


def _rows() -> dict[str, list[dict[str, Any]]]:
    db_api = importlib.import_module("placement.db_api")
    models = importlib.import_module("placement.db.sqlalchemy.models")
    select = importlib.import_module("sqlalchemy").select

    rows = {}
    with db_api.get_placement_engine().connect() as connection:
        tables = models.BASE.metadata.tables
        for name, table in tables.items():
            if name in PASSED_OVER:
                continue
            query = select(table)
            # Rows of the standard ones are needed too: ids differ from database to database.
            rows[name] = [dict(row._mapping) for row in connection.execute(query)]
    for reference, names in (("trait_id", "traits"), ("resource_class_id", "resource_classes")):
        by_number = {row["id"]: row["name"] for row in rows[names]}
        for table in rows.values():
            for row in table:
                if reference in row:
                    row[reference] = by_number[row[reference]]
    for names in ("traits", "resource_classes"):
        rows[names] = [row for row in rows[names] if row["name"].startswith("CUSTOM_")]
    return {name: table for name, table in rows.items() if table}


def _settings(conf: Any) -> dict[str, Any]:
    """The options that were set, by group.option."""
    found = {}
    for name, group in [("DEFAULT", conf), *conf._groups.items()]:
        for option, info in group._opts.items():
            for given in ("default", "override"):
                if given in info:
                    found[f"{name}.{option}"] = info[given]
    return found


def _rules() -> dict[str, str] | None:
    """The policy, where the fixture has set one, or a part of one."""
    policies = importlib.import_module("placement.policies")
    policy = importlib.import_module("placement.policy")
    shown = {name: str(check) for name, check in policy._ENFORCER.rules.items()}
    own = all(shown.get(rule.name) in _checks(rule) for rule in policies.list_rules())
    return None if own else shown


def _checks(rule: Any) -> set[str]:
    """How a rule of placement's own is shown, with its deprecated form still allowed or not."""
    checks = {str(rule.check)}
    if rule.deprecated_rule:
        checks.add(f"({rule.check} or {rule.deprecated_rule.check})")
    return checks


def _legacy_rules() -> dict[str, str]:
    policies = importlib.import_module("placement.policies")
    return {
        rule.name: f"({rule.check_str}) or ({rule.deprecated_rule.check_str})"
        for rule in policies.list_rules()
        # Without one: None, and an empty list from oslo.policy before 5.
        if rule.deprecated_rule
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
