"""placement's own functional suites: what they take for granted, and a real stack has not."""
