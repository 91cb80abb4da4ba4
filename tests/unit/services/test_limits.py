"""Limits of a long query, from the innermost to the outermost: each leaves room for the next."""

from __future__ import annotations

import re

import yaml

from harness.core.paths import ROOT
from harness.report.hints import PROXY_SECONDS

SERVICES = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
REPLICA = SERVICES["placement"]


def test_apache_gives_up_first_and_says_so_and_then_the_worker_ends() -> None:
    conf = (ROOT / "services/apache/httpd.conf").read_text()
    (proxy,) = re.findall(r"^ProxyTimeout (\d+)$", conf, re.M)
    (harakiri,) = (word for word in REPLICA["command"] if word.startswith("--harakiri="))
    assert float(proxy) == PROXY_SECONDS
    assert float(proxy) < float(harakiri.partition("=")[2]) < 2 * float(proxy)


def test_a_query_cannot_take_all_memory_of_the_machine() -> None:
    assert REPLICA["mem_limit"] == "2g"
