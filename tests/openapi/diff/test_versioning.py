"""The versions that a document may have."""

import json
from typing import Any

from openapi.contract import Contract
from openapi.diff.findings import fingerprint
from openapi.diff.versioning import violations
from tests.openapi.diff.documents import with_body


def contract(version: str, **keywords: Any) -> Contract:
    """A contract whose body is a text with `keywords`."""
    document = with_body({"type": "string", **keywords}).document
    return Contract.read(json.dumps({**document, "info": {"title": "A", "version": version}}))


def test_a_document_is_compared_with_each_supported_one() -> None:
    """A minor step from the last version can break the first; other major versions do not count."""
    older, newer = contract("1.0", maxLength=10), contract("1.1", maxLength=5)
    (objection,) = violations(contract("1.2", maxLength=5), [older, newer, contract("2.0", maxLength=99)])
    assert (objection.old, objection.new) == ("1.0", "1.2")
    pointer = "/paths/~1x/post/requestBody/content/application~1json/schema/maxLength"
    assert str(objection) == (
        f"the version must be 2.0 and not 1.2, because of changes from 1.0: body has maxLength 5; it was 10 [{pointer}]"
    )
    assert violations(contract("1.2", maxLength=10), [older, newer]) == []


def test_a_version_between_two_is_compared_with_both() -> None:
    """A newer version is promised to be compatible with every older one."""
    (objection,) = violations(
        contract("1.1", maxLength=20), [contract("1.0", maxLength=10), contract("1.2", maxLength=10)]
    )
    assert (objection.old, objection.new) == ("1.1", "1.2")


def test_an_unproved_break_may_be_acknowledged() -> None:
    """By the fingerprint that the objection names; a proved break cannot be acknowledged."""
    hard, same = "^(a|b)*a(a|b){12}$", "^(b|a)*a(b|a){12}$"
    old, new = contract("1.0", pattern=hard), contract("1.1", pattern=same)
    (objection,) = violations(new, [old])
    (change,) = objection.changes
    assert f"may be acknowledged with a reason: {fingerprint(change)}" in str(objection)
    assert violations(new, [old], {fingerprint(change)}) == []
    free, broken = contract("1.0"), contract("1.1", maxLength=13)
    (objection,) = violations(broken, [free])
    assert "acknowledged" not in str(objection)
    assert violations(broken, [free], set(map(fingerprint, objection.changes)))


def test_reasons_beyond_ten_are_only_counted() -> None:
    """The objection lists ten reasons and the number of the others."""
    old, new = (
        contract(version, type="object", properties={f"p{number}": {"type": kind} for number in range(12)})
        for version, kind in (("1.0", "string"), ("1.1", "integer"))
    )
    (objection,) = violations(new, [old])
    assert str(objection).count("may no longer be") == 10
    assert str(objection).endswith("; and 2 more")
