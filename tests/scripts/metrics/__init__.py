"""Tests of the metrics: what they count, and how processes share it."""
