"""A collection in the format of Postman 2.1, which Insomnia, Bruno and Hoppscotch read, too."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from openapi.contract import Document
from openapi.generate.collections.sample_requests import (
    Field,
    SampleRequest,
    client_credentials,
    harmless,
    sample_requests,
)

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
BASE = "{{baseUrl}}"


def emit(document: Document, url: str) -> str:
    """The collection for the service at `url`, as JSON. Its variables hold the credentials."""
    info = document.document["info"]
    flow = client_credentials(document)
    secrets = ["clientId", "clientSecret"] if flow else ["apiKey"]
    variables = [{"key": "baseUrl", "value": url + document.server_path}]
    variables += [{"key": name, "value": "", "type": "string"} for name in secrets]
    collection = {
        "info": {
            "name": harmless(f"{info.get('title', '')} {info.get('version', '')}"),
            "description": harmless(str(info.get("description", ""))),
            "schema": SCHEMA,
        },
        "auth": _oauth(flow, url) if flow else _auth("bearer", {"token": "{{apiKey}}"}),
        "variable": variables,
        "item": _folders(sample_requests(document)),
    }
    return json.dumps(collection, indent=1) + "\n"


def _oauth(flow: Mapping[str, Any], url: str) -> dict[str, Any]:
    """The client credentials grant, with every scope."""
    address = str(flow.get("tokenUrl", ""))
    return _auth(
        "oauth2",
        {
            "grant_type": "client_credentials",
            "accessTokenUrl": url + address if address.startswith("/") else address,
            "clientId": "{{clientId}}",
            "clientSecret": "{{clientSecret}}",
            "scope": " ".join(flow.get("scopes", {})),
            "client_authentication": "header",
            "addTokenTo": "header",
        },
    )


def _auth(kind: str, values: Mapping[str, str]) -> dict[str, Any]:
    return {"type": kind, kind: [{"key": key, "value": value, "type": "string"} for key, value in values.items()]}


def _folders(requests: Sequence[SampleRequest]) -> list[dict[str, Any]]:
    """A folder for each tag; what has none stands beside the folders."""
    folders: dict[str, list[dict[str, Any]]] = {}
    for request in requests:
        folders.setdefault(request.folder, []).append(_item(request))
    named = [{"name": name, "item": items} for name, items in folders.items() if name]
    return named + folders.get("", [])


def _item(request: SampleRequest) -> dict[str, Any]:
    names = {field.name for field in request.path_fields}
    segments = [
        f":{segment[1:-1]}" if segment[1:-1] in names and segment == f"{{{segment[1:-1]}}}" else segment
        for segment in harmless(request.path).strip("/").split("/")
    ]
    url: dict[str, Any] = {
        "raw": "/".join([BASE, *segments]),
        "host": [BASE],
        "path": segments,
        "query": [_field(field) for field in request.query],
        "variable": [_field(field) for field in request.path_fields],
    }
    headers = [_field(field) for field in request.headers]
    written: dict[str, Any] = {"method": request.method, "description": request.description, "url": url}
    if request.body is not None:
        headers.append({"key": "Content-Type", "value": request.media_type or ""})
        written["body"] = {"mode": "raw", "raw": request.body}
    if not request.has_credentials:
        written["auth"] = {"type": "noauth"}
    return {"name": request.name, "request": written | {"header": headers}}


def _field(field: Field) -> dict[str, Any]:
    """A parameter; an optional one is there, but not sent."""
    written = {"key": field.name, "value": field.value, "description": field.description}
    return written if field.is_required else written | {"disabled": True}
