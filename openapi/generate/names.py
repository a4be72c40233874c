"""Names of a document in the parts that all languages make names from."""

import re


def words(name: str) -> list[str]:
    """The words in a name of whatever style: `getURLs_of-2` has get, URLs, of and 2."""
    return re.findall(r"[A-Z]+(?![a-z])s?|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+", name)


def pascal(name: str) -> str:
    """A name as one word, with a capital for each word."""
    return "".join(word[0].upper() + word[1:] for word in words(name))


def snake(name: str) -> str:
    """A name in lower case, with an underscore between its words."""
    return "_".join(word.lower() for word in words(name))


def camel(name: str) -> str:
    """A name as one word, with a capital for each word but the first."""
    first, *rest = [*words(name), ""]
    return first.lower() + "".join(word[:1].upper() + word[1:].lower() for word in rest)
