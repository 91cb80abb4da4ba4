"""Runs the suites on many kinds of stacks, each in a pytest of its own, and prints a table."""
