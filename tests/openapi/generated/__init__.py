"""Tests of the generated types."""
