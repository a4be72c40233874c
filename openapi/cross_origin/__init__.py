"""Requests of pages in browsers to another origin: which origins there are, and the headers that let pages read."""
