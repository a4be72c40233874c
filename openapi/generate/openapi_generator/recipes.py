"""The languages of OpenAPI Generator, and what it needs to make a client of a document in one of them."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from openapi.generate.languages.archives import version_of
from openapi.generate.languages.packages import package_name
from openapi.generate.names import pascal
from openapi.generate.openapi_generator.prepared_documents import PreparedDocument

SUFFIX = ".tar.gz"
"""Of the name of an archive."""
UNPACK = "curl -fsSL --retry 20 {url} | tar -xz"
"""While a client is being built `curl --retry` waits, as the Retry-After of the answer says."""
_HOST = "example.com"
"""Of the repository that generators take a client to be in: RFC 2606 reserves it."""


@dataclass(frozen=True, slots=True)
class Language:
    """The suffix of its source files, the options of its generator, and the command that installs an unpacked client.

    Both are templates: see `_names`.
    """

    suffix: str
    options: Mapping[str, str]
    install: str
    knows_unknown_values: bool = True
    """Whether the generator has an option for values that an enumeration does not list yet."""


_GROUP = "io.github.{compact}"
LANGUAGES: Mapping[str, Language] = {
    "go": Language(
        ".go",
        {"packageName": "{compact}", "packageVersion": "{version}"},
        "go mod edit -replace {module}=./{folder} && go get {module}",
    ),
    "java": Language(
        ".java",
        {
            "groupId": _GROUP,
            "artifactId": "{kebab}-client",
            "artifactVersion": "{version}",
            "invokerPackage": _GROUP,
            "apiPackage": f"{_GROUP}.api",
            "modelPackage": f"{_GROUP}.model",
            "licenseName": "{license}",
            "library": "native",  # the client of Java itself; okhttp-gson refuses members that it does not know
        },
        "mvn -f {folder} install -DskipTests",
    ),
    "csharp": Language(
        ".cs",
        {"packageName": "{pascal}", "packageVersion": "{version}", "packageGuid": "{guid}"},
        "dotnet add reference {folder}/src/{pascal}/{pascal}.csproj",
        knows_unknown_values=False,
    ),
    "rust": Language(
        ".rs",
        {"packageName": "{kebab}-client", "packageVersion": "{version}"},
        "cargo add --path {folder}",
        knows_unknown_values=False,
    ),
    "kotlin": Language(
        ".kt",
        {
            "groupId": _GROUP,
            "artifactId": "{kebab}-client",
            "artifactVersion": "{version}",
            "packageName": _GROUP,
            "omitGradleWrapper": "true",
        },
        "gradle -p {folder} publishToMavenLocal",
    ),
    "php": Language(
        ".php",
        {
            "invokerPackage": "{pascal}",
            "composerPackageName": "{kebab}/client",
            "licenseName": "{license}",
            "artifactVersion": "{version}",
        },
        "composer config repositories.client path {folder} && composer require {kebab}/client",
    ),
    "ruby": Language(
        ".rb",
        {
            "gemName": "{snake}_client",
            "moduleName": "{pascal}Client",
            "gemVersion": "{version}",
            "gemLicense": "{license}",
            "gemSummary": "Client of {title}",
        },
        "bundle add {snake}_client --path {folder}",
    ),
    "swift6": Language(
        ".swift",
        {"projectName": "{pascal}Client", "useSPMFileStructure": "true"},
        "swift package add-dependency {folder} --type path",
    ),
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a client is made from: the document and the configuration, both as the generator reads them."""

    language: str
    folder: str
    """The one that is in the archive."""
    document: bytes = field(repr=False)
    configuration: bytes = field(repr=False)
    operations: tuple[str, ...] = field(repr=False)
    install: str = field(repr=False)
    """The command that downloads, unpacks and installs it; a template for the URL."""

    @property
    def digest(self) -> str:
        """SHA-256 of all that the generator reads, in hexadecimal."""
        return hashlib.sha256(self.document + b"\n" + self.configuration).hexdigest()

    @property
    def file_name(self) -> str:
        """The name of the archive."""
        return self.folder + SUFFIX


def recipe(document: PreparedDocument, name: str) -> Recipe:
    """The recipe of a client of `document` in the language `name`, one of LANGUAGES."""
    language, names = LANGUAGES[name], _names(document, name)
    options = {option: value.format_map(names) for option, value in language.options.items()}
    options["hideGenerationTimestamp"] = "true"
    if language.knows_unknown_values:
        options["enumUnknownDefaultCase"] = "true"
    configuration = {
        "generatorName": name,
        "gitHost": _HOST,
        "gitUserId": names["kebab"],
        "gitRepoId": f"client-{name}",
        "globalProperties": {"apiTests": "false", "modelTests": "false"},
        "additionalProperties": options,
    }
    return Recipe(
        language=name,
        folder=names["folder"],
        document=document.content,
        configuration=json.dumps(configuration).encode(),
        operations=document.operations,
        install=f"{UNPACK} && {language.install.format_map(names)}",
    )


def _names(document: PreparedDocument, language: str) -> dict[str, str]:
    """The names of a client in the styles of all languages; the title and the license are texts."""
    snake, version = package_name(document.title), version_of(document.version)
    kebab = snake.replace("_", "-")
    return {
        "title": document.title,
        "license": document.license,
        "version": version,
        "snake": snake,
        "kebab": kebab,
        "pascal": pascal(snake),
        "compact": snake.replace("_", ""),
        "folder": f"{kebab}-client-{language}-{version}",
        "module": f"{_HOST}/{kebab}/client-{language}",
        "guid": "{" + str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{kebab}.{_HOST}")).upper() + "}",
    }
