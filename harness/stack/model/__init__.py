"""Data about a stack, and its files on disk. Asks no container."""
