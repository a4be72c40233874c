"""An event of a type that the service would take, as the command that sends it."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from handlers.contracts.publications import Publication
from handlers.portal.first_event import OPERATION, WIDGET, credentials_of, curl
from openapi import decimals
from openapi.contract import ContractError
from openapi.metadata.examples import example
from openapi.rendering.visible_text import visible
from openapi.requests.body_validator import BodyValidator
from openapi.standards import ijson

_INDENT = "  "


@dataclass(frozen=True, slots=True)
class Example:
    """The command, the version of the contract that takes its event, and what authenticates the hubs of that.

    Without a command, `fault` says why.
    """

    curl: str = ""
    version: str = ""
    credentials: str = ""
    fault: str = ""


def example_event(name: str, schema: dict[str, Any] | None, publication: Publication | None, url: str) -> Example:
    """An event of the type `name` that the contract and the schema of its metadata accept; `url` is the service's."""
    if publication is None or publication.contract is None:
        return Example(fault="No contract is active, so that the service takes no events.")
    metadata = None if schema is None else _metadata(decimals.dumps(schema))
    if schema is not None and metadata is None:
        return Example(
            fault="No metadata were found that the schema accepts, so that there is no example: see the schema below."
        )
    event: dict[str, Any] = {
        "widget_id": WIDGET,
        "event_type": name,
        "occurred_at": "2026-03-31T12:00:00Z",
        **({"metadata": metadata} if metadata else {}),
    }
    try:
        problem = _validator(publication).problem_of(_as_argument(event).encode())
    except ContractError as error:
        return Example(fault=f"No event can be checked: {error}.")
    contract = publication.contract
    if problem:
        return Example(fault=f"The contract {contract.version} refuses every event that was tried: {problem.error}.")
    return Example(curl(contract, url, _as_argument(event)) or "", contract.version, credentials_of(contract))


@lru_cache(maxsize=256)
def _metadata(schema: str) -> dict[str, Any] | None:
    """An example of metadata for a schema in JSON: some take hundredths of a second."""
    return example(ijson.loads(schema.encode()))


@lru_cache(maxsize=4)
def _validator(publication: Publication) -> BodyValidator:
    """Compiled once, which takes a tenth of a second."""
    if publication.contract is None:
        raise ContractError(publication.fault or "")
    return BodyValidator(publication.contract, OPERATION)


def _as_argument(event: dict[str, Any]) -> str:
    """`event` as JSON that a shell takes as it is between single quotes."""
    text = visible(decimals.dumps(event, ensure_ascii=False, indent=2)).replace("'", "\\u0027")
    return text.replace("\n", f"\n{_INDENT}")
