"""Formats and rules of HTTP, JSON and date-times, each as its standard defines it."""
