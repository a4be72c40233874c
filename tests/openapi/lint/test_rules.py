"""The house rules for documents: each rule reports only its violations, with their places."""

import json
from typing import Any

import pytest

from handlers.operations import OPERATIONS
from openapi.contract import Contract, published
from openapi.lint.foundations import FOUNDATIONS
from openapi.lint.rules import RULES, Finding, lint, names_operations
from openapi.standards import json_pointer

REMOVED = object()
OPERATION = ("paths", "/interaction-events", "post")
BODY = (*OPERATION, "requestBody", "content", "application/json")
SCHEMA = ("components", "schemas", "InteractionEvent")
METADATA = (*SCHEMA, "properties", "metadata")
SCHEME = ("components", "securitySchemes", "hubApiKey")
OF_TOKENS = ("components", "securitySchemes", "oauth2")
SCOPES = (*OF_TOKENS, "flows", "clientCredentials", "scopes")
AT_OPERATION = "/paths/~1interaction-events/post"
AT_SCHEMES = "/components/securitySchemes"
AT_BODY = f"{AT_OPERATION}/requestBody/content/application~1json"
AT_METADATA = "/components/schemas/InteractionEvent/properties/metadata"


def changed(parts: tuple[str, ...], value: Any, version: str = "1.0") -> Contract:
    """The contract of `version` with `value` at `parts`, or without that member if `value` is REMOVED."""
    document = next(contract for contract in published() if contract.version == version).copy()
    node = document
    for part in parts[:-1]:
        node = node[part]
    if value is REMOVED:
        del node[parts[-1]]
    else:
        node[parts[-1]] = value
    return Contract.read(json.dumps(document))


