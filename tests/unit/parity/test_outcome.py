"""The page and the data: whole, of bounded size, and harmless whatever an answer holds."""

from __future__ import annotations

import json
import re
from array import array

from harness.core.exchange import Exchange, Request, Response
from harness.parity.compare import Difference
from harness.parity.judge import Judge, Judgement, Pair, Verdict
from harness.parity.outcome import Outcome, as_data, as_page
from harness.parity.rules import Declared


def exchange(number: int, body: str) -> Exchange:
    request = Request("GET", f"http://h/placement/traits/CUSTOM_{number}")
    return Exchange(
        "one", f"test {number}", request, Response(200, "OK", {}, body.encode()), 0, 0.01
    )


def outcome(*pairs: tuple[str, str]) -> Outcome:
    judge, found = Judge("stack", "devstack", Declared()), Outcome("stack", "devstack", [])
    for n, (left, right) in enumerate(pairs):
        found.add(
            judge.judge("one", f"test {n}", [exchange(n, left)], [exchange(n, right)]).as_data()
        )
    return found


def embedded(page: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data: dict[str, object] = json.loads(found[1])
    return data


def test_the_page_holds_all_that_programs_get() -> None:
    one = outcome(('{"a": 1}', '{"a": 2}'), ("{}", "{}"))
    assert embedded(as_page(one)) == json.loads(json.dumps(as_data(one)))
    assert not one.ok


def test_an_answer_cannot_end_the_pages_script() -> None:
    one = outcome(('{"a": "</script><script>alert(1)</script>"}', '{"a": "x"}'))
    page = as_page(one)
    assert "<script>alert" not in page
    assert embedded(page) == json.loads(json.dumps(as_data(one)))


def test_the_page_needs_no_network() -> None:
    page = as_page(outcome(("{}", "{}")))
    assert not re.search(r"""(?:src|href)\s*=|@import|url\(|fetch\(""", page)
    assert "default-src 'none'" in page


def test_five_thousand_differences_fit_into_five_megabytes() -> None:
    long = "x" * 3000
    left, right = exchange(0, "{}"), exchange(0, "{}")
    differences = [
        Difference(f"body $.k{number}", "value", f"{number} {long}", long) for number in range(5000)
    ]
    found = Outcome("stack", "devstack", [])
    pairs = [Pair(left, right, differences)]
    found.add(Judgement("one", "first", Verdict.DIFFERENT, pairs).as_data())
    count, size = len(found.causes), len(as_page(found).encode())
    assert count == 5000
    assert size < 5_000_000


def test_a_password_in_a_body_is_hidden() -> None:
    page = as_page(outcome(('{"password": "of-somebody-9"}', "[]")))
    assert "of-somebody-9" not in page


def test_figures_are_milliseconds_by_route() -> None:
    one = Outcome("stack", "devstack", [])
    one.latency["GET /usages"] = (array("d", [0.001 * n for n in range(1, 101)]), array("d"))
    (entry,) = as_data(one)["latency"]
    assert entry["left"] == {"count": 100, "p50": 51.0, "p95": 96.0, "max": 100.0}
    assert entry["right"] is None
