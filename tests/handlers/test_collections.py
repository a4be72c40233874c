"""The requests of the collections, sent to a service as Postman would."""

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from openapi.contract import published
from openapi.generate.collections import postman
from tests.handlers.conftest import Hub
from tests.openapi.generate.test_collections import requests_in

if TYPE_CHECKING:
    from tests.service import Service

CONTRACTS = {contract.version: contract for contract in published()}


def sent(request: dict[str, Any], variables: dict[str, str]) -> httpx.Response:
    """The response to a request of a collection; what is disabled is left out."""

    def filled(text: str) -> str:
        return re.sub(r"\{\{(.+?)\}\}", lambda match: variables[match[1]], text)

    url = filled(request["url"]["raw"])
    for field in request["url"]["variable"]:
        url = url.replace(f":{field['key']}", filled(field["value"]))
    query = {field["key"]: filled(field["value"]) for field in request["url"]["query"] if not field.get("disabled")}
    headers = {field["key"]: filled(field["value"]) for field in request["header"] if not field.get("disabled")}
    headers["Authorization"] = f"Bearer {variables['apiKey']}"
    content = filled(request["body"]["raw"]) if "body" in request else None
    return httpx.request(request["method"], url, params=query, headers=headers, content=content)


@pytest.mark.parametrize("optional", [False, True], ids=["required alone", "with each optional header"])
def test_each_request_is_one_that_the_service_takes(
    newest: "Service", new_hub: Callable[..., Hub], optional: bool
) -> None:
    """200 or 201, or 404 where an example names what a new service does not have; a second time as well."""
    hub, contract = new_hub(newest), CONTRACTS[newest.version]
    collection = json.loads(postman.emit(contract, newest.url))
    variables = {variable["key"]: variable["value"] for variable in collection["variable"]}
    variables |= {"apiKey": hub.client.headers["Authorization"].removeprefix("Bearer ")}
    for request in requests_in(collection["item"]) * 2:
        for field in request["header"]:
            if optional and field["value"]:
                field.pop("disabled", None)
        response = sent(request, variables | {"$guid": str(uuid4())})
        may_be_absent = request["url"]["variable"] or request["url"]["path"] == ["hub-capability-manifest"]
        assert response.status_code in {200, 201, *([404] if may_be_absent else [])}, response.text