BROKEN = [
    pytest.param("openapi-3.0", ("openapi",), "3.1.0", "/openapi", "not OpenAPI 3.0", id="OpenAPI 3.1"),
    pytest.param("openapi-3.0", ("openapi",), REMOVED, "/openapi", "not OpenAPI 3.0", id="no OpenAPI version"),
    pytest.param(
        "no-recursion",
        METADATA,
        {"$ref": "#/components/schemas/InteractionEvent"},
        AT_METADATA,
        "is recursive",
        id="a reference to what holds it",
    ),
    pytest.param(
        "no-recursion",
        (*METADATA, "items"),
        {"anyOf": [{"$ref": "#/components/schemas/InteractionEvent/properties/metadata"}]},
        f"{AT_METADATA}/items/anyOf/0",
        "is recursive",
        id="a reference to what holds it, within a list",
    ),
    pytest.param("openapi", ("paths", "/a"), None, "/paths", "/a is not an object", id="a path item that is null"),
    pytest.param("openapi", ("info", "title"), REMOVED, "/info", '"title" is a required property', id="no title"),
    pytest.param(
        "operations",
        (*OPERATION, "operationId"),
        "os.path.basename",
        f"{AT_OPERATION}/operationId",
        "'os.path.basename' names no operation",
        id="other code",
    ),
    pytest.param(
        "operations",
        (*OPERATION, "operationId"),
        "handlers.interaction_events.create",
        f"{AT_OPERATION}/operationId",
        "names no operation of this release; did you mean 'reportInteractionEvent'?",
        id="a former operationId",
    ),
    pytest.param(
        "operations",
        ("components", "links"),
        {"Made": {"operationId": "handlers.interaction_events.get"}},
        "/components/links/Made/operationId",
        "the link names 'handlers.interaction_events.get', which is not an operation",
        id="a link to nowhere",
    ),
    pytest.param(
        "operations",
        (*OPERATION, "operationId"),
        REMOVED,
        f"{AT_OPERATION}/operationId",
        "'' names no operation",
        id="no operationId",
    ),
    pytest.param(
        "operations",
        (*OPERATION, "operationId"),
        "reportInteractionEvnt",
        f"{AT_OPERATION}/operationId",
        "names no operation of this release; did you mean 'reportInteractionEvent'?",
        id="an unknown operation",
    ),
    *(
        pytest.param("no-other-code", (*where, name), "os.getcwd", f"{at}/{name}", f"{name} is not accepted", id=name)
        for where, at, name in [
            (SCHEME, "/components/securitySchemes/hubApiKey", "x-bearerInfoFunc"),
            (SCHEME, "/components/securitySchemes/hubApiKey", "x-basicInfoFunc"),
            (SCHEME, "/components/securitySchemes/hubApiKey", "x-apikeyInfoFunc"),
            (SCHEME, "/components/securitySchemes/hubApiKey", "x-tokenInfoFunc"),
            (SCHEME, "/components/securitySchemes/hubApiKey", "x-tokenInfoUrl"),
            (SCHEME, "/components/securitySchemes/hubApiKey", "x-scopeValidateFunc"),
            (OPERATION, AT_OPERATION, "x-openapi-router-controller"),
            (OPERATION, AT_OPERATION, "x-swagger-router-controller"),
        ]
    ),
    pytest.param(
        "no-vain-keywords",
        (*METADATA, "maxLength"),
        5,
        f"{AT_METADATA}/maxLength",
        "maxLength does not apply to type object",
        id="a keyword of another type",
    ),
    pytest.param(
        "satisfiable",
        METADATA,
        {"type": "object", "description": "None.", "additionalProperties": False, "minProperties": 1},
        AT_METADATA,
        "no value satisfies the schema",
        id="an object that cannot be",
    ),
    pytest.param(
        "authentication", ("security",), REMOVED, AT_OPERATION, "without authentication", id="no security at all"
    ),
    pytest.param(
        "authentication",
        (*OPERATION, "security"),
        [],
        AT_OPERATION,
        "without authentication",
        id="security switched off",
    ),
    pytest.param(
        "authentication",
        (*OPERATION, "security"),
        [{"hubApiKey": []}, {}],
        AT_OPERATION,
        "without authentication",
        id="optional security",
    ),
    pytest.param(
        "authentication",
        SCHEME,
        {"type": "http", "scheme": "basic"},
        "/components/securitySchemes/hubApiKey",
        "neither http bearer",
        id="another scheme of HTTP",
    ),
    pytest.param(
        "authentication",
        ("components", "securitySchemes", "unused"),
        {"type": "apiKey", "in": "header", "name": "X-Key", "x-authentication-scheme": "bearer"},
        "/components/securitySchemes/unused",
        "neither http bearer",
        id="another type of scheme",
    ),
    pytest.param(
        "compiles",
        (*SCHEMA, "properties", "event_type", "pattern"),
        "(?=a)b",
        f"{AT_BODY}/schema",
        "is not a",
        id="a pattern that takes more than linear time",
    ),
    pytest.param("examples", (*BODY, "examples"), REMOVED, AT_BODY, "the body has no example", id="no example"),
    pytest.param(
        "examples",
        (*BODY, "examples", "minimal", "value", "event_type"),
        "",
        f"{AT_BODY}/examples/minimal",
        "does not satisfy its schema: event_type is empty",
        id="a wrong example",
    ),
    pytest.param(
        "examples",
        ("components", "responses", "BadRequest", "content", "application/json"),
        {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}, "example": {"error": "text"}},
        f"{AT_OPERATION}/responses/400/content/application~1json/example",
        "does not satisfy its schema: help is required",
        id="a wrong single example of an answer",
    ),
    pytest.param(
        "descriptions", (*OPERATION, "summary"), REMOVED, AT_OPERATION, "the operation has no summary", id="no summary"
    ),
    *(
        pytest.param("descriptions", where, REMOVED, at, "it has no description", id=f"no description of {name}")
        for name, where, at in [
            ("an operation", (*OPERATION, "description"), AT_OPERATION),
            ("a body", (*OPERATION, "requestBody", "description"), f"{AT_OPERATION}/requestBody"),
            (
                "a header",
                ("components", "headers", "RetryAfter", "description"),
                f"{AT_OPERATION}/responses/503/headers/Retry-After",
            ),
        ]
    ),
    pytest.param(
        "descriptions",
        (*OPERATION, "parameters"),
        [{"name": "page", "in": "query", "schema": {"type": "integer"}}],
        f"{AT_OPERATION}/parameters/0",
        "it has no description",
        id="no description of a parameter",
    ),
    pytest.param(
        "descriptions",
        ("components", "responses", "BadRequest", "description"),
        "",
        f"{AT_OPERATION}/responses/400",
        "it has no description",
        id="an empty description of an answer",
    ),
    pytest.param(
        "descriptions",
        (*METADATA, "description"),
        REMOVED,
        AT_METADATA,
        "the field has no description",
        id="no description of a field",
    ),
    *(
        pytest.param("bounds", (*where, "maxLength"), REMOVED, at, "no maxLength", id=f"no bound of a string in {name}")
        for name, where, at in [
            (
                "a field",
                (*SCHEMA, "properties", "event_type"),
                "/components/schemas/InteractionEvent/properties/event_type",
            ),
            ("a header", ("components", "headers", "Challenge", "schema"), "/components/headers/Challenge/schema"),
        ]
    ),
    pytest.param(
        "bounds",
        (*SCHEMA, "properties", "list"),
        {"type": "array", "description": "A list.", "items": {"type": "boolean"}},
        "/components/schemas/InteractionEvent/properties/list",
        "the array has no maxItems",
        id="no bound of an array",
    ),
    pytest.param(
        "bounds",
        (*SCHEMA, "properties", "text"),
        {"type": "string", "nullable": True, "description": "A text.", "pattern": "^[a-z]{1,}$"},
        "/components/schemas/InteractionEvent/properties/text",
        "the string has no maxLength",
        id="a pattern without an upper bound",
    ),
    *(
        pytest.param(
            "bounds",
            (*METADATA, keyword),
            [{"type": "string"}] if is_list else {"type": "string"},
            f"{AT_METADATA}/{keyword}" + ("/0" if is_list else ""),
            "the string has no maxLength",
            id=f"no bound of a string in {keyword}",
        )
        for keyword, is_list in [
            ("additionalProperties", False),
            ("items", False),
            ("not", False),
            ("allOf", True),
            ("anyOf", True),
            ("oneOf", True),
        ]
    ),
    pytest.param(
        "no-vain-keywords",
        (*SCHEMA, "properties", "list"),
        {"nullable": True, "description": "A list.", "allOf": [{"type": "boolean"}]},
        "/components/schemas/InteractionEvent/properties/list/nullable",
        "nullable does not apply without a type",
        id="nullable without a type",
    ),
    pytest.param(
        "no-vain-keywords",
        (*SCHEMA, "properties", "list"),
        {"type": "string", "nullable": True, "description": "A word.", "enum": ["a"]},
        "/components/schemas/InteractionEvent/properties/list/nullable",
        "nullable does not add null to the enum: list it there",
        id="a nullable enumeration without null",
    ),
    pytest.param(
        "closed-objects",
        (*METADATA, "additionalProperties"),
        REMOVED,
        AT_METADATA,
        "does not declare additionalProperties",
        id="an object that is open by silence",
    ),
]


