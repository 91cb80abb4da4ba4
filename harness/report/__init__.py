"""Writes the output of a run: terminal, failures, tables, JUnit. Decides nothing."""
