"""Finds the placement that replicas run: a release, a checkout or a package. Starts none."""
