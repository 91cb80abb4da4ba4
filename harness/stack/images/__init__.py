"""Finds the images that a stack needs, builds those that are missing. Starts no stack."""
