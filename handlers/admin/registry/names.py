"""The names of event types in addresses and forms: anything may stand there."""

from starlette.requests import Request

from handlers.admin.visits import Visit
from handlers.pages import parameters
from handlers.pages.page_problems import PageRefusal
from handlers.paths import REGISTRY, register_path, registry_path
from handlers.similar_names import SimilarNames
from handlers.site.service_state import service_state
from openapi.rendering.visible_text import visible
from openapi.standards.ijson import UNSTORABLE

NEAREST = 5


def is_storable(text: str) -> bool:
    """True if PostgreSQL takes `text`: it has neither U+0000 nor halves of surrogate pairs."""
    return not UNSTORABLE.search(text)


def of(request: Request) -> str:
    """The name in the path, or in the query if no path can have it."""
    return request.path_params["name"] or parameters.text(request, "name")


def parameter(request: Request, name: str) -> str:
    """A parameter of the query that is looked up in the database; UnreadableParameter if it has none such."""
    value = parameters.text(request, name)
    if not is_storable(value):
        raise parameters.UnreadableParameter(f"{name} has a character that no name has", f"Leave it out of {name}.")
    return value


def nearest(visit: Visit, name: str) -> list[str]:
    """The registered names that are most like `name`."""
    return SimilarNames(service_state(visit.request).resources.registry.event_types).several(name, NEAREST)


def missing(visit: Visit, name: str) -> PageRefusal:
    """The refusal of a name that is not registered."""
    shown = visible(name[: parameters.LONGEST])
    links = {registry_path(near): f"Event type {visible(near)}" for near in nearest(visit, name)}
    if name and len(name) <= parameters.LONGEST and is_storable(name):
        links[register_path(name)] = f"Register {shown}"
    links[REGISTRY] = "All event types"
    return PageRefusal(
        404,
        "not_found",
        f"No event type is named “{shown}”",
        "It is neither registered, nor does it wait for approval. Look for another name, or register this one.",
        links,
    )
