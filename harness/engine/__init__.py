"""The container engine: containers, images, networks, events. Knows nothing of placement."""
