"""A git repository to read documents from."""

import subprocess
from pathlib import Path


def commit(directory: Path, files: dict[str, str]) -> None:
    """Write `files` into a repository at `directory`, which is made if it is absent, and commit all that is there."""
    directory.mkdir(exist_ok=True)
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    author = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "core.hooksPath=/dev/null")
    for command in (("init", "-q", "-b", "main"), ("add", "-A"), (*author, "commit", "-q", "-m", "Commit.")):
        subprocess.run(["git", *command], cwd=directory, check=True)
