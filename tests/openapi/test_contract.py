"""Contract documents: reading a text, refusing an invalid one, and following references."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from openapi import contract
from openapi.contract import MAX_BYTES, Contract, ContractError, Operation, published
from openapi.document_text import MAX_DEPTH

INFO = 'info: {version: "1.0"}\n'


def with_value(value: str) -> str:
    """A document with the YAML text `value` under the key `value`."""
    return f"{INFO}value: {value}\n"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param("text", "text", id="a word"),
        pytest.param("yes", "yes", id="yes"),
        pytest.param("off", "off", id="off"),
        pytest.param("True", "True", id="True with a capital"),
        pytest.param("true", True, id="true"),
        pytest.param("false", False, id="false"),
        pytest.param("null", None, id="null"),
        pytest.param("~", None, id="a tilde"),
        pytest.param("", None, id="nothing"),
        pytest.param("0", 0, id="zero"),
        pytest.param("-12", -12, id="a negative integer"),
        pytest.param("1.50", 1.5, id="a decimal"),
        pytest.param("1e3", 1000.0, id="an exponent"),
        pytest.param("017", "017", id="octal of YAML 1.1"),
        pytest.param("0o17", "0o17", id="octal of YAML 1.2"),
        pytest.param("0x1f", "0x1f", id="hexadecimal"),
        pytest.param("1_000", "1_000", id="underscores"),
        pytest.param("12:30", "12:30", id="base sixty"),
        pytest.param("2026-03-31", "2026-03-31", id="a date"),
        pytest.param("2026-03-31T12:00:00Z", "2026-03-31T12:00:00Z", id="a date-time"),
        pytest.param(".inf", ".inf", id="infinity"),
        pytest.param(".nan", ".nan", id="not a number"),
        pytest.param("=", "=", id="an equals sign"),
        pytest.param("'1'", "1", id="a quoted number"),
        pytest.param("{<<: {a: 1}}", {"<<": {"a": 1}}, id="a merge key"),
        pytest.param("{200: a, true: b, null: c}", {"200": "a", "true": "b", "null": "c"}, id="keys of other types"),
        pytest.param("[a, [b]]", ["a", ["b"]], id="lists"),
        pytest.param("&anchor a", "a", id="an anchor that is not used"),
    ],
)
def test_yaml_has_only_the_types_of_json(written: str, read: Any) -> None:
    """Nothing becomes a date, an octal number or a boolean by surprise, and keys are strings."""
    value = Contract.read(with_value(written)).document["value"]
    assert (type(value), value) == (type(read), read)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "not an OpenAPI object", id="empty"),
        pytest.param("[]", "not an OpenAPI object", id="a list"),
        pytest.param("openapi: 3.0.3", "with an info object", id="no info"),
        pytest.param("info: text", "with an info object", id="info is text"),
        pytest.param("info: {}", "not of the form MAJOR.MINOR", id="no version"),
        pytest.param("info: {version: 1.0}", "quote it in YAML", id="version is a number"),
        pytest.param('info: {version: "1"}', "not of the form MAJOR.MINOR", id="no minor version"),
        pytest.param('info: {version: "1.0.0"}', "not of the form MAJOR.MINOR", id="three parts"),
        pytest.param('info: {version: "0.1"}', "not of the form MAJOR.MINOR", id="major version zero"),
        pytest.param('info: {version: "1.01"}', "not of the form MAJOR.MINOR", id="leading zero"),
        pytest.param('info: {version: "1.10000"}', "not of the form MAJOR.MINOR", id="five digits"),
        pytest.param('info: {version: "1.0\\n"}', "not of the form MAJOR.MINOR", id="a line break after it"),
        pytest.param(with_value("[1"), "not YAML", id="not YAML"),
        pytest.param(INFO + "---\na: 1\n", "expected a single document", id="two documents"),
        pytest.param(INFO + "a: 1\na: 2\n", "the key 'a' occurs twice", id="a key twice"),
        pytest.param(with_value("{1: a, '1': b}"), "the key '1' occurs twice", id="a key twice, once quoted"),
        pytest.param('{"a": 1, "b": 2, "b": 3, "a": 4}', "the key 'a' occurs twice", id="two keys twice in JSON"),
        pytest.param(
            "{" + "".join(f'"{number}":1,' for number in range(300_000)) + '"299999":1}',
            "the key '299999' occurs twice",
            id="the last of many keys twice",  # minutes of work, if each key were looked for among the others
        ),
        pytest.param(with_value("{[a]: b}"), "a key is not a string", id="a key that is a list"),
        pytest.param(with_value("[&a [], *a]"), "^line 2: YAML aliases are not accepted", id="an alias"),
        pytest.param(with_value("!!str a"), "^line 2: YAML tags are not accepted", id="a tag"),
        pytest.param(with_value("!!python/object/apply:os.getcwd []"), "tags are not accepted", id="code in a tag"),
        pytest.param(with_value("! a"), "YAML tags are not accepted", id="the tag that means no tag"),
        pytest.param(
            with_value("1e400"), r"Out of range float values are not JSON compliant\Z", id="a number beyond a double"
        ),
        pytest.param(with_value("9" * 5000), "integer string conversion", id="an integer of 5,000 digits"),
        pytest.param(with_value('"\ud800"'), "surrogates not allowed", id="a lone surrogate"),
        pytest.param(with_value('"\x00"'), "not YAML", id="a NUL"),
        pytest.param(with_value("[" * 100_000), "nested more than 100 levels", id="100,000 lists"),
        pytest.param(with_value("[" * MAX_DEPTH + "]" * MAX_DEPTH), "nested more than 100", id="101 levels"),
        pytest.param(INFO + "#" * MAX_BYTES, f"larger than {MAX_BYTES} bytes", id="too large"),
        pytest.param(INFO + "#" + "é" * (MAX_BYTES // 2), f"larger than {MAX_BYTES} bytes", id="too large in UTF-8"),
    ],
)
def test_a_text_that_is_no_contract_is_refused(text: str, message: str) -> None:
    """A text other than one document with JSON types and a version raises a ContractError that says why."""
    with pytest.raises(ContractError, match=message):
        Contract.read(text)


def test_a_document_at_the_limits_is_read() -> None:
    """The maximum depth and size are accepted."""
    text = with_value("[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)) + "#"
    assert Contract.read(text + "#" * (MAX_BYTES - len(text))).version == "1.0"


@settings(deadline=None)
@given(st.text() | st.text("[]{}:,-?&*!|>'\"%@` \n\t#aé0.~", max_size=60))
def test_no_text_raises_anything_else(written: str) -> None:
    """Any text, alone or within a document, is a contract or raises ContractError."""
    for text in (written, with_value(written)):
        with suppress(ContractError):
            assert Contract.read(text).version == "1.0"


def test_the_digest_depends_on_the_content_of_a_document() -> None:
    """Layout, comments, quotes and the order of keys do not change it; YAML and JSON have the same digest."""
    read = Contract.read('# A comment\nb: [1, "é"]\ninfo:\n    version: "1.0"\n')
    assert read.digest == Contract.read('{"info": {"version": "1.0"}, "b": [1, "\\u00e9"]}').digest
    assert read.digest == Contract.read(json.dumps(read.document)).digest


def test_another_document_has_another_digest() -> None:
    """A change of a value, or of its type alone, changes the digest."""
    values = ("1", "2", "1.0", "'1'", "[1]", "true", "'true'")
    assert len({Contract.read(with_value(value)).digest for value in values}) == len(values)


def test_the_digest_is_sha_256_of_canonical_json() -> None:
    """The digest of a document never changes, because databases store it."""
    assert Contract.read(INFO).digest == hashlib.sha256(b'{"info":{"version":"1.0"}}').hexdigest()


def test_a_file_is_read_as_its_text(tmp_path: Path) -> None:
    """A file gives the contract of its text, and the contract keeps that text unchanged."""
    text = f"# é\n{INFO}"
    (tmp_path / "contract.yaml").write_text(text, encoding="utf-8")
    read = Contract.of_file(tmp_path / "contract.yaml")
    assert (read.text, read.version) == (text, "1.0")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(INFO.encode() + b"# \xff", "byte 25 is not UTF-8", id="not UTF-8"),
        pytest.param(b"#" * (MAX_BYTES + 2), "larger than", id="too large"),
    ],
)
def test_a_file_that_is_no_contract_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """A file that is too large or not UTF-8 raises ContractError."""
    (tmp_path / "contract.yaml").write_bytes(content)
    with pytest.raises(ContractError, match=message):
        Contract.of_file(tmp_path / "contract.yaml")


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    """An unreadable file raises another error than a file without a contract."""
    with pytest.raises(FileNotFoundError):
        Contract.of_file(tmp_path / "contract.yaml")


def test_operations_are_listed_in_the_order_of_the_document() -> None:
    """Each method of each path is an operation; other keys of a path item are not."""
    read = Contract.read(
        INFO + "paths:\n"
        "  /b:\n    parameters: []\n    summary: text\n    post: {operationId: handlers.b.create}\n    get: {}\n"
        "  /a:\n    trace: {operationId: handlers.a.follow}\n"
    )
    assert read.operations == (
        Operation("/b", "get", "", ("paths", "/b", "get")),
        Operation("/b", "post", "handlers.b.create", ("paths", "/b", "post")),
        Operation("/a", "trace", "handlers.a.follow", ("paths", "/a", "trace")),
    )
    assert Contract.read(INFO).operations == ()


def test_operations_are_found_behind_references() -> None:
    """An extension among the paths is not an operation."""
    contract = Contract.read(
        'info: {version: "1.0"}\nx-items:\n  a: {get: {operationId: readA}}\n'
        "paths:\n  /a: {$ref: '#/x-items/a'}\n  x-note: get me\n"
    )
    assert contract.operations == (Operation("/a", "get", "readA", ("paths", "/a", "get")),)


@pytest.mark.parametrize(("paths", "name"), [("{/b: null}", "/b"), ("{/c: {get: 7}}", "get /c")])
def test_a_path_item_or_an_operation_is_an_object(paths: str, name: str) -> None:
    """Any other value raises ContractError, which names its place."""
    with pytest.raises(ContractError, match=f"^{name} is not an object$"):
        assert not Contract.read(f'info: {{version: "1.0"}}\npaths: {paths}').operations


def test_patterns_are_left_out_of_a_copy_for_other_libraries() -> None:
    """The copy lacks the pattern of each schema but keeps a field named pattern; the contract keeps both."""
    value = {"properties": {"pattern": {"type": "string", "pattern": "^(a+)+$"}}, "allOf": [{"pattern": "a"}]}
    read = Contract.read(with_value(json.dumps(value)))
    assert read.without_patterns()["value"] == {"properties": {"pattern": {"type": "string"}}, "allOf": [{}]}
    assert read.document["value"] == value


def test_a_copy_may_be_changed() -> None:
    """A change of the copy, at any depth, leaves the contract as it was."""
    read = Contract.read(with_value("{a: [1]}"))
    read.copy()["value"]["a"].append(2)
    assert read.document["value"] == {"a": [1]}


REFERENCES = Contract.read(
    INFO
    + """
