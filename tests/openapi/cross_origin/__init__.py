"""Tests of openapi/cross_origin."""
