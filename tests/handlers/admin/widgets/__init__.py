"""Tests of the pages of widgets."""
