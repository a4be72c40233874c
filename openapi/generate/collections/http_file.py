"""Requests in a file `.http`, which the REST Client of Visual Studio Code sends one by one."""

from urllib.parse import quote, urlencode

from openapi.contract import Document
from openapi.generate import comments
from openapi.generate.collections.sample_requests import (
    SampleRequest,
    client_credentials,
    filled,
    harmless,
    sample_requests,
)


def emit(document: Document, url: str) -> str:
    """The file for the service at `url`; its user fills in the variables at the top."""
    info = document.document["info"]
    head = comments.of_python(harmless(f"{info.get('title', '')} {info.get('version', '')}"), "")
    base = f"@baseUrl = {_one_line(url + document.server_path)}\n"
    flow = client_credentials(document)
    if not flow:
        credentials, bearer = "@apiKey =\n", "{{apiKey}}"
    else:
        address = str(flow.get("tokenUrl", ""))
        form = urlencode({"grant_type": "client_credentials", "scope": " ".join(flow.get("scopes", {}))})
        credentials = (
            "@clientId =\n@clientSecret =\n\n### A token\n# @name token\n"
            f"POST {_one_line(url + address if address.startswith('/') else address)}\n"
            "Authorization: Basic {{clientId}}:{{clientSecret}}\n"
            f"Content-Type: application/x-www-form-urlencoded\n\n{form}\n"
        )
        bearer = "{{token.response.body.access_token}}"
    requests = [_request(request, bearer) for request in sample_requests(document)]
    return "\n".join([head + base + credentials, *requests])


def _request(request: SampleRequest, bearer: str) -> str:
    """A request; the optional parameters are comments, where they belong once they are none."""
    required = [field for field in request.query if field.is_required]
    query = (
        f"?{urlencode({field.name: field.value for field in required}, quote_via=quote, errors='replace')}"
        if required
        else ""
    )
    optional = [f"# ?{_quoted(field.name)}={_quoted(field.value)}" for field in request.query if not field.is_required]
    headers = [("Authorization", f"Bearer {bearer}")] if request.has_credentials else []
    headers += [(field.name, field.value) for field in request.headers if field.is_required]
    headers += [("Content-Type", request.media_type)] if request.media_type else []
    comment = [f"# {field.name}: {_one_line(field.value)}" for field in request.headers if not field.is_required]
    lines = [
        f"### {_one_line(request.name)}",
        f"{request.method} {{{{baseUrl}}}}{_one_line(filled(request))}{query}",
        *optional,
        *[_one_line(f"{name}: {value}") for name, value in headers],
        *map(_one_line, comment),
    ]
    return "\n".join(lines) + (f"\n\n{request.body.strip()}\n" if request.body else "\n")


def _one_line(text: str) -> str:
    """`text` without line breaks and other characters that are not seen."""
    return " ".join(comments.lines(text))


def _quoted(text: str) -> str:
    return quote(text, errors="replace")
