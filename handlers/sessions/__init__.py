"""Signing in to pages: cookies, forms and passwords, whoever signs in."""
