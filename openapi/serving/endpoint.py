"""One operation, ready to be called: all that the contract says of it is made once."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from starlette.types import Receive, Scope, Send

from openapi.contract import Contract, ContractError
from openapi.problems import Problem
from openapi.requests.body import Body, MediaType, nothing
from openapi.requests.content import COMPLETE
from openapi.requests.parameters import Parameters
from openapi.schemas.validation import Schemas
from openapi.serving.dispatch import Verified, Verify
from openapi.serving.messages import NDJSON, Answer, BodyField, Handler, Refusal, Request, respond
from openapi.serving.operations import OperationTable
from openapi.serving.rate_limits import Bucket
from openapi.serving.request_state import request_state

DEFAULT_LIMIT = 64 * 1024
MAX_LIMIT = 16 * 1024 * 1024
"""Bytes that a contract may allow: such a body is held in memory while it is checked."""
MAX_STREAM_LIMIT = 1024**4
"""Likewise, of a body that is read line by line."""
CODINGS = frozenset({"gzip"})

_JSON = re.compile(r"application/(?:[a-z0-9.-]+\+)?json", re.IGNORECASE)

Authenticate = Callable[[str, Any], Awaitable[Any]]
"""From a bearer token and the resources to who sent it, or None if the token is not accepted."""


class TokenRequirement(NamedTuple):
    """What an operation requires of an access token: that it is for the version at `path`, and has `scopes`."""

    path: str
    scopes: frozenset[str]


Authorize = Callable[[Scope, TokenRequirement, Any], Awaitable[Any]]
"""From a request, the requirement of its operation and the resources to the caller; raises Problem if refused."""
NewRequest = Callable[[Any], Request]
"""Creates the Request of a caller, before anything of it is read."""
CheckKey = Callable[[Any], None]
"""Raises Problem if the API key of this caller is no longer accepted."""
OnRequest = Callable[[Any, str], None]
"""Called once per request, with the caller and the contract version."""


@dataclass(frozen=True)
class Dependencies:
    """What an application needs beside its contract.

    `operations` has the handlers. `authenticate` checks the keys of `http` bearer schemes, `authorize` the access
    tokens of `oauth2` schemes; a scheme without its function is not served. Each handler gets `resources` as they are.
    `failures` maps exceptions of other rooms to codes of problems. `body_timeout` is in seconds. `bucket_for` returns
    the bucket of a caller: operations that document 429 take tokens from it. Clients reach the service at `public_url`.
    `check_key` runs after `authenticate` and `on_request`, and may still refuse the key.
    """

    operations: OperationTable
    authenticate: Authenticate
    resources: Any = None
    failures: Mapping[type[Exception], str] = field(default_factory=dict)
    body_timeout: float = 20
    bucket_for: Callable[[Any], Bucket] | None = None
    public_url: str = ""
    authorize: Authorize | None = None
    check_key: CheckKey = lambda _caller: None
    on_request: OnRequest = lambda _caller, _version: None


class Endpoint:
    """Reads and validates what one operation takes, calls its handler, and sends what that answers."""

    def __init__(
        self, operation: Any, contract: Contract, schemas: Schemas, dependencies: Dependencies, new_request: NewRequest
    ) -> None:
        """`operation` is Connexion's; ContractError if it promises what this release, or its handler, does not keep."""
        if not operation.security or not all(operation.security):
            raise ContractError(f"{operation.operation_id} can be called without authentication")
        pointer = ("paths", operation.path, operation.method)
        self._handler: Handler = operation.function
        self._new_request = new_request
        self._parameters = Parameters(_parameters(contract, pointer))
        self._body = _body(operation, contract, schemas, dependencies.body_timeout)
        self._when_refused = getattr(operation.function, "when_refused", None)
        self._bucket_for = dependencies.bucket_for if "429" in contract.at(pointer)["responses"] else None
        self.verify: Verify | None = None

    def validated(self, content: bytes) -> Any:
        """The value of `content` as a JSON body of this operation, which has one; Problem if it is not accepted."""
        if not self._body:
            raise LookupError("the operation has no body")
        return self._body.of_json(content)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, routed and authenticated."""
        caller = scope["extensions"]["connexion_context"]["user"]
        request = self._new_request(caller)
        bucket = request.bucket = self._bucket_for(caller) if self._bucket_for else None
        try:
            answer = await self._answer(request, scope, receive)
        except Exception as error:
            if bucket:
                request_state(scope).headers = bucket.headers()
            if self._when_refused and isinstance(error, Problem):
                await self._when_refused(Refusal(request, error))
            raise
        await respond(send, answer, bucket.headers() if bucket else ())

    async def _answer(self, request: Request, scope: Scope, receive: Receive) -> Answer:
        try:
            request.parameters = self._parameters.read(scope)
        finally:  # whoever sends too much is told that first; what they prefer is known then
            if request.bucket:
                request.bucket.take(1)
        if self._body:
            received = await self._body.receive(scope, receive)
            authorize: Callable[[], Awaitable[None]] = nothing
            if self.verify and COMPLETE not in scope["extensions"]:
                # The body was still to come, which may have taken long: its sender is asked for once more.
                authorize = partial(self.verify, Verified(scope))
                await authorize()
            request.content = received.content
            request.body = received.value(authorize)
        return await self._handler(request)


def _parameters(contract: Contract, pointer: tuple[str, ...]) -> list[dict[str, Any]]:
    """The parameters of the operation at `pointer` and of its path, of which it may replace some."""
    declared = {}
    for node in (contract.at(pointer[:-1]), contract.at(pointer)):
        for parameter in map(contract.resolve, node.get("parameters", [])):
            schema = contract.resolve(parameter.get("schema", {}))
            declared[parameter["name"], parameter["in"]] = {**parameter, "schema": schema}
    return list(declared.values())


def _body(operation: Any, contract: Contract, schemas: Schemas, timeout: float) -> Body | None:
    """What the operation accepts as a body; ContractError if that is not served."""
    declared = operation.request_body
    name = operation.operation_id
    if not declared:
        _check_promises(operation, contract, {})
        return None
    if not declared.get("required"):
        raise ContractError(f"{name}: an optional body is not served by this release")
    codings = declared.get("x-content-codings", [])
    if not isinstance(codings, list) or not CODINGS.issuperset(codings):
        raise ContractError(f"{name}: x-content-codings is not a list of {' and '.join(CODINGS)}")
    if not declared["content"]:
        raise ContractError(f"{name}: the body has no media type")
    media_types = {}
    for media_type in declared["content"]:
        pointer = ("paths", operation.path, operation.method, "requestBody", "content", media_type)
        served = media_type_at(name, media_type, contract, schemas, pointer)
        is_array = served.items is not None and not served.is_lines
        _check_promises(operation, contract, contract.at((*pointer, "schema", *(["items"] if is_array else []))))
        media_types[media_type.lower()] = served
    return Body(media_types, timeout, frozenset(codings))


def media_type_at(
    name: str, media_type: str, contract: Contract, schemas: Schemas, pointer: tuple[str, ...]
) -> MediaType:
    """What is accepted at `pointer`; ContractError if that is not served."""
    is_lines = media_type.lower() == NDJSON
    if not is_lines and not _JSON.fullmatch(media_type):
        raise ContractError(f"{name}: a body is served as application/json, a type in +json, or {NDJSON}")
    node, body = contract.at(pointer), contract.at(pointer[:-2])
    if "schema" not in node:
        raise ContractError(f"{name}: {media_type} has no schema")
    limit = node.get("x-body-limit-bytes", body.get("x-body-limit-bytes", DEFAULT_LIMIT))
    highest = MAX_STREAM_LIMIT if is_lines else MAX_LIMIT
    if type(limit) is not int or not 1 <= limit <= highest:
        raise ContractError(f"{name}: x-body-limit-bytes is not an integer from 1 to {highest}")
    schema = schemas.compile(*pointer, "schema")
    declared = contract.at((*pointer, "schema"))
    if is_lines:
        return MediaType(schema, limit, items=schema, is_lines=True)
    if declared.get("type") != "array":
        return MediaType(schema, limit)
    if type(declared.get("maxItems")) is not int:
        raise ContractError(f"{name}: the array has no maxItems")
    return MediaType(schema, limit, schemas.compile(*pointer, "schema", "items"), declared["maxItems"])


def _check_promises(operation: Any, contract: Contract, schema: dict[str, Any]) -> None:
    """ContractError unless `schema`, of the body or of each of its items, has what the handler relies on."""
    for name, taken in getattr(operation.function, "takes", {}).items():
        if not _promises(contract, schema, name, taken):
            wanted = f"{'required' if taken.required else 'optional'} {taken.type} {taken.format or ''}".strip()
            raise ContractError(f"{operation.operation_id} takes {name} as {wanted}, not as promised here")


def _promises(contract: Contract, schema: dict[str, Any], name: str, field: BodyField) -> bool:
    """Whether `schema` has the property `name` as `field` says; an optional one may be absent."""
    if name not in schema.get("properties", {}):
        return not field.required
    found = contract.resolve(schema["properties"][name])
    same = (found.get("type"), found.get("format")) == (field.type, field.format) and not found.get("nullable")
    return same and (name in schema.get("required", ()) or not field.required)
