"""Credentials become tokens. Knows keystone's API, and nothing of placement."""
