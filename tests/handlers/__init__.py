"""Tests of what we do, through a real socket."""
