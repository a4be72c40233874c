"""A contract for readers elsewhere: its URLs are absolute, so that a tool that has only the file finds the service."""

from collections.abc import Iterator

from openapi.contract import Contract
from openapi.document_text import Parts

_OAUTH_URLS = ("authorizationUrl", "tokenUrl", "refreshUrl")


def served_copy(contract: Contract, public_url: str) -> Contract:
    """`contract`; with a `public_url`, the URLs of servers and OAuth endpoints that are paths become absolute."""
    if not public_url:
        return contract
    paths = {parts: url for parts, url in _urls(contract) if url.startswith("/") and not url.startswith("//")}
    return contract.with_strings({parts: public_url + path for parts, path in paths.items()}) if paths else contract


def _urls(contract: Contract) -> Iterator[tuple[Parts, str]]:
    """Each URL of a server of the document, a path item or an operation, and of an OAuth flow, with its place."""
    owners: list[Parts] = [(), *(operation.pointer for operation in contract.operations)]
    owners += list(dict.fromkeys(("paths", operation.path) for operation in contract.operations))
    for owner in owners:
        node = contract.document
        for part in owner:
            node = node.get(part, {})
        for index, server in enumerate(node.get("servers") or []):
            if isinstance(server.get("url"), str):
                yield (*owner, "servers", str(index), "url"), server["url"]
    for name, scheme in contract.document.get("components", {}).get("securitySchemes", {}).items():
        for flow, declared in scheme.get("flows", {}).items():
            for key in declared.keys() & set(_OAUTH_URLS):
                yield ("components", "securitySchemes", name, "flows", flow, key), str(declared[key])
