"""Measures how long starts, reuse, suites and tear-down take on this machine. Judges no answers."""
