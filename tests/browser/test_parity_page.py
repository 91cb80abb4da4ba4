"""The page of --parity-report in a real browser: mouse, keyboard, screen reader, dark and light."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.parity.outcome import as_data, as_page
from tests.browser import _pages
from tests.browser._chromium import Page

ROOT = Path(__file__).resolve().parents[2]
CAUSE = ".cause:not([hidden])"


@pytest.fixture(scope="module")
def recorded(folder: Path) -> Path:
    path = folder / "recorded.html"
    path.write_text(as_page(_pages.recorded()))
    return path


def test_it_shows_filters_and_opens_by_mouse_and_keyboard(page: Page, recorded: Path) -> None:
    page.open(recorded)
    data = as_data(_pages.recorded())
    assert page.text("#title") == "stack beside devstack"
    assert page.text("#verdict").startswith("Tests that differ: 106, by 35 causes")
    assert page.text("#totals").split("\n")[-2:] == ["exchanges", f"{data['exchanges']:,}"]
    assert page.visible(CAUSE) == len(data["causes"])

    # By mouse: open a cause, and close it.
    page.click(".cause:nth-child(2) summary")
    count = data["causes"][1]["count"]
    assert page.until(lambda: page.visible(".cause:nth-child(2) .example") == count > 1)
    assert page.text(".cause:nth-child(2) .right .value") == "nothing"
    # An answer with tags in it is shown as text.
    assert page.text(".cause:nth-child(2) mark") == '"<b>n\u00e9</b>"'
    page.click(".cause:nth-child(2) summary")
    assert page.visible(".cause:nth-child(2) .example") == 0

    # By keyboard: filter, go through what is left, open, clear.
    page.press("/")
    assert page.focus == "filter"
    page.write("traits cache-control")
    left = [one for one in data["causes"] if "cache-control" in one["place"]]
    assert page.visible(CAUSE) == len(left) > 1
    assert page.text("#shown") == f"{len(left)} of {len(data['causes'])} causes"
    page.press("Tab", "Tab", "Tab")
    assert "cache-control" in page.focus
    page.press("j")
    second = page.focus
    page.press("k", "j", "Enter")
    assert page.focus == second
    assert page.until(lambda: page.visible(".cause[open]") == 1)
    page.press("Enter", "/", "Escape")
    assert (page.visible(".cause[open]"), page.visible(CAUSE)) == (0, len(data["causes"]))
    assert (page.errors, page.requests) == ([], [recorded.as_uri()])


@pytest.mark.long
def test_a_kind_is_chosen_in_words(page: Page, recorded: Path) -> None:
    page.open(recorded)
    page.evaluate("document.getElementById('kind').focus()")
    # The list is closed: a letter chooses the entry that begins with it.
    page.press("o")
    chosen = page.evaluate("document.getElementById('kind').selectedOptions[0].text")
    assert chosen in ("only stack has it", "only devstack has it")
    kinds = page.evaluate(
        f"[...document.querySelectorAll('{CAUSE} .kind')].map(one => one.textContent)"
    )
    assert set(kinds) == {chosen}
    page.press("/")
    assert page.focus == "kind", "a shortcut does nothing while a list has the focus"


@pytest.mark.long
def test_a_filter_that_fits_nothing_says_so(page: Page, recorded: Path) -> None:
    page.open(recorded)
    page.click("#filter")
    page.write("no such words")
    assert page.visible(CAUSE) == 0
    assert page.text("#shown").startswith("0 of ")
    page.press("j", "k")
    assert page.focus == "filter"


@pytest.mark.long
def test_a_screen_reader_meets_names(page: Page, recorded: Path) -> None:
    page.open(recorded)
    tree = page.tree()
    data = as_data(_pages.recorded())
    assert ("searchbox", "Filter causes by route, place, test or value") in tree
    assert ("combobox", "Kind") in tree
    names = ("Differences by cause", "Expected differences", "Not compared", "Latency by route")
    for name in names:
        assert ("region", name) in tree
        assert ("heading", name) in tree
    triangles = [name for role, name in tree if role == "DisclosureTriangle"]
    first = data["causes"][0]
    named = f"{first['count']} times {first['route']} {first['place']} the values differ"
    assert named in triangles
    assert len(triangles) == len(data["causes"]) + 1
    # Each point of the plot says its route, its side and its figures.
    points = [name for role, name in tree if role == "image"]
    sides = sum(bool(row["left"]) + bool(row["right"]) for row in data["latency"])
    assert len(points) == sides > 100
    assert any(name.startswith("GET /usages, devstack: p50 ") for name in points)
    # All that can be reached by Tab has a name.
    nameless = [role for role, name in tree if role in ("button", "link", "textbox") and not name]
    assert nameless == []


@pytest.mark.long
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_can_be_read_on_its_ground(page: Page, recorded: Path, dark: bool) -> None:
    """Contrast of WCAG 2.1, AA: 4.5 to 1 for each text."""
    page.open(recorded, dark=dark)
    page.click(".cause:nth-child(2) summary")
    ratios = json.loads(
        page.evaluate(
            """(() => {
  const parts = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = one => { for (; one; one = one.parentElement) {
    const color = parts(getComputedStyle(one).backgroundColor);
    if (color.length < 4 || color[3] > 0) return color; } return [255, 255, 255]; };
  const found = {};
  for (const one of document.querySelectorAll("body *")) {
    const own = [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!own || !one.getClientRects().length || one.closest("svg")) continue;
    const a = light(parts(getComputedStyle(one).color)), b = light(ground(one));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const name = one.tagName + "." + one.className;
    found[name] = Math.min(found[name] ?? 99, ratio);
  }
  return JSON.stringify(found);
})()"""
        )
    )
    assert len(ratios) > 10
    assert {name: ratio for name, ratio in ratios.items() if ratio < 4.5} == {}
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)")


@pytest.mark.long
def test_the_plot_has_both_sides_of_each_route(page: Page, recorded: Path) -> None:
    page.open(recorded)
    rows = as_data(_pages.recorded())["latency"]
    for side in ("left", "right"):
        assert page.visible(f"#plot svg g.{side} circle") == sum(bool(row[side]) for row in rows)
    page.click("#latency-title ~ details summary")
    assert page.visible("#latency tr") == sum(
        bool(row["left"]) + bool(row["right"]) for row in rows
    )


@pytest.mark.long
def test_nothing_is_wider_than_a_narrow_window(page: Page, recorded: Path) -> None:
    page.open(recorded, width=400)
    page.click(".cause:nth-child(9) summary")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 400


@pytest.mark.long
def test_the_largest_page_is_small_and_quick(page: Page, folder: Path) -> None:
    path = folder / "largest.html"
    path.write_text(as_page(_pages.largest()))
    assert path.stat().st_size <= 5_000_000
    page.open(path)
    assert page.text("#totals").split("\n")[-1] == "100,000"
    used = page.metrics()["TaskDuration"]
    page.press("/")
    words = "part7 field7.name"
    page.write(words)
    shown = page.text("#shown").split(" ")
    assert 0 < int(shown[0].replace(",", "")) < int(shown[2].replace(",", ""))
    typed = page.metrics()["TaskDuration"]
    page.press("Escape")
    page.click(".cause summary")
    assert page.until(lambda: page.visible(".example") > 1)
    # Seconds of the page's own thread: an idle machine needs a quarter of that.
    assert used <= 1.0
    assert (typed - used) / len(words) <= 0.2


@pytest.mark.long
def test_a_run_writes_such_a_page(page: Page, folder: Path) -> None:
    path = folder / "run.html"
    suites = [f"gabbits/{name}.yaml" for name in ("traits", "authentication")]
    words = ["--target", "embedded", "--parity", "devstack", "--parity-report", str(path), *suites]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
        cwd=ROOT,
        env={key: text for key, text in os.environ.items() if not key.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert path.is_file(), done.stdout[-2000:]
    page.open(path)
    assert page.text("#title") == "embedded beside devstack"
    assert page.visible("#expected tr") > 0
    assert page.visible("#plot circle") > 0
    assert page.errors == []
