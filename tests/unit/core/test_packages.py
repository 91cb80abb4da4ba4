"""pip and uv get the user's indexes and certificates, and no other setting of the user's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.core import packages
from harness.core.packages import environment
from harness.placements import package_index


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a user with an empty home, on a system without authorities."""
    monkeypatch.setattr(packages, "BUNDLES", (str(tmp_path / "bundle"),))
    monkeypatch.setattr(packages, "SYSTEM", tmp_path / "etc")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    return {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path / "xdg")}


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_variables_for_other_projects_are_left_out(user: dict[str, str]) -> None:
    found = environment({**user, "PIP_CONSTRAINT": "c", "UV_EXCLUDE_NEWER": "2020-01-01"})
    assert found == {**user, "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}


def test_uv_is_told_what_pip_is_told(user: dict[str, str]) -> None:
    found = environment({**user, "PIP_INDEX_URL": "a", "PIP_CERT": "b"})
    assert (found["UV_DEFAULT_INDEX"], found["SSL_CERT_FILE"]) == ("a", "b")
    found = environment({**user, "PIP_INDEX_URL": "a", "UV_INDEX_URL": "c"})
    assert "UV_DEFAULT_INDEX" not in found


def test_of_configuration_files_only_what_says_where_packages_are_counts(
    user: dict[str, str], tmp_path: Path
) -> None:
    write(tmp_path / ".pip/pip.conf", "[global]\nindex-url = https://old\n")
    write(
        tmp_path / ".config/pip/pip.conf",
        "[global]\nindex-url = https://mirror\nuser = yes\nconstraint = c.txt\n"
        "[install]\ntrusted-host =\n  one\n  two\nno-binary = :all:\n[list]\nformat = json\n",
    )
    write(
        tmp_path / ".config/uv/uv.toml",
        'exclude-newer = "2020-01-01"\nsystem-certs = true\nconstraint-dependencies = ["a<1"]\n'
        '[[index]]\nurl = "https://one"\n[[index]]\nurl = "https://two"\n',
    )
    assert environment(user) == {
        **user,
        "PIP_INDEX_URL": "https://mirror",
        "UV_DEFAULT_INDEX": "https://mirror",
        "PIP_TRUSTED_HOST": "one two",
        "UV_INSECURE_HOST": "one two",
        "UV_SYSTEM_CERTS": "true",
        "UV_INDEX": "https://one https://two",
        "PIP_CONFIG_FILE": os.devnull,
        "UV_NO_CONFIG": "1",
    }


def test_a_file_that_the_user_chose_counts_most_or_none_does(
    user: dict[str, str], tmp_path: Path
) -> None:
    write(tmp_path / ".config/pip/pip.conf", "[global]\nindex-url = https://mirror\n")
    chosen = tmp_path / "chosen"
    write(chosen, "[global]\nindex-url = https://chosen\n")
    found = environment({**user, "PIP_CONFIG_FILE": str(chosen)})
    assert found["PIP_INDEX_URL"] == "https://chosen"
    assert "PIP_INDEX_URL" not in environment({**user, "PIP_CONFIG_FILE": os.devnull})


def test_uv_trusts_the_authorities_that_this_system_trusts(
    user: dict[str, str], tmp_path: Path
) -> None:
    assert "SSL_CERT_FILE" not in environment(user)
    write(tmp_path / "bundle", "")
    assert environment(user)["SSL_CERT_FILE"] == str(tmp_path / "bundle")
    assert "SSL_CERT_FILE" not in environment({**user, "UV_SYSTEM_CERTS": "1"})
    assert environment({**user, "SSL_CERT_FILE": "own"})["SSL_CERT_FILE"] == "own"


def test_uv_gets_no_setting_that_would_choose_other_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shown = tmp_path / "uv"
    shown.write_text("#!/bin/sh\nenv\n")
    shown.chmod(0o755)
    monkeypatch.setattr(package_index, "uv_program", lambda: str(shown))
    monkeypatch.setenv("UV_EXCLUDE_NEWER", "2020-01-01")
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror")
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    monkeypatch.delenv("UV_INDEX_URL", raising=False)
    lines = package_index.uv("pip").out.splitlines()
    assert {"UV_DEFAULT_INDEX=https://mirror", "UV_NO_CONFIG=1"} <= {*lines}
    assert not [line for line in lines if "EXCLUDE_NEWER" in line]


def test_a_command_runs_with_these_settings() -> None:
    command = [sys.executable, "-m", "harness.core.packages"]
    variables = {**os.environ, "PIP_TARGET": "/nowhere", "PIP_INDEX_URL": "https://mirror"}
    show = [*command, "sh", "-c", "echo $PIP_TARGET $PIP_INDEX_URL $PIP_CONFIG_FILE"]
    done = subprocess.run(show, env=variables, capture_output=True, text=True, check=True)
    assert done.stdout == "https://mirror /dev/null\n"
    missing = subprocess.run([*command, "no-such-program"], capture_output=True, text=True)
    assert missing.returncode == 1
    assert missing.stderr == "no-such-program: No such file or directory\n"
