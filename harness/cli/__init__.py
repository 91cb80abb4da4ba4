"""The commands, in click. The rooms below do the work."""

from harness.cli.program import main as main
