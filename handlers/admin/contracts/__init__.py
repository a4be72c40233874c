"""The contracts: which govern, what a document would change, and the steps of its life."""
