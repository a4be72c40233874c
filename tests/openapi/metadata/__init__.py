"""Tests of openapi/metadata."""
