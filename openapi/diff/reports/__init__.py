"""The words: changes as text, Markdown, HTML and JSON, and the changelog of a contract."""
