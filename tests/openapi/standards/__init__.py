"""Tests of openapi/standards."""
