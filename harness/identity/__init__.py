"""Turns credentials into tokens through keystone's API. Knows nothing of placement."""
