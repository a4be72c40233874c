"""How documents are read for comparison."""
