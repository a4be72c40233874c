"""Tests of the client for Python; the numbers in their names are those of what the client promises."""