a: {b: [{c: first}, {$ref: "#/other"}]}
other: {c: second, end: {$ref: "#/a~1b~0c"}}
a/b~c: last
chain: {$ref: "#/other"}
properties: {$ref: {type: string}}
"""
)


@pytest.mark.parametrize(
    ("parts", "value"),
    [
        pytest.param(["a", "b", "0", "c"], "first", id="a name and an index"),
        pytest.param(["a", "b", "1", "c"], "second", id="a reference on the way"),
        pytest.param(["chain", "end"], "last", id="a reference at the end, with escapes"),
        pytest.param(["other", "c"], "second", id="no reference"),
        pytest.param([], REFERENCES.document, id="the whole"),
        pytest.param(["properties"], {"$ref": {"type": "string"}}, id="a field named $ref is no reference"),
    ],
)
def test_a_pointer_is_followed_through_references(parts: list[str], value: Any) -> None:
    """The target of a reference takes its place, anywhere on the way."""
    assert REFERENCES.at(parts) == value


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        pytest.param("https://service.example/a.yaml#/a", "does not stay within the document", id="of another host"),
        pytest.param("file:///etc/passwd", "does not stay within the document", id="a file"),
        pytest.param("a.yaml", "does not stay within the document", id="relative"),
        pytest.param("#a", "does not stay within the document", id="an anchor"),
        pytest.param("", "does not stay within the document", id="empty"),
        pytest.param("#/nowhere", "leads nowhere", id="an unknown name"),
        pytest.param("#/list/2", "leads nowhere", id="an index too large"),
        pytest.param("#/list/x", "leads nowhere", id="no index"),
        pytest.param("#/info/version/0", "leads nowhere", id="within a text"),
        pytest.param("#/tried/0", "leads back to itself", id="itself"),
        pytest.param("#/tried/1", "leads back to itself", id="there and back"),
    ],
)
def test_a_reference_that_cannot_be_followed_is_refused(reference: str, message: str) -> None:
    """Nothing is fetched, and no chain is followed forever, wherever in a document it begins."""
    info = {"version": "1.0"}
    text = json.dumps({"info": info, "list": [1, 2], "tried": [{"$ref": reference}, {"$ref": "#/tried/0"}]})
    with pytest.raises(ContractError, match=message):
        Contract.read(text)


def test_published_contracts_come_lowest_version_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions are ordered as numbers, not as text."""
    for version in ("10.0", "1.10", "2.0", "1.9"):
        (tmp_path / f"{version}.yaml").write_text(f'info: {{version: "{version}"}}')
    monkeypatch.setattr(contract, "DOCUMENTS", tmp_path)
    assert [each.version for each in published()] == ["1.9", "1.10", "2.0", "10.0"]


