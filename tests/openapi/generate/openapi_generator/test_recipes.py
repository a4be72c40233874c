"""The recipes of clients: names of ours in each language, and a digest of all that the generator reads."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from openapi.contract import Document, published
from openapi.generate.openapi_generator.prepared_documents import prepare
from openapi.generate.openapi_generator.recipes import LANGUAGES, Recipe, recipe
from tests.openapi.generate.openapi_generator.test_prepared_documents import DOCUMENT, with_member

NEWEST = prepare(published()[-1])
OURS = {
    "go": ("packageName", "interactionreporting"),
    "java": ("groupId", "io.github.interactionreporting"),
    "csharp": ("packageName", "InteractionReporting"),
    "rust": ("packageName", "interaction-reporting-client"),
    "kotlin": ("packageName", "io.github.interactionreporting"),
    "php": ("invokerPackage", "InteractionReporting"),
    "ruby": ("moduleName", "InteractionReportingClient"),
    "swift6": ("projectName", "InteractionReportingClient"),
}


def configuration(made: Recipe) -> dict[str, Any]:
    """What the generator reads beside the document."""
    result: dict[str, Any] = json.loads(made.configuration)
    return result


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_client_has_names_of_its_api(language: str) -> None:
    """Not those of the generator; nothing in it is of the time or the place where it is made."""
    made = recipe(NEWEST, language)
    assert made.file_name == f"interaction-reporting-client-{language}-2.0.1.tar.gz"
    options = configuration(made)["additionalProperties"]
    name, value = OURS[language]
    assert options[name] == value
    assert options["hideGenerationTimestamp"] == "true"
    assert not re.search(r"\{[a-z]", "".join(options.values()) + made.install.replace("{url}", ""))
    assert made.folder in made.install
    assert made.install.format(url="https://host/x").startswith("curl -fsSL --retry 20 https://host/x | tar -xz && ")


@pytest.mark.parametrize("language", LANGUAGES)
def test_new_values_of_an_enumeration_are_known_where_the_generator_has_it(language: str) -> None:
    """C# and Rust of OpenAPI Generator 7.26.0 do not."""
    options = configuration(recipe(NEWEST, language))["additionalProperties"]
    assert ("enumUnknownDefaultCase" in options) is (language not in {"csharp", "rust"})


def test_the_digest_is_of_what_a_client_is_made_from() -> None:
    """A pattern is not: another one makes the same client. A description, the title and the language are."""

    def digest(document: dict[str, Any], language: str = "go") -> str:
        return recipe(prepare(Document.read(json.dumps(document))), language).digest

    thing = ("components", "schemas", "Thing")
    same = digest(DOCUMENT)
    assert digest(with_member({"type": "string", "pattern": "a"}, *thing, "properties", "pattern")) == same
    others = [
        digest(with_member("It.", *thing, "description")),
        digest(with_member("Another API", "info", "title")),
        digest(DOCUMENT, "php"),
    ]
    assert len({same, *others}) == 4


@pytest.mark.parametrize("title", ["API", "", "größe 1", "2 Things", "名前"])
def test_a_title_that_makes_no_name_has_one(title: str) -> None:
    """So that each client has a folder."""
    assert re.fullmatch(r"[a-z][a-z0-9-]*-client-go-2\.0\.1", recipe(replace(NEWEST, title=title), "go").folder)
