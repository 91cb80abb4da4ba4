"""pytest takes plugins only from the first conftest it meets."""

import signal
import sys
from pathlib import Path

# Where `project` and the fake target are.
sys.path.insert(0, str(Path(__file__).parent / "plugin"))

pytest_plugins = ["pytester", "_project"]

# Under nohup, or behind & in a script, these are ignored, by the commands that tests start as well.
# What this process handles they have anew.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)
