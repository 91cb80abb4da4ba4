"""Which images a stack needs, how they are built, and what is in them. Starts no stack."""
