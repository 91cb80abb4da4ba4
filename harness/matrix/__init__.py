"""The suites on many kinds of stacks, one pytest a cell, and a table of what came of them."""
