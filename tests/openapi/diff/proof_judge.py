"""Requests of proofs, read as a server reads them, and judged by openapi-core.

This module shares no code with the comparison of documents, so that no fault can hide in both.
"""

import json
import re
from dataclasses import dataclass, field
from email.parser import Parser
from http.cookies import SimpleCookie
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict

HOST = "http://localhost"
_CONFIG = Config(extra_media_type_deserializers={"application/problem+json": json.loads})


class Sent(NamedTuple):
    """A request that a message shows; the text of its body is empty without one."""

    method: str
    target: str
    headers: dict[str, str]
    text: str


def sent(message: str) -> Sent:
    """The request of `message`."""
    line, _, rest = message.partition("\n")
    head, _, text = rest.partition("\n\n")
    method, target, version = line.split(" ")
    assert version == "HTTP/1.1"
    return Sent(method, target, dict(Parser().parsestr(head).items()), text)


@dataclass
class _Request:
    """A request in the form of openapi-core."""

    method: str
    path: str
    parameters: RequestParameters
    content_type: str
    body: bytes | None
    host_url: str = field(default=HOST)


def refusal(document: dict[str, Any], message: str) -> str | None:
    """The reason why `document` refuses the request of `message`, by openapi-core; None if it accepts it."""
    request = sent(message)
    url = urlsplit(request.target)
    base = urlsplit(document.get("servers", [{"url": ""}])[0]["url"]).path
    (template,) = document["paths"]
    (operation,) = document["paths"][template].values()
    declared = operation.get("parameters", [])
    cookies = SimpleCookie(request.headers.get("Cookie", ""))
    parameters = RequestParameters(
        query=_query(url.query, declared),
        header=Headers(request.headers),
        cookie=ImmutableMultiDict({name: morsel.value for name, morsel in cookies.items()}),
        path=_path(url.path.removeprefix(base), template, declared),
    )
    media_type = request.headers.get("Content-Type", "")
    body = request.text.encode() if media_type else None
    try:
        OpenAPI.from_dict({**document, "servers": [{"url": HOST + base}]}, config=_CONFIG).validate_request(
            _Request(request.method.lower(), url.path, parameters, media_type, body)
        )
    except OpenAPIError as error:
        return f"{error}: {error.__cause__}"
    return None


def _query(query: str, declared: list[dict[str, Any]]) -> ImmutableMultiDict[str, str]:
    """The pairs of a query, in the forms that openapi-core expects.

    It splits the style spaceDelimited at the text `%20`, and takes an exploded object for a parameter of its own.
    """
    pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    for parameter in declared:
        name, style = parameter["name"], parameter.get("style", "form")
        if parameter["in"] != "query":
            continue
        if style == "spaceDelimited":
            pairs = [(key, value.replace(" ", "%20") if key == name else value) for key, value in pairs]
        is_exploded = style == "form" and parameter.get("explode", True)
        if is_exploded and parameter.get("schema", {}).get("type") == "object":
            own = parameter["schema"]["properties"]
            object_pairs = [f"{key}={value}" for key, value in pairs if key in own]
            pairs = [(key, value) for key, value in pairs if key not in own] + [(name, "&".join(object_pairs))]
    return ImmutableMultiDict(pairs)


def _path(path: str, template: str, declared: list[dict[str, Any]]) -> dict[str, str]:
    """The parameters of a path; those in the styles label and matrix by their names in RFC 6570."""
    names = re.findall(r"\{(.*?)\}", template)
    match = re.fullmatch(re.sub(r"\{.*?\}", "([^/]+)", template), path)
    assert match, path
    values = {}
    for name, text in zip(names, match.groups(), strict=True):
        (parameter,) = [parameter for parameter in declared if parameter["name"] == name]
        prefix = {"label": ".", "matrix": ";"}.get(parameter.get("style", "simple"), "")
        key = prefix + name + ("*" if prefix and parameter.get("explode") else "")
        values[key] = unquote(text)
    return values
