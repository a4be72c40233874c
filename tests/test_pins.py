"""The environment of the tests is the one that pyproject.toml pins."""

import importlib.metadata
import re
import tomllib

from tests.test_layers import ROOT


def test_each_package_is_pinned_at_its_installed_version() -> None:
    """Direct or not: a newer one in the registry changes nothing."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pins = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["generators"],
        *project["dependency-groups"]["test"],
        *project["tool"]["uv"]["constraint-dependencies"],
    ]
    pinned = {re.sub(r"\[.*\]", "", name): version for name, _, version in (pin.partition("==") for pin in pins)}
    installed = {
        re.sub(r"[-_.]+", "-", package.name).lower(): package.version
        for package in importlib.metadata.distributions()
        if package.name != project["project"]["name"]
    }
    assert {name: version for name, version in installed.items() if pinned.get(name) != version} == {}
