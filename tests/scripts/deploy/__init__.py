"""What an operator installs: the files of scripts/deploy."""
