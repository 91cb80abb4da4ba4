"""Runs placement's gabbi fixtures on SQLite, and prints as JSON what each of them sets up.

This program imports the placement that is on its PYTHONPATH:

    python fixture_probe.py placement.tests.functional.fixtures.gabbits > scenes.json

``fixtures`` has for each fixture class ``environ``, the variables that it sets; ``rows``, the rows
of each table; ``settings``, the options that it sets; ``rules``, the policy that it sets, null for
placement's own. ``legacy_rules`` are placement's rules with the deprecated ones still allowed.
"""

import importlib
import json
import os
import sys
from typing import Any

PASSED_OVER = frozenset({"alembic_version"})


def main(module_name: str) -> None:
    fixtures = importlib.import_module(module_name)
    base = importlib.import_module("gabbi.fixture").GabbiFixture
    scenes = {
        name: _scene(fixtures, kind)
        for name, kind in vars(fixtures).items()
        if isinstance(kind, type) and issubclass(kind, base) and kind.__module__ == module_name
    }
    json.dump({"fixtures": scenes, "legacy_rules": _legacy_rules()}, sys.stdout, default=str)


def _scene(fixtures: Any, kind: Any) -> dict[str, Any]:
    before = dict(os.environ)
    # The fixture redirects standard output, and may not restore it.
    out = sys.stdout
    fixture = kind()
    fixture.start_fixture()
    try:
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
            # Standard traits and classes are needed to translate ids, which differ between
            # databases. They are left out below: placement itself writes them.
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
    """The options that were set: group.option -> value."""
    settings = {}
    for name, group in [("DEFAULT", conf), *conf._groups.items()]:
        for option, info in group._opts.items():
            for given in ("default", "override"):
                if given in info:
                    settings[f"{name}.{option}"] = info[given]
    return settings


def _rules() -> dict[str, str] | None:
    """The whole policy, if the fixture has set any rule; else None."""
    policies = importlib.import_module("placement.policies")
    policy = importlib.import_module("placement.policy")
    shown = {name: str(check) for name, check in policy._ENFORCER.rules.items()}
    unchanged = all(shown.get(rule.name) in _checks(rule) for rule in policies.list_rules())
    return None if unchanged else shown


def _checks(rule: Any) -> set[str]:
    """Both texts of one of placement's rules: with its deprecated form still allowed, or not."""
    checks = {str(rule.check)}
    if rule.deprecated_rule:
        checks.add(f"({rule.check} or {rule.deprecated_rule.check})")
    return checks


def _legacy_rules() -> dict[str, str]:
    policies = importlib.import_module("placement.policies")
    return {
        rule.name: f"({rule.check_str}) or ({rule.deprecated_rule.check_str})"
        for rule in policies.list_rules()
        # A rule without a deprecated form has None, or an empty list in oslo.policy before 5.
        if rule.deprecated_rule
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
