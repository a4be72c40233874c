"""Tests of handlers/portal."""
