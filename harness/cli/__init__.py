"""The commands, in click. What they do is done in the rooms below."""

from harness.cli.program import main as main
