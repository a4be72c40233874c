"""The facts: each change between two documents, its effect on the wire, and how its break is proved."""
