"""How the parts of a running stack are spoken to, one module a part. Starts and stops nothing."""
