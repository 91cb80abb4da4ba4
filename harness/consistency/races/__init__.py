"""Pairs of calls at the same moment, and a model of placement that says what they may do."""
