"""The published versions as a feed (Atom, RFC 4287): an entry for each, with what it changed."""

from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from handlers.contracts.publications import Publication, followed
from handlers.paths import CONTRACTS
from handlers.site.published_contracts import Published
from openapi.rendering import marked_text
from openapi.rendering.representations import Representation
from openapi.standards.date_times import render

ATOM = "application/atom+xml"
_NAMESPACE = "http://www.w3.org/2005/Atom"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def feed(published: Published, url: str) -> Representation:
    """The feed of a service at `url`, the newest version first."""
    ET.register_namespace("", _NAMESPACE)
    entries = [each for each in reversed(list(published.values())) if each.contract]
    root = ET.Element(f"{{{_NAMESPACE}}}feed")
    address = f"{url}{CONTRACTS}/changelog.atom"
    _add(root, "id", address)
    _add(root, "title", "Contracts of the Interaction Reporting API")
    _add(root, "updated", render(max(map(_updated, entries), default=_NEVER)))
    _add(_add(root, "author"), "name", "Interaction Reporting API")
    _add(root, "link", rel="self", href=address)
    _add(root, "link", rel="alternate", href=f"{url}{CONTRACTS}")
    for publication in entries:
        _entry(root, publication, _section(publication, published), url)
    return Representation.of(ATOM, ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _entry(root: ET.Element, publication: Publication, section: str, url: str) -> None:
    version = publication.row.contract_version
    entry = _add(root, "entry")
    page = f"{url}{CONTRACTS}/{version}"
    _add(entry, "id", page)
    _add(entry, "title", f"Version {version}: {publication.row.status}")
    _add(entry, "updated", render(_updated(publication)))
    _add(entry, "published", render(publication.row.published_at))
    _add(entry, "link", rel="alternate", href=f"{page}/changelog")
    _add(entry, "content", str(marked_text.paragraphs(section)), type="html")


def _section(new: Publication, published: Published) -> str:
    """What a version changed."""
    old = followed(new, published)
    if old is None or old.contract is None or new.contract is None:
        return "The first version."
    return new.section(old.contract, new.contract)


def _updated(publication: Publication) -> datetime:
    """When the row of a version changed last."""
    row = publication.row
    now = datetime.now(UTC)
    instants = (row.published_at, row.activated_at, row.deprecated_at, row.retired_at, row.withdrawn_at)
    return max(instant for instant in instants if instant and instant <= now)


def _add(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, f"{{{_NAMESPACE}}}{name}", attributes)
    element.text = text if text is None else "".join(map(_allowed, text))
    return element


def _allowed(character: str) -> str:
    """A character as XML 1.0 may have it (section 2.2)."""
    is_allowed = character in "\t\n\r" or " " <= character <= "\ud7ff" or "\ue000" <= character <= "\ufffd"
    return character if is_allowed or character > "\uffff" else "\N{REPLACEMENT CHARACTER}"
