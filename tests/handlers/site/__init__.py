"""Tests of handlers/site."""
