"""gabbi's suites as pytest items; nothing else imports gabbi."""

import sys


def _import_httpx() -> None:
    """Import httpx, which gabbi needs, without its command line: rich, pygments, click, 130 ms."""
    part = "httpx._main"
    if part in sys.modules or "httpx" in sys.modules:
        return
    # httpx does without it when it cannot be imported.
    sys.modules[part] = None  # type: ignore[assignment]
    try:
        import httpx  # noqa: F401
    finally:
        del sys.modules[part]


_import_httpx()
