"""Tests that the running service keeps its contract, and that what checks this can fail."""
