"""A placement cluster in containers: described, started, changed, taken down. Judges no answers."""
