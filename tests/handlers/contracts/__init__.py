"""Tests of handlers/contracts."""
