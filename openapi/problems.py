"""The problems that a client can receive: one table, from code to status, error and help."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One row of the table. `error` and `help` are templates for the parameters of a Problem.

    `about` and `about_help` replace them on the page of the problem if they are unclear without a request. `heading`
    replaces, for people, the title that is made from the code and that programs get.
    """

    status: int
    error: str
    help: str | None = None
    headers: Headers = ()
    about: str | None = None
    about_help: str | None = None
    heading: str | None = None


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault of a body: the error, the remedy, and the place (RFC 6901)."""

    error: str
    remedy: str
    pointer: str


CLOSE = (b"connection", b"close")
RETRY = (b"retry-after", b"1")
LONGEST = 4000
"""Limit on the characters of a text in a response, as in the contract; a longer pointer is left out."""

TABLE = {
    "malformed_request": ProblemType(
        400,
        "the request is not well-formed HTTP: {detail}",
        "Send a request as RFC 9112 describes it.",
        [CLOSE],
        heading="Malformed HTTP request",
    ),
    "malformed_content_coding": ProblemType(
        400,
        "the Content-Encoding is gzip, and the body is not complete and well-formed gzip",
        "Compress the body as RFC 1952 describes it, or send it without a content coding.",
        heading="Malformed gzip",
    ),
    "malformed_json": ProblemType(
        400,
        "the body cannot be read as JSON: {detail}",
        "Send one JSON value in UTF-8 (RFC 8259), without NaN or Infinity, with unique property names in each "
        "object, nested at most 32 levels deep.",
    ),
    "malformed_form": ProblemType(
        400,
        "the body cannot be read as multipart/form-data: {detail}",
        "Send each document in a part of its own (RFC 7578), as curl does with -F NAME=@FILE.",
        heading="Malformed form data",
    ),
    "unauthorized": ProblemType(
        401,
        "Authorization: Bearer required",
        about_help="Send 'Authorization: Bearer <hub-api-key>' with the key that the operator gave the hub.",
    ),
    "invalid_token": ProblemType(
        401,
        "the request has no valid access token{why}",
        "Get an access token with the client credentials grant (the WWW-Authenticate header links to metadata that "
        "describes it), and send it as 'Authorization: Bearer <access token>'.",
        about="the request has no valid access token; the response says why",
    ),
    "invalid_dpop_proof": ProblemType(
        401,
        "the request does not prove possession of the key of the access token: {detail}",
        "Send a DPoP header with each request: a proof (RFC 9449 section 4.2) that the key of the access token signs, "
        "with the method as htm, the URL without its query as htu, the digest of the token as ath, the time as iat and "
        "a jti of its own.",
        heading="Invalid DPoP proof",
    ),
    "insufficient_scope": ProblemType(
        403,
        "the access token lacks the scope {scope}",
        "Get an access token with this scope; if the client may not have the scope, ask the operator for it.",
    ),
    "origin_not_listed": ProblemType(
        403,
        "this hub has not listed the Origin of the request, {origin}",
        "Let the operator list the origin of the page for the hub: interaction-reporting hub origins HUB add ORIGIN. A "
        "client that is not a page sends no Origin header.",
        about="the hub has not listed the Origin of the request",
    ),
    "operator_unauthorized": ProblemType(
        401,
        "only operators of the service may use this",
        "Send the operator's key as the password of HTTP Basic authentication, or as a bearer token.",
        heading="Operator's key required",
    ),
    "cut_over": ProblemType(
        403,
        "this hub has moved to access tokens: its API key is refused",
        "Send requests to {successor} with an access token; {metadata} says how a client of this hub gets one. If "
        "the hub has no client, or needs its API key again, ask the operator.",
        heading="Hub has moved to access tokens",
    ),
    "not_found": ProblemType(
        404,
        "there is nothing at this path",
        "Check the path against the servers and paths of the contract; GET /contracts lists its versions.",
    ),
    "nothing_by_name": ProblemType(
        404,
        "this hub has nothing of that name",
        "Check the name. Submissions of another hub are not shown, and submissions past their retention are deleted.",
        heading="Nothing of that name",
    ),
    "contract_not_found": ProblemType(
        404, "there is no published contract of this version", "Use one of the versions that GET /contracts lists."
    ),
    "client_not_found": ProblemType(
        404, "there is no client for {language}", "Use one of those that GET /contracts/{version}/clients lists."
    ),
    "client_not_installed": ProblemType(
        404,
        "the client for {language} cannot be built: its generator is not installed",
        "Let the operator install 'interaction-reporting[{extra}]' with the service, and start it again.",
    ),
    "client_not_built": ProblemType(
        404,
        "the client for {language} cannot be built: {fault}",
        "Use the document with a generator of your own.",
    ),
    "client_impossible": ProblemType(
        404,
        "no client can be made of this contract: {fault}",
        "Use the document with a generator of your own.",
        heading="Client cannot be made",
    ),
    "method_not_allowed": ProblemType(
        405, "the method {method} is not allowed here", "Use {allowed}, as the Allow header of this response says."
    ),
    "not_acceptable": ProblemType(
        406, "none of the media types in the Accept header is available", "Accept one of these: {expected}."
    ),
    "head_timeout": ProblemType(
        408,
        "the request head did not arrive within {seconds:g} seconds",
        "Send the whole request without pausing.",
        [CLOSE],
        heading="Request head too slow",
    ),
    "body_timeout": ProblemType(
        408,
        "the request body arrives too slowly",
        "Do not pause for {seconds:g} seconds, and send at least {rate:,} bytes a second. On a slow link, send smaller "
        "batches, or NDJSON, which is stored as it arrives. Use a new connection.",
        [CLOSE],
        heading="Request body too slow",
    ),
    "idempotency_conflict": ProblemType(
        409,
        "{name} was used before for other content",
        "Send the first content to get the first response again, or use a new {key} for new content.",
    ),
    "batch_key_conflict": ProblemType(
        409,
        "the Idempotency-Key was used before for another batch",
        "Send that batch again to get its response, or send only the items that are not stored yet, with a new "
        "Idempotency-Key.",
    ),
    "version_retired": ProblemType(410, "version {version} of this API is retired", "Use {successor} instead."),
    "content_too_large": ProblemType(
        413,
        "the body has {size} bytes; the limit is {limit} bytes",
        "Shorten the body, for instance by moving large values out of metadata, and send it again.",
    ),
    "name_taken": ProblemType(
        409,
        "{what} is registered by {owner} with another meaning",
        "Use another name or id, or submit exactly the description, version, schema and name that are registered.",
        heading="Name is taken",
    ),
    "conflicts": ProblemType(
        409,
        "{errors}",
        "{remedies}",
        about="several parts of the body conflict with what is registered",
        about_help="Follow the remedy that the response names for each of them.",
        heading="Several conflicts",
    ),
    "schema_narrowed": ProblemType(
        409,
        "the metadata_schema of event type '{name}' may refuse values that it accepted: {narrowings}",
        "Let the schema accept them, or raise the version of the event type above {version}.",
        heading="Metadata schema narrowed",
    ),
    "version_lowered": ProblemType(
        409,
        "event type '{name}' already has version {version}",
        "Submit the event type with version {version} or a higher one.",
        heading="Event type version lowered",
    ),
    "too_many_items": ProblemType(
        422,
        "the batch has {count} items; the limit is {limit}",
        "Send them in several requests, or, where the operation accepts it, as application/x-ndjson, which has no "
        "such limit.",
    ),
    "batch_not_replayed": ProblemType(
        422,
        "a batch that was rejected as a whole cannot be replayed",
        "Correct the fault that is stored with it, and send the batch again: nothing of it was stored.",
        heading="Batch cannot be replayed",
    ),
    "documents_expected": ProblemType(
        422,
        "the body does not have exactly {expected}",
        "Send each document once, by its name, and nothing else.",
    ),
    "document_refused": ProblemType(
        422, "the {name} is refused: {fault}", "Send a document of OpenAPI 3.0 as YAML or JSON in UTF-8."
    ),
    "documents_incomparable": ProblemType(
        422,
        "the documents cannot be compared: {fault}",
        "Send two documents of OpenAPI 3.0 or 3.1 whose references stay within each document.",
        heading="Documents cannot be compared",
    ),
    "document_outside_profile": ProblemType(
        422,
        "no client can be made of this document: {fault}",
        "Change what the error names, or use the document with a generator of your own.",
        heading="Document cannot become a client",
    ),
    "documents_over_limit": ProblemType(
        422,
        "the work on the documents takes more than {limit}",
        "Send smaller documents, or run the command interaction-reporting on a machine of your own.",
        heading="Documents take too much work",
    ),
    "too_many_results": ProblemType(
        413,
        "the results of the stream have more than {limit} bytes",
        "Send the rest of the stream in another request.",
    ),
    "unsupported_media_type": ProblemType(
        415, "Content-Type {found} is not accepted here", "Send the body with {expected}."
    ),
    "unsupported_charset": ProblemType(415, "the charset {found} is not accepted here", "Send the body in UTF-8."),
    "unsupported_content_coding": ProblemType(
        415,
        "Content-Encoding {found} is not accepted here",
        "Send the body {how}without a content coding.",
        about_help="Send the body without a content coding, or in one that the response names.",
    ),
    "invalid_body": ProblemType(
        422,
        "{errors}",
        "{remedies}",
        about="the body does not satisfy its schema in the contract",
        about_help="Correct each fault that the response names, and send the request again.",
    ),
    "invalid_parameters": ProblemType(
        422,
        "{errors}",
        "{remedies}",
        about="a parameter of the path, the query or the header does not satisfy its schema in the contract",
        about_help="Correct each fault that the response names, and send the request again.",
    ),
    "unstorable_value": ProblemType(
        422,
        "{field}: {detail}",
        "{remedy}",
        about="a value satisfies its schema but cannot be stored as it is",
        about_help="Send another value in the field that the response names.",
    ),
    "event_type_not_registered": ProblemType(
        422,
        "event_type '{name}' not registered",
        "Register this event type via the Type Registry admin UI or hub capability manifest before submitting.",
    ),
    "widget_not_registered": ProblemType(
        422,
        "widget_id '{id}' not registered",
        "Ask the operator to register this widget, or send the widget_id of one that is registered and active.",
    ),
    "items_rejected": ProblemType(
        422,
        "{rejected} of {received} items were rejected; {others}",
        "Mend the items whose results have the status rejected, and send {again} again.",
        about="some of the items were rejected; the others are stored, unless this is a dry run",
        about_help="Mend the items whose results have the status rejected, and send only these again; after a dry run, "
        "send all items.",
    ),
    "items_unavailable": ProblemType(
        503,
        "{rejected} of {received} items are not stored, some of them because the service cannot store them at the "
        "moment",
        "Send the items whose results have retry true again after the number of seconds in the Retry-After header.",
        [RETRY],
    ),
    "rejection_not_found": ProblemType(
        422,
        "this hub has no rejected submission '{id}'",
        "Send ids that GET /rejected-submissions returned.",
    ),
    "event_not_found": ProblemType(
        422,
        "event_id '{id}' is not an event of this hub",
        "Send the id of one of your own events, or leave event_id out.",
    ),
    "too_many_requests": ProblemType(
        429,
        "this hub may send {rate} items per second after a burst of {burst}, and has sent more",
        "Wait for the number of seconds in the Retry-After header, then send the request again.",
    ),
    "too_many_attempts": ProblemType(
        429,
        "too many wrong keys came from this address",
        "Wait for the number of seconds in the Retry-After header, then send the request again with the right key.",
    ),
    "too_many_documents": ProblemType(
        429,
        "this address has sent more documents than the service takes from one",
        "Wait for the number of seconds in the Retry-After header, then send the request again.",
    ),
    "too_many_streams": ProblemType(
        429,
        "this session has {limit} live streams open, or the service has as many as it takes",
        "Close another page of the live tail, or open this one again after the number of seconds in the Retry-After "
        "header.",
        heading="Too many live streams",
    ),
    "head_too_large": ProblemType(
        431,
        "the request line and header fields exceed {bytes} bytes or {fields} fields",
        "Send fewer and shorter header fields.",
        [CLOSE],
        heading="Request head too large",
    ),
    "internal_error": ProblemType(
        500,
        "the service failed to handle this request",
        "Give the X-Request-Id of this response to the operator of the service.",
    ),
    "unavailable": ProblemType(
        503,
        "the service cannot reach its database at the moment",
        "Send the request again after the number of seconds in the Retry-After header.",
        [RETRY],
        heading="Database cannot be reached",
    ),
    "stopping": ProblemType(
        503,
        "the service stops before this request has ended",
        "Send the same request again after the number of seconds in the Retry-After header; with the same "
        "Idempotency-Key or client_event_id nothing is stored twice.",
        [RETRY],
        heading="Service is stopping",
    ),
    "overloaded": ProblemType(
        503,
        "the service has too many large requests at the moment",
        "Send the request again after the number of seconds in the Retry-After header, or send smaller batches.",
        [RETRY],
        heading="Service is overloaded",
    ),
    "tools_busy": ProblemType(
        503,
        "the service works on the documents of others at the moment",
        "Send the request again after the number of seconds in the Retry-After header.",
        [RETRY],
        heading="Tools are busy",
    ),
    "results_not_kept": ProblemType(
        503,
        "the service has no room for more results at the moment",
        "The results so far are complete. After the number of seconds in the Retry-After header, send again those "
        "items that have no result.",
        [RETRY],
    ),
    "keys_unavailable": ProblemType(
        503,
        "the keys that verify access tokens cannot be read at the moment",
        "Send the request again after the number of seconds in the Retry-After header.",
        [RETRY],
    ),
    "migration_unavailable": ProblemType(
        503,
        "the record of the versions that hubs use cannot be read at the moment",
        "Send the request again after the number of seconds in the Retry-After header.",
        [RETRY],
    ),
    "contracts_unavailable": ProblemType(
        503,
        "the contracts cannot be read at the moment",
        "Send the request again after the number of seconds in the Retry-After header.",
        [RETRY],
    ),
    "client_building": ProblemType(
        503,
        "the client for {language} is not built yet",
        "Send the request again after the number of seconds in the Retry-After header.",
        [(b"retry-after", b"10")],
        heading="Client is being built",
    ),
    "contract_unreadable": ProblemType(
        503,
        "the stored document of this contract cannot be shown",
        "Tell the operator of the service, and send the request again after the number of seconds in the "
        "Retry-After header.",
        [RETRY],
        heading="Contract cannot be read",
    ),
}


class Problem(Exception):
    """A response other than success. `code` is a row of `TABLE`; `headers` are added to those of the row.

    `hint` is put before the help: what may be wrong with this request, in sentences. `reason` is for the log: it
    repeats no text from the client. `pointer` is the place of the fault in the body
    (RFC 6901), or of the first of several faults; `faults` has all of them.
    """

    def __init__(
        self,
        code: str,
        headers: Headers = (),
        reason: str | None = None,
        pointer: str | None = None,
        hint: str = "",
        **parameters: Any,
    ) -> None:
        problem_type = TABLE[code]
        super().__init__(code)
        self.code = code
        self.reason = reason
        self.pointer = pointer if pointer is None or len(pointer) <= LONGEST else None
        self.status = problem_type.status
        self.headers = [*problem_type.headers, *headers]
        self.error = _shortened(problem_type.error.format(**parameters))
        self.help = problem_type.help and _shortened(f"{hint} {problem_type.help.format(**parameters)}".lstrip())
        self.faults: Sequence[FieldError] = ()
        if self.pointer is not None:
            self.faults = [FieldError(self.error, self.help or "", self.pointer)]

    @property
    def is_transient(self) -> bool:
        """True if the same request may succeed later without a change."""
        return self.status in (429, 503)

    def body(self) -> dict[str, str]:
        """The response body in version 1 of the contract."""
        return {"error": self.error, "help": self.help} if self.help else {"error": self.error}


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 4]} ..."


def joined(problems: Sequence[Problem], code: str = "invalid_body") -> Problem:
    """`problems` combined into one Problem of `code`, all with the same status; a single problem stays as it is."""
    if len(problems) == 1:
        return problems[0]
    combined = Problem(
        code,
        errors="; ".join(problem.error for problem in problems),
        remedies=" ".join(dict.fromkeys(problem.help for problem in problems if problem.help)),
        pointer=problems[0].pointer,
    )
    combined.faults = [fault for problem in problems for fault in problem.faults]
    return combined
