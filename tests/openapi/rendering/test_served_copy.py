"""The copy of a contract for readers elsewhere."""

from typing import Any

import pytest
import yaml

from openapi.contract import Contract, published
from openapi.rendering.served_copy import served_copy

URL = "https://reports.example"
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "T", "version": "1.0"},
    "servers": [{"url": "/api"}, {"url": "https://other.example/api"}, {"url": "//third.example/api"}],
    "paths": {
        "/a": {
            "servers": [{"url": "/of-path"}],
            "get": {"operationId": "a", "servers": [{"url": "/of-operation"}], "responses": {}},
        }
    },
}


@pytest.mark.parametrize("contract", published(), ids=lambda contract: contract.version)
def test_the_text_differs_in_its_urls_alone(contract: Contract) -> None:
    """Every other line, with its layout, is that of the published text; the text and the document agree."""
    copy = served_copy(contract, URL)
    lines = zip(contract.text.splitlines(), copy.text.splitlines(), strict=True)
    changed = [(old.strip(), new.strip()) for old, new in lines if old != new]
    expected = [(f"- url: /api/v{contract.major}", f'- url: "{URL}/api/v{contract.major}"')]
    expected += [("tokenUrl: /oauth/token", f'tokenUrl: "{URL}/oauth/token"')] if contract.scopes else []
    assert changed == expected
    assert Contract.read(copy.text).document == copy.document
    assert contract.document["servers"][0]["url"].startswith("/")


def test_urls_are_absolute_wherever_servers_stand() -> None:
    """In the document, a path item and an operation; a URL with a host of its own stays."""
    copy = served_copy(Contract.read(yaml.safe_dump(DOCUMENT)), URL).document
    assert [server["url"] for server in copy["servers"]] == [
        f"{URL}/api",
        *("https://other.example/api", "//third.example/api"),
    ]
    item = copy["paths"]["/a"]
    assert (item["servers"], item["get"]["servers"]) == ([{"url": f"{URL}/of-path"}], [{"url": f"{URL}/of-operation"}])


def test_a_document_of_json_stays_one() -> None:
    """The copy of a document that was published as JSON is JSON."""
    contract = Contract.read(
        '{"openapi": "3.0.3",\n\t"info": {"title": "T", "version": "1.0"}, "servers": [{"url": "/api"}]}'
    )
    assert served_copy(contract, URL).text == (
        '{"openapi": "3.0.3", "info": {"title": "T", "version": "1.0"}, "servers": [{"url": "https://reports.example/api"}]}'
    )


def test_a_document_without_such_urls_is_its_own_copy() -> None:
    """Nothing is written anew."""
    contract = served_copy(published()[0], URL)
    assert served_copy(contract, URL) is contract


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        ("- url: >-\n    /v1\n  description: d\n", ["/v1"]),
        ("- url: |-\n    /v1\n- url: '/v2'\n# A comment.\n", ["/v1", "/v2"]),
        ('- {description: "\U0001f600 \u00fc", "url": /\U0001f600}\n', ["/\U0001f600"]),
        ('- url: "/\\u0085\\u2028"\n', ["/\x85\u2028"]),
    ],
    ids=["folded", "literal", "beyond the first plane", "controls"],
)
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte order mark"])
def test_a_url_may_be_written_in_any_way(mark: str, servers: str, expected: list[str]) -> None:
    """The text of the copy is YAML of the same document."""
    head = 'openapi: "3.0.3"\ninfo: {title: "\u00fc", version: "1.0"}\npaths: {}\n'
    copy = served_copy(Contract.read(mark + head + "servers:\n" + servers), URL)
    assert Contract.read(copy.text).document == copy.document
    assert [server["url"] for server in copy.document["servers"]] == [URL + path for path in expected]
