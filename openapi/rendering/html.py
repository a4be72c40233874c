"""HTML pages that show text: one frame, and a policy (CSP Level 3) that allows only the style of the page.

markupsafe escapes: a `str` is text, a `Markup` is HTML.
"""

import re
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256

from markupsafe import Markup

_STYLE = Markup("body{font:1rem/1.5 sans-serif;margin:2rem}td,th{text-align:left;vertical-align:top}")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Characters that HTML does not allow (WHATWG HTML section 13.1.4), and that a terminal obeys."""
_POLICY = Markup("default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'")
_PAGE = Markup(
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><title>{title}</title>\n'
    '<meta http-equiv="Content-Security-Policy" content="{policy}"><style>{style}</style></head>\n'
    "<body><h1>{title}</h1>\n{content}\n</body></html>\n"
)


class Layout:
    """The frame of pages with one style: the common rules, then `rules`."""

    def __init__(self, rules: Markup) -> None:
        self._style = _STYLE + rules
        digest = b64encode(sha256(self._style.encode()).digest()).decode()
        self._policy = _POLICY.format(digest)
        self.policy = f"{self._policy}; frame-ancestors 'none'"
        """The value of the header Content-Security-Policy; only a header can restrict frames (frame-ancestors)."""

    def page(self, title: str, content: Markup) -> str:
        """A page. It carries its policy, so that it is just as harmless when it is opened from a file."""
        page = str(_PAGE.format(title=title, policy=self._policy, style=self._style, content=content))
        return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", page)


def each(element: Markup, values: Iterable[str]) -> Markup:
    """An `element` for each of `values`."""
    return Markup("").join(element.format(value) for value in values)
