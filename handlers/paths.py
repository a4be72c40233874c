"""The paths outside the API: they belong to no version of it."""

from urllib.parse import quote

from openapi.serving.error_styles import PROBLEMS

HEALTH, METRICS = "/health", "/metrics"
CONTRACTS = "/contracts"
"""Lists the versions of the API."""
MIGRATION = "/migration"
"""Shows operators which hub uses which version."""
RECOVERY = "/recovery"
"""Shows clients whether the database was restored."""
TOOLS = "/tools"
"""Compares any OpenAPI documents, and makes clients of them."""
OAUTH, WELL_KNOWN = "/oauth", "/.well-known"
ADMIN = "/admin"
"""The pages of operators, and the stream of the live tail."""
SIGN_IN = f"{ADMIN}/sign-in"
AT_ISSUER, ISSUED = f"{SIGN_IN}/issuer", f"{SIGN_IN}/issued"
"""Leads an admin to the issuer that signs them in, and is where the issuer leads them back."""
REGISTRY = f"{ADMIN}/event-types"
"""The event types, for operators."""
WIDGETS = f"{ADMIN}/widgets"
"""Likewise, the widgets."""
ASSETS = "/assets"
"""The style, the scripts and the picture of all pages."""
BESIDE = (HEALTH, METRICS, CONTRACTS, MIGRATION, RECOVERY, PROBLEMS, TOOLS, OAUTH, WELL_KNOWN, ASSETS, ADMIN)
HOME = "/"
EVENT_TYPES, CLIENTS, STATUS = "/event-types", "/clients", "/status"
HUB = "/hub"
"""The pages of one hub."""
FOR_PEOPLE: tuple[str, ...] = (EVENT_TYPES, CLIENTS, STATUS)
"""Pages, as HOME is: programs find nothing there."""
FOR_SIGNED_IN = (HUB,)
"""Likewise, for those who sign in."""
RESERVED = BESIDE + FOR_PEOPLE + FOR_SIGNED_IN
"""No version of the API is served at one of these paths, or below one."""
LISTED_VERSION = f"a version that {CONTRACTS} lists"
"""Stands for the successor of a version if it is unknown."""
_SEGMENTS_OF_DOTS = (".", "..")
"""Segments that clients take out of a path, even if they are percent-encoded (WHATWG URL)."""


def event_type_path(name: str) -> str:
    """The path of the page of an event type."""
    return named_path(EVENT_TYPES, name)


def named_path(base: str, name: str) -> str:
    """The path below `base` of something that has a name, with a query if no path can have the name."""
    encoded = quote(name, safe="")
    return f"{base}/?name={encoded}" if name in _SEGMENTS_OF_DOTS else f"{base}/{encoded}"


def hub_path(name: str) -> str:
    """The path of the page of a hub for operators."""
    return named_path(f"{ADMIN}/hubs", name)


def manifests_path(name: str) -> str:
    """The path of the manifests of a hub for operators."""
    return named_path(f"{ADMIN}/hub/manifests", name)


def registry_path(name: str, form: str = "") -> str:
    """The path of the page of an event type for operators, or of a `form` of it, such as `approve`."""
    encoded, end = quote(name, safe=""), f"/{form}" if form else ""
    return f"{REGISTRY}/{end}?name={encoded}" if name in _SEGMENTS_OF_DOTS else f"{REGISTRY}/{encoded}{end}"


def register_path(name: str = "") -> str:
    """The path of the form that registers an event type, filled in with its name."""
    return f"{REGISTRY}?event_type={quote(name, safe='')}" if name else REGISTRY


def widget_path(widget_id: object, form: str = "") -> str:
    """The path of the page of a widget, or of a `form` of it."""
    return f"{WIDGETS}/{widget_id}/{form}" if form else f"{WIDGETS}/{widget_id}"


def register_widget_path(widget_id: str, rejection: object = "") -> str:
    """The path of the form that registers a widget, filled in with its id; then it leads back to a `rejection`."""
    back = f"&rejection={rejection}" if rejection else ""
    return f"{WIDGETS}?widget_id={quote(widget_id, safe='')}{back}" if widget_id else WIDGETS


def page_name(path: str) -> str:
    """The operation of a request outside the API, for logs and metrics: the first segment of its path."""
    return path.split("/", 2)[1] or "home"
