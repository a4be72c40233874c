"""The scopes that OAuth clients may be given: those that the served contracts define."""

import difflib
from collections.abc import Collection, Iterable

from db.errors import Refused


def granted(known: Collection[str], scopes: Iterable[str]) -> list[str]:
    """`scopes`, each once; Refused if there is none, or unless each is among the `known` ones."""
    if not known:
        raise Refused("no served contract accepts access tokens: see 'interaction-reporting contract list'")
    given = list(dict.fromkeys(scopes))
    for scope in given:
        if scope not in known:
            nearest = difflib.get_close_matches(scope, known, n=1)
            hint = f"; did you mean {nearest[0]}?" if nearest else f"; choose from {', '.join(known)}"
            raise Refused(f"there is no scope {scope!r}{hint}")
    if not given:
        raise Refused(f"a client needs a scope; choose from {', '.join(known)}")
    return given
