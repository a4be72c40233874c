"""What the pages of problems add to the table: what the reader does next, where a problem occurs, and where help is."""

from dataclasses import dataclass
from enum import Enum

from handlers.paths import REGISTRY, WIDGETS
from openapi.contract import Contract


class Where(Enum):
    """The requests that a problem answers."""

    VERSIONS = "versions of the API"
    WITH_KEYS = "versions with API keys"
    WITH_TOKENS = "versions with access tokens"
    BESIDE = "paths beside the API"

    def covers(self, contract: Contract) -> bool:
        """True if requests to the version of `contract` may be answered so."""
        if self is Where.VERSIONS:
            return True
        return self is (Where.WITH_TOKENS if contract.scopes else Where.WITH_KEYS)


@dataclass(frozen=True, slots=True)
class Step:
    """What the reader does next, and the codes of the problems that ask for it, separated by blanks."""

    name: str
    about: str
    codes: str


STEPS = (
    Step(
        "Register the name",
        "The service takes an event only if it knows the names in it.",
        "event_type_not_registered widget_not_registered",
    ),
    Step(
        "Mend the body",
        "The same body would be refused again. Change what the response names, and send it once more.",
        "invalid_body malformed_json unstorable_value content_too_large too_many_items items_rejected event_not_found "
        "rejection_not_found batch_not_replayed idempotency_conflict batch_key_conflict conflicts name_taken "
        "schema_narrowed version_lowered",
    ),
    Step(
        "Mend the header or the parameters",
        "The body may be right. What is around it is not, or it arrives too slowly.",
        "invalid_parameters malformed_request malformed_content_coding unsupported_media_type unsupported_charset "
        "unsupported_content_coding not_acceptable head_too_large head_timeout body_timeout too_many_results",
    ),
    Step(
        "Get credentials",
        "The service does not know the sender, or the sender may not do this.",
        "unauthorized invalid_token invalid_dpop_proof insufficient_scope cut_over operator_unauthorized",
    ),
    Step(
        "Wait, then send it again",
        "The request may be right. Wait for the number of seconds in Retry-After, and send it again.",
        "too_many_requests too_many_attempts too_many_documents too_many_streams unavailable overloaded stopping "
        "items_unavailable results_not_kept keys_unavailable contracts_unavailable migration_unavailable "
        "client_building tools_busy",
    ),
    Step(
        "Use another path or version",
        "The service does not have what the request names, or has it no longer.",
        "not_found nothing_by_name method_not_allowed version_retired contract_not_found client_not_found "
        "client_not_built client_impossible",
    ),
    Step(
        "Ask the operator",
        "Only the operator of the service can mend this.",
        "internal_error origin_not_listed client_not_installed contract_unreadable",
    ),
    Step(
        "Mend the documents for the tools",
        "The tools compare OpenAPI documents and make clients of them. No event is concerned.",
        "malformed_form documents_expected document_refused documents_incomparable document_outside_profile "
        "documents_over_limit",
    ),
)
"""Each problem belongs to one step."""

_WHERE = {
    Where.WITH_KEYS: "unauthorized cut_over",
    Where.WITH_TOKENS: "invalid_token invalid_dpop_proof insufficient_scope origin_not_listed keys_unavailable",
    Where.BESIDE: "operator_unauthorized not_acceptable too_many_attempts too_many_documents too_many_streams "
    "contracts_unavailable migration_unavailable client_building tools_busy contract_not_found client_not_found "
    "client_not_built client_impossible client_not_installed contract_unreadable malformed_form documents_expected "
    "document_refused documents_incomparable document_outside_profile documents_over_limit",
}
"""The codes of the problems that do not answer requests to every version, separated by blanks."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """What a link leads to, and its path, or the name of the operation that helps.

    `{version}` and `{server}` in a path stand for those of each version that the problem may occur in.
    """

    text: str
    path: str = ""
    operation: str = ""


_FIRST = Remedy("How to report a first event, with credentials", "/#first")
_TOKENS = Remedy("Where a client gets access tokens", "/.well-known/oauth-protected-resource{server}")
_CONTRACTS = Remedy("The versions that are served", "/contracts")
_CLIENTS = Remedy("The clients of version {version}", "/contracts/{version}/clients")
_READY = Remedy("Whether the service is ready now", "/health/ready")
_SCHEMAS = Remedy("The schemas of version {version}", "/contracts/{version}")
_RULES = Remedy(
    "The rules for every request of version {version}: limits, keys and batches", "/contracts/{version}/card"
)
_SUBMIT = Remedy("registers event types and widgets of your hub", operation="putHubCapabilityManifest")
_MANIFEST = Remedy("shows what your hub has registered", operation="getHubCapabilityManifest")
_REJECTED = Remedy("lists what was rejected of your hub, with the reasons", operation="listRejectedSubmissions")
_REPLAY = Remedy("sends again what was rejected, once it is mended", operation="replayRejectedSubmissions")

_REMEDIES = {
    "event_type_not_registered": (
        Remedy("The event types that are registered", "/event-types"),
        Remedy("An operator sees what was refused, and registers it", REGISTRY),
        _SUBMIT,
        _REPLAY,
    ),
    "widget_not_registered": (
        Remedy("lists the widgets that are registered", operation="listWidgets"),
        Remedy("An operator sees the widgets, and registers it", WIDGETS),
        _SUBMIT,
        _REPLAY,
    ),
    "event_not_found": (Remedy("lists the events of your hub", operation="listInteractionEvents"),),
    "invalid_body invalid_parameters unstorable_value": (_SCHEMAS,),
    "content_too_large too_many_items too_many_requests idempotency_conflict batch_key_conflict": (_RULES,),
    "items_rejected rejection_not_found batch_not_replayed": (_REJECTED, _REPLAY),
    "conflicts name_taken schema_narrowed version_lowered": (_MANIFEST, _SUBMIT),
    "unauthorized": (_FIRST,),
    "invalid_token insufficient_scope": (_TOKENS, _FIRST),
    "invalid_dpop_proof": (_TOKENS,),
    "cut_over": (_FIRST, _CONTRACTS),
    "not_found version_retired contract_not_found": (_CONTRACTS,),
    "client_not_found client_not_installed client_not_built client_building": (_CLIENTS,),
    "unavailable overloaded stopping items_unavailable keys_unavailable contracts_unavailable": (_READY,),
}
"""By codes, separated by blanks."""


def step_of(code: str) -> Step:
    """What the reader of a problem does next."""
    return next(step for step in STEPS if code in step.codes.split())


def where(code: str) -> Where:
    """The requests that a problem answers."""
    return next((place for place, codes in _WHERE.items() if code in codes.split()), Where.VERSIONS)


def remedies(code: str) -> tuple[Remedy, ...]:
    """Where the reader of a problem finds help."""
    return next((found for codes, found in _REMEDIES.items() if code in codes.split()), ())
