"""Submissions of events and annotations: each is validated on its own, stored once, and answered after its commit."""
