"""The code blocks, links and anchors of the main README and of the rooms' READMEs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from tests.test_layers import ROOT

READMES = (ROOT / "README.md", *sorted(ROOT.glob("[a-z]*/README.md")))


@dataclass(frozen=True)
class Block:
    """A code block, and the nearest heading above it."""

    path: Path
    heading: str
    language: str
    text: str


@dataclass(frozen=True)
class Link:
    """The target of a link in the file at `path`."""

    path: Path
    target: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}: {self.target}"


def _parts(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield prose and code in turn: heading, language (empty for prose) and text."""
    heading = ""
    for number, part in enumerate(re.split(r"^ *```", path.read_text(), flags=re.MULTILINE)):
        if number % 2:
            language, _, text = part.partition("\n")
            yield heading, language, dedent(text)
        else:
            *_, heading = [heading, *re.findall(r"^#+ (.+)$", part, re.MULTILINE)]
            yield heading, "", part


BLOCKS = [
    Block(path, heading, language, text) for path in READMES for heading, language, text in _parts(path) if language
]


def blocks(heading: str, language: str = "sh") -> list[str]:
    """The texts of the code blocks in `language` below `heading`."""
    return [block.text for block in BLOCKS if (block.heading, block.language) == (heading, language)]


def _prose(path: Path) -> str:
    return "".join(text for _, language, text in _parts(path) if not language)


LINKS = [Link(path, target) for path in READMES for target in re.findall(r"\]\(([^)]+)\)", _prose(path))]


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub makes from the headings of a file."""
    headings = re.findall(r"^#+ (.+)$", _prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def arrows(path: Path) -> dict[str, set[str]]:
    """The table of a room: the name of each folder or module, and the names in its last column."""
    rows = re.findall(r"^\| `([^`]+)` \|.*\| ([^|]*) \|$", _prose(path).split("\n## ")[0], re.MULTILINE)
    return {name: set(re.findall(r"`([^`]+)`", cell)) for name, cell in rows}
