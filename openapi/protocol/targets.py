"""The target of a request (RFC 9112 section 3.2): the path and the query that it names, in each of its forms."""

import re
from urllib.parse import unquote

from openapi.serving.live import WHOLE_SERVER

_ASTERISK = WHOLE_SERVER.encode("ascii")
_HIGHEST_PORT = 65535
_ABSOLUTE = re.compile(
    rb"""[A-Za-z][A-Za-z0-9+.-]*+://
    (?:(?:[\w.~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*+@)?
    (?:
        (?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})++
        |\[(?:[0-9A-Fa-f:.]++(?:%[\w.~%-]++)?|[Vv][0-9A-Fa-f]++\.[\w.~!$&'()*+,;=:-]++)\]
    )
    (?::0*+([0-9]{0,5}+))?
    (/[^?#]*+)?
    (?:\?([^#]*+))?
    (?:\#.*+)?""",
    re.VERBOSE,
)
"""An absolute URI (RFC 3986): its port without leading zeros, its path and its query.

`httptools.parse_url` would refuse an empty path, an empty port, and some host names of that RFC.
"""


def parts(method: bytes, target: bytes) -> tuple[bytes, bytes]:
    """The path and the query of `target`, percent-encoded as sent; ValueError if it is malformed.

    An empty path is "/", or WHOLE_SERVER if the method is OPTIONS (RFC 9110 section 4.2.3, RFC 9112 section 3.2.4).
    """
    if target[:1] == b"/":  # nearly every request; httptools has checked its characters
        path, _, query = (target.partition(b"#")[0] if b"#" in target else target).partition(b"?")
        return path, query
    if target == _ASTERISK and method == b"OPTIONS":
        return _ASTERISK, b""
    absolute = _ABSOLUTE.fullmatch(target)
    if not absolute or int(absolute[1] or b"0") > _HIGHEST_PORT:
        raise ValueError("the target has none of the forms of RFC 9112")
    is_for_whole_server = method == b"OPTIONS" and absolute[2] is None and absolute[3] is None
    return absolute[2] or (_ASTERISK if is_for_whole_server else b"/"), absolute[3] or b""


def path_of(target: bytes) -> str:
    """The decoded path of `target`; empty if it is malformed."""
    try:
        return unquote(parts(b"", target)[0].decode("ascii"))
    except ValueError:
        return ""
