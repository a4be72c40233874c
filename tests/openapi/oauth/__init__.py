"""Tests of openapi/oauth."""
