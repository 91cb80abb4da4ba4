"""Changes a stack while requests flow: scale, restart, upgrade, settings, code. Starts no stack."""
