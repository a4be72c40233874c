"""Tests of how two documents are compared."""
