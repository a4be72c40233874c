"""Tests of scripts/trials."""
