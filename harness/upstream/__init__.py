"""The expectations of placement's own suites, as data. Imports nothing of placement's."""
