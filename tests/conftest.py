"""Fixtures are in `databases` and `service`, which only the tests that need them load."""
