"""How the project's own tests are run."""

from pathlib import Path

import pytest

from tests.running import exit_code_of_build

NOTE = """
def pytest_runtest_logreport(report):
    if report.when == "call" and hasattr(report, "node"):
        with open("workers", "a") as file:
            file.write(f"{report.node.gateway.id} {report.nodeid.split('::')[0]}\\n")
"""


def test_the_first_worker_takes_tests_on_stacks_and_the_others_the_rest(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    pytester.makeconftest(NOTE)
    pytester.makeini("[pytest]\nmarkers = engine")
    mark = "import pytest\npytestmark = pytest.mark.engine\n"
    # A worker is given its next file when it has two tests left.
    test = "".join(f"def test_{n}(): __import__('time').sleep(0.1)\n" for n in range(5))
    pytester.makepyfile(test_a=test, test_b=test, test_c=mark + test, test_d=mark + test)
    words = ("-p", "tests.running", "-n2", "--dist=loadfile")
    pytester.runpytest_subprocess(*words).assert_outcomes(passed=20)
    assert sorted(set((pytester.path / "workers").read_text().splitlines())) == [
        "gw0 test_c.py",
        "gw0 test_d.py",
        "gw1 test_a.py",
        "gw1 test_b.py",
    ]


def test_a_test_that_needs_images_fails_when_they_could_not_be_built(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    monkeypatch.setenv("HARNESS_IMAGES_BUILT", str(pytester.path / "built"))
    (pytester.path / "built").write_text("70\n")
    pytester.makeini("[pytest]\nmarkers = engine")
    pytester.makepyfile(
        "import pytest\n@pytest.mark.engine\ndef test_stack(): pass\ndef test_other(): pass\n"
    )
    result = pytester.runpytest_subprocess("-p", "tests.running")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*The images are not built (70): see the output of the build.*"])


def test_a_build_without_an_end_is_waited_for_no_longer_than_the_time_limit(tmp_path: Path) -> None:
    file = tmp_path / "built"
    assert exit_code_of_build(file, 0.2) == "no end within 0 s"
    file.write_text("0\n")
    assert exit_code_of_build(file, 0.2) == "0"
