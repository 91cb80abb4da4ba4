"""Data about a stack, and its files on disk. Changes no container."""
