"""How long starts, reuse, suites and tear-down take on this machine."""