BROKEN_WITH_TOKENS = [
    *(
        pytest.param("authentication", (*OPERATION, "security"), required, AT_OPERATION, message, id=message)
        for required, message in [
            ([{"oauth2": []}], "the operation requires no scope"),
            ([{"oauth2": ["events:rite"]}], "the scope 'events:rite' is not declared"),
            ([{"nowhere": []}], "the security scheme 'nowhere' is not declared"),
            ([{"oauth2": ["events:write"]}, {"oauth2": ["events:read"]}], "may name only one security scheme, once"),
            ([{}], "without authentication"),
            (REMOVED, "can be called without authentication"),
        ]
    ),
    *(
        pytest.param(
            "authentication",
            (*OF_TOKENS, "flows"),
            {flow: urls | {"scopes": {"events:write": "Write."}} for flow, urls in flows.items()},
            f"{AT_SCHEMES}/oauth2",
            "nor oauth2 with only the flow clientCredentials",
            id=" ".join(flows),
        )
        for flows in (
            {"implicit": {"authorizationUrl": "/a"}},
            {"clientCredentials": {"tokenUrl": "/oauth/token"}, "password": {"tokenUrl": "/oauth/token"}},
        )
    ),
    pytest.param(
        "scopes", (*SCOPES, "events:read"), "", AT_SCHEMES, "events:read has no description", id="an unknown scope"
    ),
    pytest.param("scopes", (*SCOPES, "idle"), "Idle.", AT_SCHEMES, "no operation requires the scope idle", id="idle"),
]
"""The same, for the contract with access tokens."""


