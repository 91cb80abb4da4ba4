"""Turns credentials into tokens: keystone's API, and nothing of placement."""
