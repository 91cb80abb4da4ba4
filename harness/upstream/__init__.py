"""What placement's own suites expect, as data. Imports nothing of placement's."""
