"""Tables of the databases and configuration sources that a stack can have. Starts none."""
