"""Turns options, environment variables and ini settings into a plan. Starts nothing."""
