"""Values of parameters as text, in the styles of OpenAPI 3.0 (RFC 6570)."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from openapi import decimals
from openapi.diff.wire.abridged import More, encoded

_DELIMITERS = {"form": ",", "spaceDelimited": "%20", "pipeDelimited": "%7C"}
_OWN = {"spaceDelimited": " ", "pipeDelimited": "|"}
"""The delimiters that a value cannot contain, because they are percent-encoded themselves."""
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_COOKIE = re.compile(r"[!#-+\--:<-\[\]-~]*")
"""The value of a cookie, without a comma (RFC 6265 section 4.1.1)."""
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""The name of a header field or cookie (RFC 9110 section 5.6.2)."""
_PLAIN = re.compile(r"[A-Za-z0-9_.~:-]+")
_LARGEST_EXACT = 2**53


class UnwritableError(Exception):
    """A place cannot carry a value. The words say why."""


class NeverSentError(UnwritableError):
    """No client sends a value: the request lacks the parameter, or is another one."""


def is_plain(value: Any) -> bool:
    """True if no text in `value` is empty or needs encoding: each server reads it the same."""
    if isinstance(value, str):
        return bool(_PLAIN.fullmatch(value))
    if isinstance(value, dict):
        value = [*value, *value.values()]
    return all(map(is_plain, value)) if isinstance(value, list) else True


def text_of(value: Any) -> str:
    """The text of a single value."""
    if isinstance(value, str):
        return value
    if value is None:
        raise UnwritableError("null has no text")
    if isinstance(value, list | dict):
        raise UnwritableError("a list or object within another one has no text")
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST_EXACT:
        value = int(value)
    return decimals.dumps(value)


def percent(text: str) -> str:
    """`text` percent-encoded, with each delimiter."""
    return quote(text, safe="", errors="replace")


def query(name: str, value: Any, serialization: Mapping[str, Any], may_be_empty: bool = False) -> list[str]:
    """The pairs of a query that give the parameter `name` its `value`, in a `serialization` of style and explode."""
    _refuse_absent(value)
    if value in ("", [""]) and not may_be_empty:
        raise NeverSentError("an empty value needs allowEmptyValue")
    style, is_exploded = serialization.get("style", "form"), serialization.get("explode", True)
    field = key(name)
    if isinstance(value, dict):
        pairs = _pairs(value)
        if style == "deepObject":
            return [_pair(inner, text, "=", lambda part: f"{field}[{percent(part)}]") for inner, text in pairs]
        if style == "form" and is_exploded:
            return [_pair(inner, text, "=", key) for inner, text in pairs]
    elif isinstance(value, list):
        if is_exploded and style in _DELIMITERS:
            return [_pair(item, item, "=", lambda _: field) for item in map(_item, value)]
    elif style == "form":
        return [f"{field}={encoded(text_of(value), percent)}"]
    if style not in _DELIMITERS or is_exploded or not isinstance(value, list | dict):
        raise UnwritableError(f"the style {style} is not for such a value")
    return [f"{field}={_delimited(value, _DELIMITERS[style], _DELIMITERS[style], _without(_OWN.get(style)))}"]


def path(name: str, value: Any, serialization: Mapping[str, Any]) -> str:
    """The part of a path that gives the parameter `name` its `value`."""
    _refuse_absent(value)
    style, is_exploded = serialization.get("style", "simple"), serialization.get("explode", False)
    between = "=" if is_exploded else ","
    if style == "label":
        is_separated = is_exploded and isinstance(value, list | dict)
        written = "." + _delimited(value, "." if is_exploded else ",", between, _without("." if is_separated else None))
    elif style == "matrix":
        key = f";{percent(name)}="
        if is_exploded and isinstance(value, dict):
            written = ";" + _delimited(value, ";", "=", percent)
        else:
            written = key + _delimited(value, key if is_exploded else ",", ",", percent)
    else:
        written = _delimited(value, ",", between, percent)
    if written in ("", ".", ".."):
        raise NeverSentError("a part of a path is neither empty nor dots alone")
    return written


def header(name: str, value: Any, serialization: Mapping[str, Any]) -> str:
    """The value of the header field `name`, in the style simple."""
    _refuse_absent(value)
    token(name)
    written = _delimited(value, ",", "=" if serialization.get("explode") else ",", _header_text(value))
    if _CONTROL.search(written) or written != written.strip(" \t"):
        raise NeverSentError("a header field is one line, without spaces around it")
    return written


def cookie(name: str, value: Any, serialization: Mapping[str, Any]) -> str:
    """The pair that gives the cookie `name` its `value`, in the style form."""
    _refuse_absent(value)
    token(name)
    if serialization.get("explode", True) and (isinstance(value, dict) or (isinstance(value, list) and len(value) > 1)):
        raise UnwritableError("the style form with explode has no cookie for several values")
    return f"{name}={_delimited(value, ',', ',', _cookie_text)}"


def _refuse_absent(value: Any) -> None:
    if value is None or value in ([], {}):
        raise NeverSentError("null, an empty list and an empty object have no text")


def _delimited(value: Any, delimiter: str, between: str, encode: Callable[[str], str]) -> str:
    """A list or object with `delimiter`, and `between` a name and its value; a single value as its text."""
    if isinstance(value, list):
        return delimiter.join(encoded(_item(item), encode) for item in value)
    if isinstance(value, dict):
        return delimiter.join(_pair(name, text, between, encode, encode) for name, text in _pairs(value))
    return encoded(text_of(value), encode)


def _item(value: Any) -> str:
    return value if isinstance(value, str) else text_of(value)


def _pairs(value: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, name if isinstance(name, More) else text_of(inner)) for name, inner in value.items()]


def _pair(
    name: str, text: str, between: str, encode_name: Callable[[str], str], encode: Callable[[str], str] = percent
) -> str:
    if isinstance(name, More):
        return str(name)
    return f"{encoded(name, encode_name)}{between}{encoded(text, encode)}"


def key(name: str) -> str:
    """The name of a parameter in a query."""
    return quote(name, safe="/[]$:@", errors="replace")


def token(name: str) -> str:
    """`name`; UnwritableError unless a header field or a cookie can have it."""
    if not _TOKEN.fullmatch(name):
        raise UnwritableError("a name is not one of a header field or cookie")
    return name


def _without(own: str | None) -> Callable[[str], str]:
    """Percent-encodes texts that do not contain the delimiter `own`."""

    def encode(text: str) -> str:
        if own and own in text:
            raise UnwritableError("a value contains the delimiter of its style")
        return percent(text)

    return encode


def _header_text(value: Any) -> Callable[[str], str]:
    def encode(text: str) -> str:
        if isinstance(value, list | dict) and re.search("[,=]", text):
            raise UnwritableError("a value contains a delimiter, which a header field does not encode")
        return text

    return encode


def _cookie_text(text: str) -> str:
    if _CONTROL.search(text):
        raise NeverSentError("a cookie is one line")
    if not _COOKIE.fullmatch(text):
        raise UnwritableError("a value contains characters that a cookie does not carry")
    return text
