"""Tests of handlers/live."""
