"""Tests of handlers/submissions."""
