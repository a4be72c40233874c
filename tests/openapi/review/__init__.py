"""Tests of `openapi.review`."""
