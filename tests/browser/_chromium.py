"""Drives a headless Chromium through its DevTools protocol: mouse, keyboard, accessibility tree."""

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 30.0
# Keys with a name -> code and number, as the protocol has them.
KEYS = {
    "Enter": ("Enter", 13, "\r"),
    "Escape": ("Escape", 27, ""),
    "Tab": ("Tab", 9, ""),
    "Backspace": ("Backspace", 8, ""),
    "ArrowDown": ("ArrowDown", 40, ""),
}
SHIFT = 8


def program() -> str | None:
    """The path of a Chromium on this machine; None if there is none."""
    return next((path for path in map(shutil.which, PROGRAMS) if path), None)


def install() -> str | None:
    """Install Debian's chromium where root can; return why that failed, or None."""
    if program():
        return None
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return "only root can install it with apt-get: apt-get install chromium"
    words = ["apt-get", "--quiet", "--yes", "--no-install-recommends", "install", "chromium"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "--quiet", "update"], words):
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=600, check=False
        )
    return None if program() else f"apt-get install chromium failed: {done.stderr[-300:]}"


class Page:
    """A page in the browser. ``errors`` are what its scripts and its console have reported."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._session = ""
        self._number = 0
        self._loads = 0
        self.errors: list[str] = []
        self.requests: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility", "Performance"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """The result of a method of the protocol."""
        self._number += 1
        message: dict[str, object] = {
            "id": self._number,
            "method": method,
            "params": parameters,
        }
        if self._session:
            message["sessionId"] = self._session
        self._connection.send(json.dumps(message))
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer)
                result: dict[str, Any] = answer["result"]
                return result

    def _receive(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._connection.recv(SECONDS))
        method, values = answer.get("method"), answer.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.errors.append(str(values["exceptionDetails"].get("text")))
        elif method == "Log.entryAdded" and values["entry"]["level"] == "error":
            self.errors.append(values["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(values["request"]["url"])
        elif method == "Page.loadEventFired":
            self._loads += 1
        return answer

    def open(self, path: Path, *, dark: bool = False, width: int = 1200, height: int = 900) -> None:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.errors.clear()
        self.requests.clear()
        loads = self._loads
        self.call("Page.navigate", url=path.as_uri())
        while self._loads == loads:
            self._receive()

    def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def text(self, selector: str) -> str:
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText"))

    def until(self, holds: Callable[[], bool]) -> bool:
        """Whether something holds within a time: a page hears of its events a moment later."""
        end = time.monotonic() + SECONDS
        while not holds() and time.monotonic() < end:
            time.sleep(0.02)
        return holds()

    def visible(self, selector: str) -> int:
        """How many elements that match take up room on the page."""
        return int(
            self.evaluate(
                f"[...document.querySelectorAll({json.dumps(selector)})]"
                ".filter(one => one.getClientRects().length && one.checkVisibility()).length"
            )
        )

    def click(self, selector: str) -> None:
        """Click into the middle of an element with the mouse, where it can be seen."""
        where = self.evaluate(
            f"(() => {{ const one = document.querySelector({json.dumps(selector)});"
            "one.scrollIntoView({block: 'center'});"
            "const at = one.getBoundingClientRect();"
            "const x = at.x + at.width / 2, y = at.y + at.height / 2;"
            "const hit = document.elementFromPoint(x, y);"
            "return {x, y, hits: one.contains(hit)}; })()"
        )
        assert where["hits"], f"{selector} is covered"
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=where["x"],
                y=where["y"],
                button="none" if kind == "mouseMoved" else "left",
                clickCount=0 if kind == "mouseMoved" else 1,
            )

    def press(self, *keys: str, shift: bool = False) -> None:
        """Press keys one after the other: characters, or names of KEYS."""
        for key in keys:
            # The numbers of other characters are those of other keys: 46 is Delete, not a period.
            plain = ("", ord(key.upper()) if key.isalnum() and len(key) == 1 else 0, key)
            code, number, text = KEYS.get(key, plain)
            pressed = {
                "key": key,
                "code": code,
                "windowsVirtualKeyCode": number,
                "modifiers": SHIFT if shift else 0,
            }
            kind = "keyDown" if text else "rawKeyDown"
            self.call("Input.dispatchKeyEvent", type=kind, text=text, **pressed)
            self.call("Input.dispatchKeyEvent", type="keyUp", **pressed)

    def write(self, text: str) -> None:
        self.press(*text)

    @property
    def focus(self) -> str:
        """The id of the focused element, or its text."""
        return str(
            self.evaluate("document.activeElement.id || document.activeElement.innerText || ''")
        )

    def tree(self) -> list[tuple[str, str]]:
        """Role and name of each node that a screen reader meets."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node["ignored"]
        ]

    def metrics(self) -> dict[str, float]:
        return {one["name"]: one["value"] for one in self.call("Performance.getMetrics")["metrics"]}

    def screenshot(self, path: Path, *, whole: bool = True) -> None:
        data = self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """A page in a Chromium of its own, which has ended after the block."""
    path = program()
    assert path is not None
    words = [
        *(path, "--headless=new", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"),
        *("--remote-debugging-port=0", f"--user-data-dir={folder}", "--disable-extensions"),
        # Its own sandbox needs what root and containers do not have.
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
        "about:blank",
    ]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connect(_address(process, folder), max_size=None) as connection:
            yield Page(connection)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _address(process: "subprocess.Popen[bytes]", folder: Path) -> str:
    """The browser's address, which it writes into a file when it listens."""
    file = folder / "DevToolsActivePort"
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, f"Chromium ended with {process.returncode}"
        if file.exists() and len(lines := file.read_text().splitlines()) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(0.05)
    raise AssertionError(f"Chromium does not listen after {SECONDS} s")
