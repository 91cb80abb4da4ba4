"""The databases and configuration sources that a stack can have, as tables."""
