"""Tests of the handlers, through a real socket."""
