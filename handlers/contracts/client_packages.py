"""What a contract is made into for its callers: clients, and requests to try it with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from openapi.contract import Contract, ContractError
from openapi.generate.client_model import ClientModel
from openapi.generate.client_operations import client_model
from openapi.generate.collections import http_file, postman
from openapi.generate.languages.packages import Package, npm_tarball, python_wheel
from openapi.generate.openapi_generator.prepared_documents import PreparedDocument, prepare
from openapi.generate.openapi_generator.recipes import Recipe, recipe
from openapi.problems import Problem
from openapi.rendering.representations import Representation
from openapi.rendering.served_copy import served_copy
from openapi.standards.media_types import JSON

LANGUAGES: Mapping[str, tuple[Callable[[ClientModel], Package], str]] = {
    "python": (python_wheel, "pip install {url}"),
    "typescript": (npm_tarball, "npm install {url}"),
}
"""By language: what makes its package from a model of a client, and the command that installs it."""
COLLECTIONS: Mapping[str, tuple[Callable[[Contract, str], str], str, str]] = {
    "collection": (postman.emit, JSON, "json"),
    "http": (http_file.emit, "text/plain; charset=utf-8", "http"),
}
"""By name: what makes the requests, their media type, and the suffix of their file."""


@dataclass(slots=True)
class ClientPackages:
    """The packages of one contract, each made when it is first asked for.

    With a `public_url` those of other programs find the service by themselves.
    """

    contract: Contract
    public_url: str = ""
    _made: dict[str, Package] = field(default_factory=dict)
    _prepared: PreparedDocument | None = None

    def package(self, name: str) -> Package:
        """The package for the language `name`, or with that file name; Problem without one, or if none can be made."""
        if name in LANGUAGES:
            return self._package(name)
        for package in map(self._package, LANGUAGES):
            if package.file_name == name:
                return package
        raise Problem("client_not_found", language=_shown(name), version=self.contract.version)

    def listed(self, url: str) -> list[dict[str, Any]]:
        """Every language, with the digest and the size of its package, and how to install it from below `url`."""
        return [self._entry(language, url) for language in LANGUAGES]

    def _entry(self, language: str, url: str) -> dict[str, Any]:
        file = self.representation(language)
        address = f"{url}/{file.file_name}"
        return {
            "language": language,
            "status": "ready",
            "file_name": file.file_name,
            "bytes": len(file.content),
            "sha256": file.etag,
            "url": address,
            "install": LANGUAGES[language][1].format(url=address),
        }

    def representation(self, name: str) -> Representation:
        """The package that `name` stands for, as a file; Problem as `package`."""
        package = self.package(name)
        return Representation.of_file(package.media_type, package.content, package.file_name)

    def recipe(self, language: str) -> Recipe:
        """What OpenAPI Generator makes a client in a language from; ContractError if none can be made."""
        if self._prepared is None:
            self._prepared = prepare(served_copy(self.contract, self.public_url))
        return recipe(self._prepared, language)

    def collection(self, name: str, url: str) -> Representation:
        """The requests of a collection, for the service at `url`."""
        emit, media_type, suffix = COLLECTIONS[name]
        content = emit(self.contract, url).encode()
        return Representation.of_file(media_type, content, f"interaction-reporting-{self.contract.version}.{suffix}")

    def _package(self, language: str) -> Package:
        if language not in self._made:
            try:
                self._made[language] = LANGUAGES[language][0](client_model(self.contract))
            except ContractError as error:
                raise Problem("client_impossible", fault=str(error)) from None
        return self._made[language]


def _shown(name: str) -> str:
    """A name from a URL, as it may be repeated in an answer."""
    return name[:40] if name.isascii() and name.replace("-", "").isalnum() else "this language"
