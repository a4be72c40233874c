"""Submissions, events and annotations alike: each is validated alone, stored once, answered after its commit."""