@pytest.mark.parametrize(("rule", "parts", "value", "pointer", "message"), BROKEN)
def test_a_finding_has_the_place_of_the_violation(
    rule: str, parts: tuple[str, ...], value: Any, pointer: str, message: str
) -> None:
    """A document with one violation has a finding of that rule at that place; its message says what is wrong."""
    findings = lint(changed(parts, value), OPERATIONS)
    matches = [finding for finding in findings if (finding.rule, finding.pointer) == (rule, pointer)]
    assert matches, findings
    assert all(message in finding.message for finding in matches), matches


@pytest.mark.parametrize(("rule", "parts", "value", "pointer", "message"), BROKEN_WITH_TOKENS)
def test_faults_of_access_tokens_are_found(
    rule: str, parts: tuple[str, ...], value: Any, pointer: str, message: str
) -> None:
    """Scopes must be declared, described and used, and operations must require them in a supported way."""
    findings = RULES[rule](changed(parts, value, "2.0"))
    messages = [text for path, text in findings if json_pointer.pointer(*path) == pointer]
    assert len(messages) == 1, messages
    assert message in messages[0]


def test_each_rule_is_tried() -> None:
    """A document of this module breaks each rule."""
    assert {case.values[0] for case in BROKEN + BROKEN_WITH_TOKENS} == {*FOUNDATIONS, "operations", *RULES}


@pytest.mark.parametrize(
    ("parts", "value"),
    [
        pytest.param(("info", "title"), "Another title", id="nothing that rules are about"),
        pytest.param((*SCHEME, "scheme"), "Bearer", id="the scheme with a capital"),
        pytest.param(("security",), [{"hubApiKey": []}, {"hubApiKey": []}], id="two ways to authenticate"),
        pytest.param((*METADATA, "example"), {"inner": {"x-tokenInfoFunc": "f"}}, id="names within an example"),
        pytest.param((*METADATA, "default"), {"schema": {"type": "object"}}, id="names within a default"),
        pytest.param(
            (*BODY, "examples", "minimal", "value", "metadata"),
            {"schema": {"type": "string"}, "x-bearerInfoFunc": 1},
            id="a value that looks like a schema",
        ),
        pytest.param(
            (*SCHEMA, "properties", "$ref"),
            {"type": "string", "maxLength": 9, "description": "A field.", "nullable": True},
            id="a field named $ref",
        ),
        pytest.param(
            (*SCHEMA, "properties", "list"),
            {"type": "array", "description": "A list.", "items": {"type": "boolean"}, "maxItems": 3, "nullable": True},
            id="a bounded array",
        ),
        pytest.param(
            (*SCHEMA, "properties", "again"),
            {"$ref": "#/components/schemas/InteractionEvent/properties/view_context_ref"},
            id="a field described where it is defined",
        ),
        pytest.param(
            (*SCHEMA, "properties", "again"),
            {"$ref": "#/components/schemas/InteractionEvent/properties/view_context_ref", "type": "array"},
            id="a keyword next to a reference, which OpenAPI 3.0 ignores",
        ),
        pytest.param(
            (*METADATA, "anyOf"),
            [{"$ref": "#/components/schemas/ErrorAnswer"}, {"not": {"$ref": "#/components/schemas/ErrorAnswer"}}],
            id="two references to one schema",
        ),
        pytest.param(
            (*SCHEMA, "properties", "text"),
            {"type": "string", "nullable": True, "description": "A text.", "pattern": "^[A-Za-z0-9_-]{1,400}$"},
            id="a text that its pattern bounds",
        ),
        pytest.param((*METADATA, "nullable"), True, id="nullable"),
        pytest.param((*OPERATION, "requestBody"), REMOVED, id="an operation without a body"),
        pytest.param(
            ("components", "securitySchemes", "other"), {"type": "http", "scheme": "bearer"}, id="another key"
        ),
    ],
)
def test_differences_outside_the_rules_have_no_finding(parts: tuple[str, ...], value: Any) -> None:
    """A document passes if it differs only where no rule applies."""
    assert lint(changed(parts, value), OPERATIONS) == []


