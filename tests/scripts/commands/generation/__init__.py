"""The commands that generate code."""
