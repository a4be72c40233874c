"""Tests of handlers/security."""
