"""The matrix: the same suites on many kinds of stacks, one after the other."""
