"""The card of a contract: the first card has the declared contents, and no document can inject anything into one."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from markdown_it import MarkdownIt

from openapi.contract import Contract, ContractError, published
from openapi.rendering import card as module
from openapi.rendering.card import card

RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
INSTANTS = {"published_at": datetime(2026, 3, 30, tzinfo=UTC), "activated_at": datetime(2026, 3, 31, 12, tzinfo=UTC)}
OLDEST, NEWEST, *_ = published()
BLOCKS = {
    f"{name}_open" for name in ("heading", "paragraph", "bullet_list", "list_item", "table", "thead", "tbody")
} | {*("tr_open", "th_open", "td_open", "inline", "code_block")}
EVIL = "a | b\n\n# <script>x</script> [l](http://e) ![i](j) `c` ``` ~~~ | www.e.example\n- ----\n1. x\n\x1b[2J"


def rows(markdown: str, head: str) -> list[list[str]]:
    """The cells of the first table whose first row begins with `head`."""
    (body,) = re.findall(rf"^\| {re.escape(head)} \|.*\n\| --- .*\n((?:\|.*\n)+)", markdown, re.MULTILINE)[:1]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in body.splitlines()]


def bodies(markdown: str) -> list[Any]:
    """The examples, parsed as JSON."""
    blocks = [token.content for token in RENDERER.parse(markdown) if token.type == "code_block"]
    return [json.loads(block) for block in blocks]


def section(markdown: str, heading: str) -> str:
    """The text below `heading`, up to the next one."""
    return markdown.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def contract(**members: Any) -> Contract:
    """A small contract with `members` at its top level."""
    operation: dict[str, Any] = {"responses": {"204": {"description": "Done."}}}
    document = {"openapi": "3.0.3", "info": {"title": "T", "version": "1.0"}, "paths": {"/a": {"get": operation}}}
    return Contract.read(json.dumps(document | members))


@pytest.fixture(scope="module")
def oldest() -> str:
    """The card of the first contract."""
    return card(OLDEST, "active", INSTANTS)


@pytest.fixture(scope="module")
def newest() -> str:
    """The card of the newest contract."""
    return card(NEWEST, "active", INSTANTS)


def test_the_first_card_identifies_its_contract(oldest: str) -> None:
    """Name, version, date, status and the governing source."""
    assert oldest.startswith("# Interaction Reporting API\n\n")
    facts = "**Name:** Interaction Reporting API · **Version:** 1.0 · **Date:** 2026-03-31 · **Status:** Active"
    assert facts in oldest.splitlines()
    assert (
        "The authoritative runtime contract is the active row in the `interaction_reporting_contracts` table." in oldest
    )
    assert "In case of conflict, the database row governs." in oldest
    assert OLDEST.digest in oldest


def test_the_first_card_has_the_declared_endpoint(oldest: str) -> None:
    """One operation, and its authentication."""
    assert re.findall(r"^## (.*)$", oldest, re.MULTILINE) == [
        "Purpose",
        "Canonical source of truth",
        "Rules for every request",
        "Authentication",
        "`POST /api/v1/interaction-events`",
        "Versioning policy",
        "Status",
    ]
    assert "Authentication: `Authorization: Bearer <hub-api-key>`." in oldest.splitlines()


def test_the_first_card_has_the_declared_fields(oldest: str) -> None:
    """Required and optional fields, their types, and the allowed values."""
    assert [row[:2] for row in rows(oldest, "required field")] == [
        ["`widget_id`", "UUID"],
        ["`event_type`", "TEXT"],
        ["`occurred_at`", "ISO 8601 timestamp"],
    ]
    optional = rows(oldest, "optional field")
    assert [row[:2] for row in optional] == [
        ["`actor_id`", "UUID"],
        ["`actor_type`", "TEXT"],
        ["`view_context_ref`", "TEXT"],
        ["`metadata`", "JSON object"],
    ]
    assert optional[1][2].startswith("`user`, `agent`, `automation`, `external_adapter`.")
    for event_type in ("viewed", "abandoned", "flagged_confusing", "blocked_by_policy", "rejected_recommendation"):
        assert f"`{event_type}`" in rows(oldest, "required field")[1][2]


def test_the_first_card_has_the_declared_answers(oldest: str) -> None:
    """Statuses, and the exact bodies that were declared."""
    for status, phrase in ((201, "Created"), (401, "Unauthorized"), (422, "Unprocessable Entity")):
        assert f"**{status} {phrase}**: " in oldest
    help_ = "Register this event type via the Type Registry admin UI or hub capability manifest before submitting."
    examples = bodies(oldest)
    assert examples[0].keys() == {"id", "widget_id", "event_type", "occurred_at"}
    assert {"error": "event_type 'pipeline_started' not registered", "help": help_} in examples
    assert {"error": "Authorization: Bearer required"} in examples
    assert "described below" not in oldest


def test_the_first_card_has_the_declared_policy(oldest: str) -> None:
    """The changes that need a minor or a major version, and the future of this one."""
    assert section(oldest, "Versioning policy").strip().splitlines() == [
        "- v1.0: current version.",
        "- Adding new optional request fields: minor version (v1.1), no breaking change.",
        "- Changing required fields, response shape, or auth scheme: major version (v2.0).",
        (
            "- Phase 9 will introduce `/api/v2/` with OAuth 2.0 replacing per-hub Bearer tokens. "
            "v1.0 will remain supported during the migration window."
        ),
    ]


def test_a_card_of_many_operations_has_them_all(newest: str) -> None:
    """First a table of operations, then each with its parameters; a response that several share appears once."""
    listed = [row[0].strip("`") for row in rows(newest, "operation")]
    assert listed == [f"{operation.method.upper()} {operation.path}" for operation in NEWEST.operations]
    headings = re.findall(r"^## `([A-Z]+ .*)`$", newest, re.MULTILINE)
    assert headings == [name.replace(" /", " /api/v1/") for name in listed]
    replay = section(newest, "`POST /api/v1/rejected-submissions/replay`")
    assert rows(replay, "parameter")[0][:3] == ["`Prefer`", "header", "TEXT"]
    assert (
        newest.count(
            "The database cannot be reached or is too slow. The service resumes by itself when the database is back.\n"
        )
        == 1
    )
    assert newest.count("Authentication: `Authorization: Bearer <hub-api-key>`.") == len(headings)


def test_a_card_describes_batches_and_nested_objects(newest: str) -> None:
    """An array and lines of the same objects have one table; each nested object has its own."""
    batch = section(newest, "`POST /api/v1/interaction-events/batch`")
    assert "- `application/json`: array of JSON object, at most 1,000 items, at most 4,194,304 bytes, with or" in batch
    assert "- `application/x-ndjson`: JSON object, at most 4,294,967,296 bytes, with or without" in batch
    assert batch.count("| `widget_id` | UUID |") == 1
    manifest = section(newest, "`PUT /api/v1/hub-capability-manifest`")
    assert re.findall(r"^In `(.*)`:$", manifest, re.MULTILINE) == ["event_types[]", "widgets[]"]


@pytest.mark.parametrize("version", [OLDEST, NEWEST], ids=["1.0", "1.1"])
def test_a_card_is_well_formed(version: Contract) -> None:
    """It renders only to headings, paragraphs, lists, tables and code."""
    tokens = RENDERER.parse(card(version, "active", INSTANTS))
    types = {token.type for token in tokens if token.nesting >= 0}
    assert types == BLOCKS
    within = {inner.type for token in tokens for inner in token.children or []}
    assert not within & {"link_open", "image", "html_inline", "softbreak"}


def test_a_card_shows_the_lifecycle_of_its_contract() -> None:
    """Here deprecated, with a sunset; an instant appears if its column has a value."""
    sunset = INSTANTS | {
        "deprecated_at": datetime(2026, 4, 1, tzinfo=UTC),
        "sunset_at": datetime(2027, 1, 1, tzinfo=UTC),
    }
    text = card(OLDEST, "deprecated", {**sunset, "retired_at": None})
    assert "**Status:** Deprecated" in text
    assert "- v1.0: deprecated." in text
    assert section(text, "Status").strip().splitlines() == [
        "- Status: deprecated",
        "- Published: 2026-03-30T00:00:00Z",
        "- Activated: 2026-03-31T12:00:00Z",
        "- Deprecated: 2026-04-01T00:00:00Z",
        "- Sunset: 2027-01-01T00:00:00Z",
    ]


def test_a_card_omits_what_its_document_omits() -> None:
    """Nothing about a missing description, security or body; a draft shows its date of publication."""
    text = card(contract(), "draft", {"published_at": INSTANTS["published_at"], "activated_at": None})
    assert "**Date:** 2026-03-30 · **Status:** Draft" in text
    assert "Authentication: none." in text
    assert "**204 No Content**: Done." in text
    assert not [heading for heading in ("Purpose", "every request", "## Authentication", "The body") if heading in text]
    assert "Phase 9" not in card(contract(info={"title": "T", "version": "2.0"}), "active", {})


@pytest.mark.parametrize(
    ("scheme", "words"),
    [
        ({"type": "http", "scheme": "Bearer"}, "`Authorization: Bearer <token>`"),
        ({"type": "http", "scheme": "basic"}, "`Authorization: basic <credentials>`"),
        ({"type": "apiKey", "name": "X-Key", "in": "header"}, "`X-Key` in header"),
        ({"type": "oauth2", "flows": {}}, "OAuth 2.0 with `read`"),
        ({"type": "openIdConnect"}, "OpenID Connect"),
    ],
)
def test_each_security_scheme_has_a_text(scheme: dict[str, Any], words: str) -> None:
    """With the required scopes, and "none" if authentication is optional."""
    scopes = ["read"] if scheme["type"] == "oauth2" else []
    text = card(contract(security=[{"a": scopes}, {}], components={"securitySchemes": {"a": scheme}}), "active", {})
    assert f"Authentication: {words}, or none." in text


@pytest.mark.parametrize(
    ("content", "body"),
    [
        ({"example": [1]}, [1]),
        ({"schema": {"type": "object", "example": {"a": 1}}}, {"a": 1}),
        ({"schema": {"type": "object", "properties": {"a": {"type": "integer", "example": 2}, "b": {}}}}, {"a": 2}),
        ({"examples": {"x": {"value": {"a": 3}}}, "schema": {"example": 4}}, {"a": 3}),
    ],
)
def test_an_example_may_stand_in_several_places(content: dict[str, Any], body: Any) -> None:
    """In the media type, in its schema, or in the fields of its object."""
    response = {"description": "Done.", "content": {"application/json": content}}
    text = card(contract(paths={"/a": {"get": {"responses": {"200": response, "default": response}}}}), "active", {})
    assert bodies(text) == [body, body]
    assert "**default**: Done." in text


def evil(node: Any) -> Any:
    """`node` with a hostile text in place of each text that is for readers."""
    if isinstance(node, list):
        return [evil(item) for item in node]
    if not isinstance(node, dict):
        return node
    read = {"description", "summary", "title", "pattern", "bearerFormat", "name"}
    return {name: EVIL if name in read and isinstance(value, str) else evil(value) for name, value in node.items()}


def test_a_hostile_document_injects_nothing() -> None:
    """Texts, names, examples and paths of a document do not change the structure of the card."""
    document = evil(NEWEST.copy())
    schema = {"type": "string", "enum": [EVIL], "default": EVIL}
    fields = {"type": "object", "properties": {EVIL: schema, "b": {"properties": {EVIL: schema}}}, "required": [EVIL]}
    response = {"description": EVIL, "content": {EVIL: {"examples": {"x": {"summary": EVIL, "value": EVIL}}}}}
    document["paths"]["/" + EVIL] = {
        "post": {
            "parameters": [{"name": EVIL, "in": EVIL, "schema": schema}],
            "requestBody": {"content": {EVIL: {"schema": fields}}, "x-content-codings": [EVIL]},
            "responses": {EVIL: response, "201": response | {"content": {"a": {"example": {EVIL: EVIL}}}}},
        }
    }
    document["components"]["securitySchemes"][EVIL] = {"type": "apiKey", "name": EVIL, "in": EVIL}
    document["servers"] = [{"url": EVIL}]
    text = card(Contract.read(json.dumps(document)), "active", INSTANTS)
    tokens = RENDERER.parse(text)
    assert {token.type for token in tokens if token.nesting >= 0} <= BLOCKS
    within = {inner.type for token in tokens for inner in token.children or []}
    assert within <= {"text", "text_special", "code_inline", "strong_open", "strong_close"}
    assert [token.tag for token in tokens if token.type == "heading_open"].count("h1") == 1
    # One heading for each operation, and seven of the card's own; a list item for each media type, policy and instant.
    assert [token.tag for token in tokens if token.type == "heading_open"].count("h2") == len(NEWEST.operations) + 1 + 8
    assert "\x1b" not in text


@pytest.mark.parametrize(
    "members",
    [
        {"info": {"version": "1.0"}},
        {"info": {"title": "T", "version": "1.0", "description": 5}},
        {"paths": 7},
        {"paths": {"/a": 7}},
        {"paths": {"/a": {"get": 7}}},
        {"paths": {"/a": {"get": {}}}},
        {"paths": {"/a": {"get": {"responses": {}, "parameters": [{}]}}}},
        {"paths": {"/a": {"get": {"responses": {"200": 3}}}}},
        {
            "paths": {
                "/a": {"get": {"responses": {}, "requestBody": {"content": {"a": {"schema": {"minLength": "x"}}}}}}
            }
        },
        {"components": {"securitySchemes": {"a": {}}}},
        {"servers": [{}]},
        {"security": [{"nowhere": []}]},
    ],
    ids=str,
)
def test_a_document_that_is_not_openapi_has_no_card(members: dict[str, Any]) -> None:
    """A database row may hold anything: the ContractError names the version."""
    with pytest.raises(ContractError, match=r"contract 1\.0 cannot be rendered as a card: "):
        card(contract(**members), "active", {})


def test_a_card_does_not_grow_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text of all operations together is limited."""
    monkeypatch.setattr(module, "MAX_CHARACTERS", 1000)
    with pytest.raises(ContractError, match="it has more than 1000 characters"):
        card(OLDEST, "active", INSTANTS)
