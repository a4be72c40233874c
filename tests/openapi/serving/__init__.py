"""Tests of openapi/serving."""
