"""The commands of operators and reviewers."""
