"""Tests of openapi/protocol."""
