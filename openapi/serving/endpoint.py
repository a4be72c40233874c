"""One operation, ready to be called: everything in its contract is prepared once."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from starlette.types import Receive, Scope, Send

from openapi.contract import Contract, ContractError, schema_key
from openapi.problems import Problem
from openapi.requests.body import nothing
from openapi.requests.body_memory import LARGE_BYTES, BodyMemory
from openapi.requests.content import COMPLETE
from openapi.requests.declared_body import declared_body
from openapi.requests.parameters import Parameters
from openapi.schemas.validation import Schemas
from openapi.serving.dispatch import IsOrigin, Verified, Verify
from openapi.serving.exports import respond_with_export
from openapi.serving.messages import Answer, BodyField, Handler, Refusal, Request, respond
from openapi.serving.operations import OperationTable
from openapi.serving.rate_limits import Bucket
from openapi.serving.request_state import request_state
from openapi.standards.media_types import NDJSON

Authenticate = Callable[[str, Any], Awaitable[Any]]
"""From a bearer token and the resources to the caller, or None if the token is not accepted."""


class TokenRequirement(NamedTuple):
    """The access token that an operation requires: for the version at `path`, with `scopes`."""

    path: str
    scopes: frozenset[str]


Authorize = Callable[[Scope, TokenRequirement, Any], Awaitable[Any]]
"""From a request, the requirement of its operation and the resources to the caller; raises Problem if refused."""
NewRequest = Callable[[Any], Request]
"""Creates the Request of a caller, before anything of it is read."""
CheckKey = Callable[[Any], None]
"""Raises Problem if the API key of this caller is no longer accepted."""
CheckPage = Callable[[Scope, str], None]
"""Raises Problem if the page that sends a request to the version at this path may not act for its caller."""
OnRequest = Callable[[Any, str], None]
"""Called once per request, with the caller and the contract version."""


@dataclass(frozen=True)
class Dependencies:
    """What an application needs besides its contract.

    `operations` has the handlers. `authenticate` checks the keys of `http` bearer schemes, `authorize` the access
    tokens of `oauth2` schemes; a scheme without its function is not served. Handlers receive `resources` unchanged.
    `failures` maps exceptions of other rooms to problem codes. `body_timeout` is in seconds. `bucket_for` returns
    the bucket of a caller: operations that document 429 take tokens from it. Clients reach the service at `public_url`.
    `check_key` runs after `authenticate` and `on_request`, and may still refuse the key. `check_page` runs likewise
    for the access tokens of pages; `is_origin` tells whether a page may read errors before that. Neither is asked about
    pages at `public_url`. All applications of a process share one `body_memory`.
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
    check_page: CheckPage = lambda _scope, _path: None
    is_origin: IsOrigin = lambda _origin: False
    body_memory: BodyMemory = field(default_factory=BodyMemory)


class Endpoint:
    """Reads and validates the requests of one operation, calls its handler, and sends the response."""

    def __init__(
        self, operation: Any, contract: Contract, schemas: Schemas, dependencies: Dependencies, new_request: NewRequest
    ) -> None:
        """`operation` is Connexion's; ContractError if it promises more than this release, or its handler, fulfils."""
        if not operation.security or not all(operation.security):
            raise ContractError(f"{operation.operation_id} can be called without authentication")
        pointer = ("paths", operation.path, operation.method)
        self._handler: Handler = operation.function
        self._new_request = new_request
        self._parameters = Parameters(
            [
                {**parameter, "schema": contract.resolve(parameter.get("schema", {}))}
                for parameter in contract.parameters(pointer)
            ]
        )
        self._body = declared_body(contract, pointer, schemas, dependencies.body_timeout)
        _check_promises(operation, schemas.requests, pointer)
        self._memory = dependencies.body_memory
        self._when_refused = getattr(operation.function, "when_refused", None)
        self._bucket_for = dependencies.bucket_for if "429" in contract.at(pointer)["responses"] else None
        self.verify: Verify | None = None

    def validated(self, content: bytes) -> Any:
        """The value of `content` as a JSON body of this operation; Problem if invalid, LookupError if it has none."""
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
        if answer.problem:
            state = request_state(scope)
            state.problem, state.reason = answer.problem.code, answer.problem.reason
        headers = bucket.headers() if bucket else ()
        if answer.may_go_on:
            request_state(scope).headers = headers  # of the error, if there is nothing to send
            checks = [partial(self.verify, Verified(scope)) if self.verify else nothing, answer.may_go_on]
            await respond_with_export(scope, send, answer, headers, checks)
        else:
            await respond(send, answer, headers)

    async def _answer(self, request: Request, scope: Scope, receive: Receive) -> Answer:
        try:
            request.parameters = self._parameters.read(scope)
        finally:  # the rate limit comes before other errors, but after Prefer is read
            if request.bucket:
                request.bucket.take(1)
        if self._body:
            received = await self._body.receive(scope, receive)
            authorize: Callable[[], Awaitable[None]] = nothing
            if self.verify and COMPLETE not in scope["extensions"]:
                # The body may have taken long to arrive: its sender is verified again.
                authorize = partial(self.verify, Verified(scope))
                await authorize()
            request.content = received.content
            if len(received.content) > LARGE_BYTES:
                with self._memory.holding(len(received.content)):
                    request.body = received.value(authorize)
                    return await self._handler(request)
            request.body = received.value(authorize)
        return await self._handler(request)


def _check_promises(operation: Any, contract: Contract, pointer: tuple[str, ...]) -> None:
    """Raise ContractError unless each body of the operation, or each item of it, has what its handler takes."""
    fields = getattr(operation.function, "takes", {})
    for schema in list(_item_schemas(contract, pointer)) or [{}]:
        for name, field_ in fields.items():
            if not _promises(contract, schema, name, field_):
                wanted = f"{'required' if field_.required else 'optional'} {field_.type} {field_.format or ''}".strip()
                raise ContractError(
                    f"the handler of {operation.operation_id} takes {name} as {wanted}, "
                    "but this contract declares it differently"
                )


def _item_schemas(contract: Contract, pointer: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The schema of each media type of the body, or of the items of its array."""
    body = contract.resolve(contract.at(pointer).get("requestBody")) or {"content": {}}
    for media_type, declared in body["content"].items():
        parts = (*pointer, "requestBody", "content", media_type, schema_key(media_type, declared))
        schema = contract.at(parts)
        is_array = schema.get("type") == "array" and media_type.lower() != NDJSON
        yield contract.at((*parts, "items")) if is_array else schema


def _promises(contract: Contract, schema: dict[str, Any], name: str, field: BodyField) -> bool:
    """True if `schema` has the property `name` as `field` says; an optional property may be absent or null."""
    if name not in schema.get("properties", {}):
        return not field.required
    member = contract.resolve(schema["properties"][name])
    if (member.get("type"), member.get("format")) != (field.type, field.format):
        return False
    return not field.required or (name in schema.get("required", ()) and not member.get("nullable"))
