"""Requests to try a service with, for the programs that send them."""
