"""Tests of what a person runs, run as a person does."""