@pytest.mark.parametrize(
    ("parts", "value"),
    [
        pytest.param(("openapi",), "3.1.0", id="another OpenAPI"),
        pytest.param(METADATA, {"$ref": "#/components/schemas/InteractionEvent"}, id="a reference to what holds it"),
        pytest.param(("info", "title"), REMOVED, id="no title"),
    ],
)
def test_later_rules_wait_for_a_sound_document(parts: tuple[str, ...], value: Any) -> None:
    """While a foundation is broken, the rules that build on it report nothing."""
    contract = changed(parts, value)
    del contract.document["paths"]["/interaction-events"]["post"]["summary"]
    findings = lint(contract, OPERATIONS)
    assert findings
    assert {finding.rule for finding in findings} <= FOUNDATIONS.keys()


def test_each_reference_of_a_cycle_is_found() -> None:
    """Each reference to a schema of a cycle is found; a reference to a schema that only leads to a cycle is not."""
    contract = Contract(published()[0].text, published()[0].copy())
    schemas = contract.document["components"]["schemas"]
    schemas["There"] = {"not": {"$ref": "#/components/schemas/Back"}}
    schemas["Back"] = {"not": {"$ref": "#/components/schemas/There"}}
    schemas["InteractionEvent"]["properties"]["metadata"] = {"$ref": "#/components/schemas/There"}
    assert [(finding.rule, finding.pointer) for finding in lint(contract, OPERATIONS)] == [
        ("no-recursion", AT_METADATA),
        ("no-recursion", "/components/schemas/There/not"),
        ("no-recursion", "/components/schemas/Back/not"),
    ]


def test_examples_wait_for_schemas_that_compile() -> None:
    """A schema that does not compile is reported once, not again for each of its examples."""
    contract = changed((*SCHEMA, "properties", "event_type", "pattern"), "(?=a)b")
    assert {finding.rule for finding in lint(contract, OPERATIONS)} == {"compiles"}


def test_a_duplicate_operation_id_is_found() -> None:
    """One endpoint would serve both operations; each tool reports it."""
    contract = published()[0]
    document = contract.copy()
    document["paths"]["/again"] = document["paths"]["/interaction-events"]
    (finding,) = names_operations(OPERATIONS, Contract.read(json.dumps(document)))
    assert finding == (
        ("paths", "/again", "post", "operationId"),
        "operationId 'reportInteractionEvent' is not unique",
    )
    assert {finding.rule for finding in lint(Contract.read(json.dumps(document)), OPERATIONS)} == {"openapi"}


def test_every_finding_is_reported() -> None:
    """A document with several faults has a finding for each at once."""
    contract = changed((*METADATA, "description"), REMOVED)
    del contract.document["components"]["schemas"]["InteractionEvent"]["properties"]["event_type"]["maxLength"]
    assert lint(contract, OPERATIONS) == [
        Finding("descriptions", AT_METADATA, "the field has no description"),
        Finding("bounds", "/components/schemas/InteractionEvent/properties/event_type", "the string has no maxLength"),
    ]
