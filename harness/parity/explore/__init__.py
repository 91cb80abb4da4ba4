"""Finds differences between two targets by itself: sequences of calls, made by Hypothesis."""
