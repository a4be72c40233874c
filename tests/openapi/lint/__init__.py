"""Tests of openapi/lint."""