def test_documents_are_read_once() -> None:
    """Later calls give the same contracts, in a list that the caller may change."""
    first = published()
    contracts = list(first)
    first.clear()
    assert all(again is contract for again, contract in zip(published(), contracts, strict=True))


def test_yaml_is_the_text_as_it_was_published() -> None:
    """With its comments and layout; a JSON document gets a new layout."""
    assert Contract.read(f"# A comment.\n{INFO}").as_yaml() == f"# A comment.\n{INFO}"
    assert Contract.read('{"info": {"version": "1.0"}}').as_yaml() == "info:\n  version: '1.0'\n"


@pytest.mark.parametrize(
    "value",
    [
        *(
            "1e3",
            "1E+3",
            "017",
            "0o17",
            "0x1f",
            "1_000",
            "12:30",
            "~",
            "null",
            "Null",
            "yes",
            "true",
            "=",
            "<<",
            "",
            "-",
        ),
        *(" a ", "a\nb", "a: b # c", "\u2028\u0085\x07", "\U0001f600", "2026-03-31", ".inf", "&a", "*a", "!a", "- a"),
        *(1e20, 1e-7, 0.1, 10**30, -1, True, None, [], {}, [[{"a": []}]], {"200": 1, "1e3": 2, "<<": 3, "": 4}),
    ],
    ids=repr,
)
def test_json_written_as_yaml_keeps_its_values(value: Any) -> None:
    """A text stays a text, even if a YAML parser could take it for another type."""
    document = {"info": {"version": "1.0"}, "value": value, "again": value}
    contract = Contract.read(json.dumps(document, ensure_ascii=False))
    assert Contract.read(contract.as_yaml()).document == contract.document
    assert yaml.safe_load(contract.as_yaml()) == contract.document


