"""Clients of the parts of a running stack, a module for each part. Starts and stops nothing."""
