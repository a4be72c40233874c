"""Contracts and problems as people read them: Markdown and HTML."""
