"""The next version of a contract: an earlier one, changed by overlays."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from openapi.contract import Contract, ContractError
from openapi.overlays.actions import apply
from openapi.overlays.layout import rewritten
from openapi.overlays.overlay import Overlay

_VERSIONS = re.compile(r"(?<![0-9.])[0-9]+\.[0-9]+(?!\.?[0-9])")


def draft(base: Contract, version: str, overlays: Sequence[Overlay]) -> Contract:
    """`base` with the actions of `overlays` and the version `version`, in the layout of `base`.

    ContractError if an action cannot be applied, if an overlay extends another version, or if no contract results.
    """
    document = base.copy()
    for overlay in overlays:
        _require_extended(overlay, base)
        apply(document, overlay.actions)
    if not isinstance(document.get("info"), dict):
        raise ContractError("the actions leave no info object")
    document["info"]["version"] = version
    try:
        return Contract.read(rewritten(base, document))
    except ContractError as error:
        raise ContractError(f"what results is not a contract: {error}") from None


def _require_extended(overlay: Overlay, base: Contract) -> None:
    """ContractError if the last segment of `extends` names versions, and that of `base` is none of them."""
    name = urlsplit(overlay.extends).path.rpartition("/")[2]
    versions = _VERSIONS.findall(name)
    if versions and base.version not in versions:
        raise ContractError(f"{overlay.position}: the overlay extends {name[:100]!r}, and the base is {base.version}")
