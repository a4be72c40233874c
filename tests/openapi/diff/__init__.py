"""Tests of openapi/diff."""
