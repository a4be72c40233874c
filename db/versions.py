"""Contract versions, such as 1.10."""


def major_of(version: str) -> int:
    """Its first number."""
    return int(version.partition(".")[0])
