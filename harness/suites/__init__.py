"""Turns gabbi's suites into pytest items. No other room imports gabbi."""
