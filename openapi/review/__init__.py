"""Two states of a document reviewed at once: its faults, its changes, and the version that it needs."""
