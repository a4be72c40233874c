"""`interaction-reporting fuzz`: Schemathesis against a fresh service, with every check on."""


def fuzz() -> None:
    """X"""
