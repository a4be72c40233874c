"""Tests of the commands and the service, run as an operator runs them."""
