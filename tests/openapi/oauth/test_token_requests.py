"""The token endpoint: its forms, and the authentication of clients."""

from base64 import b64encode
from collections.abc import Mapping

import pytest
from starlette.types import Scope

from openapi.oauth import token_requests
from openapi.oauth.client_assertions import ASSERTION_TYPE
from openapi.oauth.token_requests import Credentials, OAuthError
from openapi.standards.media_types import FORM


def scope(*authorization: str, content_type: str = FORM) -> Scope:
    """A request with these headers."""
    headers = [
        (b"content-type", content_type.encode()),
        *((b"authorization", value.encode()) for value in authorization),
    ]
    return {"headers": headers}


def basic(text: str) -> str:
    """A header of the Basic scheme with `text`."""
    return "Basic " + b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", {}),
        (b"a=1&b=2", {"a": "1", "b": "2"}),
        (b"a=&b=2", {"b": "2"}),
        (b"a=+%2B%C3%A4", {"a": " +ä"}),
        (b"a%3D=%26", {"a=": "&"}),
        (b"a", {}),
    ],
)
def test_a_form_is_read(content: bytes, expected: dict[str, str]) -> None:
    """A parameter without a value counts as absent (section 3.1)."""
    assert token_requests.parameters(scope(), content) == expected
    assert token_requests.parameters(scope(content_type=f"{FORM.upper()}; charset=UTF-8"), content) == expected


@pytest.mark.parametrize("content", [b"a=1&a=1", b"a=&a=1", b"a=\xc3\xa4", b"a=%ff", b"&".join([b"a=1"] * 60)])
def test_a_malformed_form_is_refused(content: bytes) -> None:
    """Also a form with a repeated parameter, with or without a value (section 3.2)."""
    with pytest.raises(OAuthError) as raised:
        token_requests.parameters(scope(), content)
    assert (raised.value.code, raised.value.status) == ("invalid_request", 400)


ASSERTED = {"client_assertion": "a.b.c", "client_assertion_type": ASSERTION_TYPE}
BY_POST = {"client_id": "c", "client_secret": "s"}


@pytest.mark.parametrize(
    ("request_", "form", "expected"),
    [
        (scope(basic("c:s")), {}, Credentials("c", secret="s", is_basic=True)),
        (scope(basic("c%3A+%25:s%3Ax:y")), {}, Credentials("c: %", secret="s:x:y", is_basic=True)),
        (scope(basic("c:s")), {"client_id": "c"}, Credentials("c", secret="s", is_basic=True)),
        (scope(basic("c:")), {}, Credentials("c", secret="", is_basic=True)),
        (scope(), BY_POST, Credentials("c", secret="s")),
        (scope(), ASSERTED, Credentials("", assertion="a.b.c")),
        (scope(), {**ASSERTED, "client_id": "c"}, Credentials("c", assertion="a.b.c")),
    ],
)
def test_a_client_authenticates_in_one_way(request_: Scope, form: Mapping[str, str], expected: Credentials) -> None:
    """One of three ways (section 2.3, RFC 7523 section 2.2)."""
    assert token_requests.credentials(request_, form) == expected


@pytest.mark.parametrize(
    ("request_", "form", "code"),
    [
        (scope(), {}, "invalid_client"),
        (scope(), {"client_id": "c"}, "invalid_client"),
        (scope(), {"client_secret": "s"}, "invalid_client"),
        (scope(basic("c:s")), BY_POST, "invalid_request"),
        (scope(basic("c:s")), ASSERTED, "invalid_request"),
        (scope(), {**BY_POST, **ASSERTED}, "invalid_request"),
        (scope(), {**ASSERTED, "client_assertion_type": "a"}, "invalid_request"),
        (scope(), {"client_assertion": "a.b.c"}, "invalid_request"),
        (scope(), {"client_assertion_type": ASSERTION_TYPE}, "invalid_request"),
        (scope(basic("c:s"), basic("c:s")), {}, "invalid_client"),
        (scope(basic("c")), {}, "invalid_client"),
        (scope(basic("c:s")), {"client_id": "d"}, "invalid_client"),
        (scope(basic("%ff:s")), {}, "invalid_client"),
        (scope("Basic a"), {}, "invalid_client"),
        (scope("Bearer a"), {}, "invalid_client"),
    ],
)
def test_a_client_that_does_not_authenticate_is_refused(request_: Scope, form: Mapping[str, str], code: str) -> None:
    """OAuthError has an error code of section 5.2."""
    with pytest.raises(OAuthError) as raised:
        token_requests.credentials(request_, form)
    assert raised.value.code == code
    assert raised.value.body().keys() == {"error", "error_description"}


def test_scopes_are_those_requested_and_allowed() -> None:
    """Without a request, all allowed scopes."""
    allowed = frozenset({"a:b", "c"})
    assert token_requests.scopes({}, allowed) == allowed
    assert token_requests.scopes({"scope": "c"}, allowed) == {"c"}
    assert token_requests.scopes({"scope": "c c"}, allowed) == {"c"}
    for text in ("d", "c d", " c", "c ", "c  a:b", "c\ta:b", 'c"', "c\\", "ä"):
        with pytest.raises(OAuthError) as raised:
            token_requests.scopes({"scope": text}, allowed)
        assert raised.value.code == "invalid_scope"
