"""The linter of contract documents."""
