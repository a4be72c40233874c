"""Texts of a document as comments: whatever they hold, they end no comment and no string of a language."""

import re
import textwrap
import unicodedata

WIDTH = 100
"""Characters of a line, without indentation."""
_BLOCK = re.compile(r"\n\s*(?=\n)|\n(?=\s*(?:[-*+#>|]|\d+\.|```))")
"""Between two paragraphs, and before an item, a heading, a row or code of Markdown."""
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
"""Categories of characters that end a line somewhere, reorder a text (bidirectional marks), or cannot be encoded."""


def lines(text: str) -> list[str]:
    """`text` in lines of visible characters; paragraphs are filled anew, and items of a list stay apart."""
    result: list[str] = []
    for block in _BLOCK.split("\n".join(text.splitlines()).strip()):
        seen = "".join(" " if unicodedata.category(character) in _UNSEEN else character for character in block.strip())
        result += [""] if block.startswith("\n") else []
        result += textwrap.wrap(seen, WIDTH, break_on_hyphens=False) or [""]
    return result if any(result) else []


def of_python(text: str, indent: str) -> str:
    """Lines of `#` comments, each with `indent` before it."""
    return "".join(f"{indent}# {line}".rstrip() + "\n" for line in lines(text))


def docstring(text: str, indent: str) -> str:
    """A docstring, with `indent` before each line; empty without a text."""
    escaped = [_within_quotes(line) for line in lines(text)]
    if len(escaped) <= 1:
        return "".join(f'{indent}"""{line}"""\n' for line in escaped)
    rest = "".join(f"{indent}{line}".rstrip() + "\n" for line in escaped[1:])
    return f'{indent}"""{escaped[0]}\n{rest}{indent}"""\n'


def of_typescript(text: str, indent: str) -> str:
    """A JSDoc comment, with `indent` before each line; empty without a text."""
    escaped = [line.replace("*/", "*\\/") for line in lines(text)]
    if len(escaped) <= 1:
        return "".join(f"{indent}/** {line} */\n" for line in escaped)
    return f"{indent}/**\n" + "".join(f"{indent} * {line}".rstrip() + "\n" for line in escaped) + f"{indent} */\n"


def _within_quotes(line: str) -> str:
    """A line of a docstring; quotes that could be those that end it are escaped."""
    escaped = line.replace("\\", "\\\\")
    return escaped.replace('"', '\\"') if '"""' in line or line.endswith('"') else escaped
