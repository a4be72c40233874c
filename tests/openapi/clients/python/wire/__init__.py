"""Tests of connections, answers and pauses."""