def with_servers(servers: Any) -> Contract:
    """A document with `servers`."""
    return Contract.read(json.dumps({"info": {"version": "1.0"}, "servers": servers}))


@pytest.mark.parametrize(
    ("servers", "path"),
    [
        ([{"url": "/api/v1"}, {"url": "/other"}], "/api/v1"),
        ([{"url": "/api/v1/"}], "/api/v1"),
        ([{"url": "https://example.org:8443/api/v1?a=b"}], "/api/v1"),
        ([{"url": "{base}/v{n}", "variables": {"base": {"default": "/api"}, "n": {"default": 1}}}], "/api/v1"),
        ([{"url": "/"}], ""),
        ([], ""),
        (None, ""),
    ],
)
def test_the_server_path_is_that_of_the_first_server(servers: Any, path: str) -> None:
    """Without a trailing slash, and with the defaults of its variables."""
    assert with_servers(servers).server_path == path


@pytest.mark.parametrize(
    "servers",
    [
        "x",
        {"url": "/api"},
        [{}],
        [None],
        [{"url": 1}],
        [{"url": "/{unknown}"}],
        [{"url": "/{n}", "variables": {"n": "v1"}}],
        [{"url": "/{n}", "variables": [1]}],
        [{"url": "http://[/"}],
        [{"url": "api/v1"}],
        [{"url": "/api//v1"}],
        [{"url": '/api/">'}],
        [{"url": "/api\r\nX-Injected: 1"}],
        [{"url": "/%61pi"}],
        [{"url": "/a" * 11}],
        [{"url": "/" + "a" * 101}],
    ],
)
def test_a_path_that_no_request_or_header_can_have_is_refused(servers: Any) -> None:
    """The service compares it with the paths of requests, and writes it in headers."""
    contract = with_servers(servers)
    with pytest.raises(ContractError, match="first"):
        _ = contract.server_path


def test_a_document_says_which_scopes_an_operation_requires() -> None:
    """One set for each way; none without tokens, or without the operation."""
    newest = published()[-1]
    replay = frozenset({"annotations:write", "events:write", "rejections:read"})
    assert newest.required_scopes("replayRejectedSubmissions") == [replay]
    assert newest.required_scopes("getUsage") == [frozenset({"usage:read"})]
    assert newest.required_scopes("no operation") == []
    assert published()[0].required_scopes("getUsage") == []
