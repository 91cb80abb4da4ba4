"""pytest takes plugins only from the first conftest it meets."""

import signal

pytest_plugins = ["pytester", "tests.fakes.project", "tests.running"]

# Under nohup, or behind & in a script, these are ignored, by the commands that tests start as well.
# A program that is started inherits ignored signals; it does not inherit handlers.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)
