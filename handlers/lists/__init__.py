"""Lists of all nouns: pages, cursors and exports."""
