"""Concurrent calls through several replicas, judged by what placement promises; no suites."""
