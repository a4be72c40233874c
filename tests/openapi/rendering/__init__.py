"""Tests of openapi/rendering."""
