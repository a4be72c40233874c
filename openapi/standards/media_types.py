"""The media types that the service reads and writes (RFC 6838), each with the standard that defines it."""

HTML = "text/html"
"""WHATWG HTML."""
