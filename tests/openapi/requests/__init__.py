"""Tests of openapi/requests."""
