"""Tests of openapi/schemas."""
