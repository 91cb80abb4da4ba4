"""The driver, found by its entry point as in a service."""

import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from _certificates import certificates
from _gateway import Gateway, serving
from _service import OPTIONS, Service
from oslo_config import cfg

PACKAGE = Path(__file__).parents[1]


@pytest.fixture(scope="session", autouse=True)
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Write the entry point that `pip install` leaves for stevedore; give its PYTHONPATH."""
    root = tmp_path_factory.mktemp("installed")
    paths = [str(root), str(PACKAGE / "src")]
    metadata = root / "oslo_config_source_etcd-0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: oslo-config-source-etcd\nVersion: 0\n"
    )
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in points.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    sys.path[:0] = paths
    assert "etcd" in entry_points(group="oslo.config.driver").names
    yield ":".join(paths)
    for path in paths:
        sys.path.remove(path)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with serving(Gateway()) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("tls") / "right")


@pytest.fixture(scope="session")
def other_tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("tls") / "wrong")


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service with some options, and [settings] as its source; arguments are that source's."""

    def start(_opts: Any = None, _file: str = "", **source: object) -> cfg.ConfigOpts:
        conf = cfg.ConfigOpts()
        conf.register_opts(OPTIONS if _opts is None else _opts, "group")
        conf.register_opt(cfg.StrOpt("top", default="default"))
        options = {"driver": "etcd", "prefix": "/service", "wait": 0, **source}
        lines = ["[DEFAULT]", "config_source = settings", "[settings]"]
        lines += [f"{name} = {value}" for name, value in options.items() if value is not None]
        path = tmp_path / "service.conf"
        path.write_text("\n".join([*lines, _file, ""]))
        conf([], project="service", default_config_files=[str(path)])
        return conf

    return start
