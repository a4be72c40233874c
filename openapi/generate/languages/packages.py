"""Clients as packages that can be installed."""

import json
from dataclasses import dataclass, field

from openapi.generate import comments
from openapi.generate.client_model import ClientModel
from openapi.generate.languages import archives, python_client, typescript_client
from openapi.generate.names import snake

_METADATA = """Metadata-Version: 2.1
Name: {name}
Version: {version}
Summary: {summary}
Requires-Python: >=3.11
Provides-Extra: signed
Requires-Dist: joserfc; extra == "signed"
Description-Content-Type: text/markdown

{readme}"""
_MANIFEST = {
    "type": "module",
    "exports": {
        ".": {
            "types": "./index.d.ts",
            "browser": "./index_browser.js",
            "default": "./index.js",
        },
        "./package.json": "./package.json",
    },
    "engines": {"node": ">=20"},
    "sideEffects": False,
}


@dataclass(frozen=True, slots=True)
class Package:
    """An archive with the name of its file."""

    file_name: str
    media_type: str
    content: bytes = field(repr=False)


def package_name(title: str) -> str:
    """The name of a package for a document with a title: that of its API."""
    words = [word for word in snake(title).split("_") if word.isascii() and word not in {"", "api", "client"}]
    name = "_".join(words)[:60].strip("_")
    return name if name[:1].isalpha() else f"client_{name}".strip("_")


def python_wheel(model: ClientModel) -> Package:
    """A wheel, which pip installs without another package."""
    package, version = package_name(model.title), archives.version_of(model.version)
    readme = python_client.readme(model, package)
    files = {**python_client.runtime(package), **python_client.emit(model, package), "py.typed": ""}
    metadata = _METADATA.format(
        name=f"{package}_client",
        version=version,
        summary=_summary(model),
        readme=readme,
    )
    content = archives.wheel(
        f"{package}_client", version, metadata, {f"{package}/{name}": text for name, text in sorted(files.items())}
    )
    return Package(f"{package}_client-{version}-py3-none-any.whl", "application/zip", content)


def npm_tarball(model: ClientModel) -> Package:
    """A tarball, which npm installs without another package."""
    name, version = f"{package_name(model.title).replace('_', '-')}-client", archives.version_of(model.version)
    described = {"name": name, "version": version, "description": _summary(model), **_MANIFEST}
    files = {
        "package.json": json.dumps(described, indent=2) + "\n",
        **typescript_client.emit(model, name),
        **typescript_client.runtime(),
    }
    content = archives.tarball("package", dict(sorted(files.items())))
    return Package(f"{name}-{version}.tgz", "application/gzip", content)


def _summary(model: ClientModel) -> str:
    """The package in a line."""
    return " ".join(comments.lines(f"Client of {model.title} {model.version}"))[:400]
