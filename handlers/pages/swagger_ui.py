"""The files of Swagger UI, from the package flask-swagger-ui, which need not be installed."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

PACKAGE = "flask-swagger-ui"
EXTRA = "swagger-ui"
"""The extra of this project that has the package."""
BUNDLE, STYLE = "swagger-ui-bundle.js", "swagger-ui.css"
_DIRECTORY = "flask_swagger_ui/dist"


def contents(package: str = PACKAGE) -> dict[str, bytes]:
    """The script and the style by their names; empty if `package` is absent, or lacks one of them.

    The package is not imported: its module needs Flask, and its files do not.
    """
    try:
        installed = distribution(package)
        paths = {name: Path(str(installed.locate_file(f"{_DIRECTORY}/{name}"))) for name in (BUNDLE, STYLE)}
        return {name: path.read_bytes() for name, path in paths.items()}
    except (PackageNotFoundError, OSError):
        return {}
