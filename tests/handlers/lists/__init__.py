"""Tests of handlers/lists."""
