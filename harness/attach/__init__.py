"""Puts replicas in place of an existing cloud's placement, and takes them out again.

Nothing of the cloud is changed here: its database is read, its Apache's lines are printed.
"""
