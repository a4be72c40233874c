"""Tests of handlers/pages."""
