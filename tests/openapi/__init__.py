"""Tests of what we promise."""
