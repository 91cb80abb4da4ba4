"""What is known of a stack, and how it is kept on disk. Asks no container."""
