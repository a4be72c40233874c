"""Tests that the running service keeps its contract, and that a broken promise is found."""
