"""The pages of the clients of a contract: some are made when they are asked for, others were built before."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from handlers.contracts.client_archives import ClientArchives
from handlers.contracts.publications import Publication, Publications
from handlers.paths import CONTRACTS
from handlers.site.published_contracts import origin, publication_of
from handlers.site.service_state import service_state
from openapi.contract import ContractError
from openapi.generate.openapi_generator.recipes import SUFFIX, Recipe
from openapi.problems import Problem
from openapi.rendering.representations import Give, Representation, acceptable, endpoint
from openapi.serving.messages import encoded
from openapi.standards.media_types import JSON

PATH = "/clients"


def routes(publications: Publications) -> list[Route]:
    """The list of the clients of each version, and each client by its language or the name of its file."""
    path = f"{CONTRACTS}/{{version}}{PATH}"
    return [
        Route(path, endpoint(_list(publications))),
        Route(f"{path}/{{language}}", endpoint(_client(publications))),
    ]


def _list(publications: Publications) -> Give:
    async def give(request: Request) -> Representation:
        """Every client, with its status, and the command that installs it."""
        publication = await publication_of(request, publications)
        media_type = acceptable(request, [JSON])
        entries = await listed(request, publications, publication)
        content = {"version": publication.row.contract_version, "clients": entries}
        return Representation.of(media_type, encoded(content))

    return give


async def listed(request: Request, publications: Publications, publication: Publication) -> list[dict[str, Any]]:
    """The entry of every client of a contract: Problem if it has none, or if the database cannot be reached."""
    archives = service_state(request).client_archives
    url = f"{origin(request, publication)}{CONTRACTS}/{publication.row.contract_version}{PATH}"
    made = await publications.build(lambda: publication.packages.listed(url))
    built = [await _entry(publications, publication, archives, name, url) for name in archives.languages]
    return [*made, *built]


def _client(publications: Publications) -> Give:
    async def give(request: Request) -> Representation:
        """One client; Problem if there is none, or none yet."""
        publication = await publication_of(request, publications)
        name, archives = request.path_params["language"], service_state(request).client_archives
        if name in archives.languages:
            archives.require_generator(name)
        if recipe := await publications.build(partial(_found, publication, archives.languages, name)):
            return await archives.representation(recipe)
        return await publications.build(lambda: publication.packages.representation(name))

    return give


async def _entry(
    publications: Publications, publication: Publication, archives: ClientArchives, language: str, url: str
) -> dict[str, Any]:
    """The entry of a client in the list, also of one that cannot be built."""
    try:
        archives.require_generator(language)
    except Problem as problem:
        return {"language": language, "status": "not_installed", "reason": problem.error, "help": problem.help}
    try:
        recipe = await publications.build(partial(_recipe, publication, language))
    except Problem as problem:
        return {"language": language, "status": "failed", "reason": problem.error}
    return await archives.entry(recipe, url)


def _found(publication: Publication, languages: Sequence[str], name: str) -> Recipe | None:
    """The recipe of the client in the language `name`, or with the file `name`; None if there is none."""
    if name in languages:
        return _recipe(publication, name)
    if not name.endswith(SUFFIX):
        return None
    recipes = (_recipe(publication, language) for language in languages)
    return next((recipe for recipe in recipes if recipe.file_name == name), None)


def _recipe(publication: Publication, language: str) -> Recipe:
    """The recipe of a client; Problem if none can be made of the contract."""
    try:
        return publication.packages.recipe(language)
    except ContractError as error:
        raise Problem("client_impossible", fault=str(error)) from None
