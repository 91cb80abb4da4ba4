"""Prepares a run of tempest: links to the suites, configuration, account, environment."""

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.core.errors import TargetError, UsageError
from harness.identity.keystone import LOOPBACK, Keystone
from harness.suites import loader, parsing, releases
from harness.suites.connection import Wire
from harness.suites.extensions import Extensions
from harness.tempest.outcomes import Test, Tests

# oslo.config, tempest, stestr and gabbi-tempest would take settings from these.
FOREIGN = ("OS_", "TEMPEST_", "STESTR_", "GABBI_", "XDG_")


def prepare(
    directories: Iterable[Path], regex: str | None, work: Path, placements: Iterable[str] = ()
) -> Tests:
    """Lay out the suites for gabbi-tempest; a ``regex`` picks those whose file name it is found in.
    Suites that are not true for these releases of ``placements`` are left out.

    They are links: a path that was given may hold a colon, and a suite needs the files beside it.
    """
    try:
        chosen = re.compile(regex or "")
    except re.error as error:
        raise UsageError(f"--regex {regex} makes no sense: {error}.", "Correct it.") from error
    tests, answering = Tests(), [*placements]
    left_out = False
    for number, directory in enumerate(dict.fromkeys(path.resolve() for path in directories)):
        place = work / str(number)
        place.mkdir()
        for path in sorted(directory.iterdir()):
            if path.suffix == ".yaml" and not path.name.startswith("."):
                if not chosen.search(path.name):
                    continue
                module = f"tempest.scenario{str(place).replace('/', '.')}"
                if not _expect(path, module, tests, answering):
                    left_out = True
                    continue
            (place / path.name).symlink_to(path)
    if not tests.expected:
        among = f" whose name matches {regex}" if regex else ""
        true = f" that are true for placement {' and '.join(answering)}" if left_out else ""
        raise UsageError(
            f"There are no suites{among}{true} in {', '.join(map(str, directories))}.",
            "Give directories that hold gabbi's .yaml files.",
        )
    return tests


def _expect(path: Path, module: str, tests: Tests, placements: Sequence[str]) -> bool:
    """Note the tests of a suite; False for a suite that is not true for these releases."""
    try:
        cases = loader.load(path, Extensions(), Wire())
        problem = f"{path} needs fixtures of Python." if cases and cases[0].fixtures else ""
    except parsing.SuiteError as error:
        problem = str(error).split("\n")[0]
    if problem:
        raise UsageError(
            problem,
            "Under tempest, suites can use no other fixtures and handlers than gabbi's own. "
            "Change the suite, or leave it out with --regex.",
        )
    if cases and not releases.holds(cases[0].releases, placements):
        return False
    shown = os.path.relpath(path)
    for case in cases:
        name = f"{module}.{type(case).__name__}.test_request"
        tests.expected.setdefault(name, []).append(Test(shown, case.test_data["name"]))
    return True


def configure(keystone: Keystone, work: Path) -> None:
    """Write tempest's configuration and its account; only their owner can read the files."""
    user = keystone.identity.get("password", {}).get("user")
    project = (keystone.scope or {}).get("project")
    if not user or not project:
        raise TargetError(
            f"tempest needs a user, a password and a project; {keystone.who} is not that.",
            "Set OS_USERNAME, OS_PASSWORD and OS_PROJECT_NAME.",
        )
    if keystone.verify is False:
        raise TargetError(
            "OS_INSECURE is set, but gabbi-tempest checks certificates.",
            "Unset it; for a private authority, OS_CACERT names its file.",
        )
    # gabbi-tempest asks for an account with this role, whatever roles the account really has.
    account = {"password": user["password"], "roles": ["admin"]}
    for kind, entity in (("user", user), ("project", project)):
        for key in ("id", "name"):
            if key in entity:
                name = "username" if (kind, key) == ("user", "name") else f"{kind}_{key}"
                account[name] = entity[key]
            if key in entity.get("domain", {}):
                account[f"{kind}_domain_{key}"] = entity["domain"][key]
    authority = ""
    if isinstance(keystone.verify, str):
        authority = f"ca_certificates_file = {Path(keystone.verify).absolute()}\n"
    # YAML holds JSON, so that nothing of a password has to be quoted.
    _write(work / "accounts.yaml", json.dumps([account]))
    _write(
        work / "tempest.conf",
        f"[auth]\nuse_dynamic_credentials = false\ntest_accounts_file = {work}/accounts.yaml\n"
        f"[identity]\nauth_version = v3\nuri_v3 = {keystone.url}\n{authority}"
        # Without neutron, tempest makes no networks for the account.
        f"[service_available]\nneutron = false\n[oslo_concurrency]\nlock_path = {work}/lock\n",
    )
    (work / "lock").mkdir(mode=0o700)


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def environment(keystone: Keystone, work: Path) -> dict[str, str]:
    places = sorted(path.name for path in work.iterdir() if path.name.isdecimal())
    theirs = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
    if isinstance(keystone.verify, str):
        theirs["SSL_CERT_FILE"] = str(Path(keystone.verify).absolute())
    for name in ("no_proxy", "NO_PROXY"):
        # Requests to this machine's own addresses must not go through a proxy.
        theirs[name] = ",".join(filter(None, [theirs.get(name), *sorted(LOOPBACK)]))
    return {
        **theirs,
        "HOME": str(work),
        "PYTHON": sys.executable,
        "GABBI_TEMPEST_PATH": ":".join(str(work / name) for name in places),
    }
