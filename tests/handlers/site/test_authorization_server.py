"""The authorization server: tokens by client credentials, their introspection, and their end."""

import itertools
import logging
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus
from uuid import uuid4

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, OctKey, RSAKey

from db import hubs, oauth_clients
from handlers.security.failed_attempts import of_client
from openapi.oauth.client_assertions import ASSERTION_TYPE
from openapi.serving.rate_limits import SETS, SLOTS
from tests.contract_client import unused
from tests.examples import EVENT
from tests.service import Service
from tests.tokens import METADATA, PATH, SCOPES, Client, bearer, client_of, from_afar, post
from tests.waiting import wait_until

GRANT = {"grant_type": "client_credentials"}
TOKEN = "/oauth/token"


@pytest.fixture(scope="module")
def client(newest: Service) -> Client:
    """A client of the shared service."""
    return client_of(newest)


def ask(client: Client, form: Any = GRANT, path: str = TOKEN, **headers: str) -> httpx.Response:
    """The response of the endpoint at `path` to `form`, sent with no credentials but those in `form` or `headers`."""
    options = {"content": form} if isinstance(form, str | bytes) else {"data": form}
    kind = {"content-type": "application/x-www-form-urlencoded"} if isinstance(form, str | bytes) else {}
    return httpx.post(client.service.url + path, headers={**from_afar(), **kind, **headers}, verify=unused(), **options)


def by_post(client: Client, **form: str) -> dict[str, str]:
    """A form with the client's credentials in it."""
    return {**GRANT, "client_id": client.client_id, "client_secret": client.secret, **form}


def error_of(response: httpx.Response) -> tuple[int, str]:
    """The status of an error and its code, after checking that it has a description and must not be stored."""
    assert response.headers["cache-control"] == "no-store"
    assert response.json()["error_description"]
    return response.status_code, response.json()["error"]


def test_a_token_has_the_claims_of_an_access_token(newest: Service, client: Client) -> None:
    """RFC 9068 section 2.2, signed by the published key; no cache may store the response."""
    answer = client.ask(grant_type="client_credentials", scope="events:write events:read")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 600, "events:read events:write")
    keys = KeySet.import_key_set(httpx.get(f"{newest.url}/oauth/jwks").json())
    assert not any(key.is_private for key in keys)
    token = jwt.decode(body["access_token"], keys, algorithms=["ES256"])
    assert (token.header["typ"], token.header["alg"]) == ("at+jwt", "ES256")
    claims = token.claims
    assert (claims["iss"], claims["aud"]) == (newest.url, f"{newest.url}/api/v2")
    assert claims["sub"] == claims["client_id"] == client.client_id
    assert claims["exp"] - claims["iat"] == 600
    assert claims["scope"] == body["scope"]
    assert "cnf" not in claims


def test_a_request_without_a_scope_gets_all_scopes(client: Client) -> None:
    """All scopes of the client, and no others."""
    assert client.ask().json()["scope"] == " ".join(sorted(SCOPES))


def test_a_request_may_name_the_resource(newest: Service, client: Client) -> None:
    """RFC 8707: the URL of the API's version; any other is refused."""
    response = client.ask(grant_type="client_credentials", resource=f"{newest.url}/api/v2")
    assert response.status_code == 200
    for resource in (f"{newest.url}/api/v1", "https://other.example", f"{newest.url}/api/v2/"):
        assert error_of(client.ask(grant_type="client_credentials", resource=resource)) == (400, "invalid_target")


WRONG: dict[str, tuple[Callable[[Client], Any], int, str]] = {
    "no grant type": (lambda c: {**by_post(c), "grant_type": ""}, 400, "invalid_request"),
    "another grant": (lambda c: by_post(c, grant_type="password"), 400, "unsupported_grant_type"),
    "a scope that it has not": (lambda c: by_post(c, scope="events:write admin"), 400, "invalid_scope"),
    "a scope with two blanks": (lambda c: by_post(c, scope="events:write  events:read"), 400, "invalid_scope"),
    "a parameter twice": (
        lambda c: [*by_post(c).items(), ("grant_type", "client_credentials")],
        400,
        "invalid_request",
    ),
    "an unknown parameter twice": (lambda c: [*by_post(c).items(), ("a", "1"), ("a", "2")], 400, "invalid_request"),
    "an empty parameter twice": (
        lambda c: [*by_post(c).items(), ("scope", ""), ("scope", "")],
        400,
        "invalid_request",
    ),
    "too many parameters": (lambda _: "&".join(f"a{n}=1" for n in range(60)), 400, "invalid_request"),
    "no form": (lambda _: b"\xff\xfe", 400, "invalid_request"),
    "no UTF-8": (lambda _: "client_id=%ff&client_secret=a", 400, "invalid_request"),
    "too large": (lambda _: "a=" + "b" * 20_000, 413, "invalid_request"),
    "no credentials": (lambda _: GRANT, 401, "invalid_client"),
    "no secret": (lambda c: {**GRANT, "client_id": c.client_id}, 401, "invalid_client"),
    "a wrong secret": (lambda c: by_post(c, client_secret="irs_wrong"), 401, "invalid_client"),
    "an unknown client": (lambda c: by_post(c, client_id=str(uuid4())), 401, "invalid_client"),
    "the key of a hub": (lambda c: by_post(c, client_secret=c.service.key), 401, "invalid_client"),
    "an assertion that is none": (
        lambda _: {**GRANT, "client_assertion": "a.b.c", "client_assertion_type": ASSERTION_TYPE},
        401,
        "invalid_client",
    ),
    "an assertion of another type": (
        lambda _: {**GRANT, "client_assertion": "a.b.c", "client_assertion_type": "urn:other"},
        400,
        "invalid_request",
    ),
    "two ways to authenticate": (
        lambda c: by_post(c, client_assertion="a.b.c", client_assertion_type=ASSERTION_TYPE),
        400,
        "invalid_request",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_request_gets_no_token(name: str, client: Client) -> None:
    """The error has the status and the code of RFC 6749 section 5.2."""
    form, status, code = WRONG[name]
    if isinstance(content := form(client), list):
        content = "&".join(f"{key}={quote_plus(value)}" for key, value in content)
    response = ask(client, content)
    assert error_of(response) == (status, code)
    assert ("www-authenticate" in response.headers) is (code == "invalid_client" and "assertion" not in name)


@pytest.mark.parametrize(
    "media_type", ["application/json", "text/plain", "application/x-www-form-urlencoded; charset=x"]
)
def test_a_form_of_another_media_type_is_refused(client: Client, media_type: str) -> None:
    """Whatever the body holds."""
    response = ask(client, "grant_type=client_credentials", **{"content-type": media_type})
    assert error_of(response) == (400, "invalid_request")


def test_credentials_in_the_header_are_form_encoded(newest: Service, client: Client) -> None:
    """RFC 6749 section 2.3.1: each part by itself; a malformed header is refused with a challenge."""
    encoded = "".join(f"%{byte:02X}" for byte in client.client_id.encode())
    pair = b64encode(f"{encoded}:{quote_plus(client.secret)}".encode()).decode()
    assert ask(client, authorization=f"bAsIc  {pair}").status_code == 200
    assert error_of(ask(client, by_post(client), authorization=f"Basic {pair}")) == (400, "invalid_request")
    other = {**GRANT, "client_id": "another"}
    for form, value in (
        (GRANT, "Basic !"),
        (GRANT, "Basic " + b64encode(b"nocolon").decode()),
        (GRANT, "Basic " + b64encode(b"\xff:\xff").decode()),
        (GRANT, f"Bearer {newest.key}"),
        (other, f"Basic {pair}"),
    ):
        response = ask(client, form, authorization=value)
        assert error_of(response) == (401, "invalid_client")
        assert response.headers["www-authenticate"].startswith('Basic realm="')


def test_other_methods_are_refused(newest: Service) -> None:
    """Credentials do not belong in a URL (RFC 6749 section 3.2)."""
    for path in (TOKEN, "/oauth/revoke", "/oauth/introspect"):
        response = httpx.get(newest.url + path, params=GRANT)
        assert (response.status_code, response.headers["allow"]) == (405, "POST")


def test_a_secret_is_rotated_with_an_overlap(newest: Service) -> None:
    """Both secrets are accepted during the overlap; without an overlap, the earlier secret is refused at once."""
    client = client_of(newest)
    with newest.database.begin() as connection:
        _, second = oauth_clients.rotate(connection, client.client_id, timedelta(hours=1))
    for secret in (client.secret, second):
        assert ask(client, by_post(client, client_secret=secret)).status_code == 200
    with newest.database.begin() as connection:
        _, third = oauth_clients.rotate(connection, client.client_id, timedelta())
    deadline = time.monotonic() + 10
    while ask(client, by_post(client, client_secret=second)).status_code == 200:
        assert time.monotonic() < deadline
    assert ask(client, by_post(client, client_secret=third)).status_code == 200
    assert error_of(ask(client, by_post(client))) == (401, "invalid_client")


def test_the_log_names_a_known_client_that_fails(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """So that its operator finds the sender of a former secret; the text of an unknown client is not logged."""
    caplog.set_level(logging.INFO, "openapi")
    answer = replace(client, secret="irs_of_yesterday").ask()
    replace(client, client_id="unknown", secret="irs_of_yesterday").ask()
    description = answer.json()["error_description"]

    def reasons() -> list[str | None]:
        """Those of the last two requests: a request of another test may be logged late."""
        return [line.__dict__.get("reason") for line in caplog.records][-2:]

    wait_until(lambda: reasons() == [f"client {client.client_id}: {description}", description])


def test_guessing_a_secret_is_slowed(newest: Service, client: Client) -> None:
    """After ten wrong secrets for a client from one address; a client with the right secret is not affected."""
    here, wrong = from_afar(), by_post(client, client_secret="irs_wrong")
    assert [ask(client, wrong, **here).status_code for _ in range(10)] == [401] * 10
    response = ask(client, wrong, **here)
    assert error_of(response) == (429, "temporarily_unavailable")
    assert 1 <= int(response.headers["retry-after"]) <= 10
    for form in (by_post(client), by_post(client_of(newest))):
        assert ask(client, form, **here).status_code == 200


@pytest.mark.parametrize("addresses", [["10.1.2.3"], ["2001:db8::1", "2001:db8::ffff:1"]])
def test_guessing_client_ids_is_slowed(client: Client, addresses: list[str]) -> None:
    """After sixty wrong attempts from one address, whichever clients they name; a host may have a /64 of IPv6."""
    senders = itertools.cycle([{"X-Forwarded-For": address} for address in addresses])
    statuses = [ask(client, by_post(client, client_id=str(uuid4())), **next(senders)).status_code for _ in range(75)]
    assert statuses[:60] == [401] * 60
    assert 429 in statuses
    assert ask(client, by_post(client)).status_code == 200


def test_requests_for_tokens_take_from_the_bucket_of_the_hub(newest: Service) -> None:
    """Like its other requests: the limit of a hub holds for all that it sends."""
    limited, unlimited = client_of(newest), client_of(newest)
    with newest.database.begin() as connection:
        hubs.limit(connection, limited.hub, 1)
    deadline = time.monotonic() + 10
    while (response := ask(limited, by_post(limited))).status_code == 200:
        assert time.monotonic() < deadline
    assert error_of(response) == (429, "temporarily_unavailable")
    assert 1 <= int(response.headers["retry-after"]) <= 10
    for path in ("/oauth/revoke", "/oauth/introspect"):
        assert error_of(limited.ask(path, token="a")) == (429, "temporarily_unavailable")
    assert ask(unlimited, by_post(unlimited)).status_code == 200


def test_failed_attempts_do_not_refill_the_bucket_of_a_hub(newest: Service) -> None:
    """A sender may choose names whose buckets would take over the slot of an exhausted hub."""
    limited, here = client_of(newest), from_afar()
    with newest.database.begin() as connection:
        hub_id = hubs.limit(connection, limited.hub, 1).id
    scope = {"client": (here["X-Forwarded-For"], 1)}
    in_its_set = (
        name for name in map(str, itertools.count()) if (of_client(scope, name)[0].int - hub_id.int) % SETS == 0
    )
    names = list(itertools.islice(in_its_set, SLOTS))
    deadline = time.monotonic() + 10
    while ask(limited, by_post(limited)).status_code == 200:
        assert time.monotonic() < deadline
    exhausted_at = time.monotonic()
    for name in names * 2:
        assert ask(limited, by_post(limited, client_id=name), **here).status_code == 401
    granted = sum(ask(limited, by_post(limited)).status_code == 200 for _ in range(10))
    assert granted <= time.monotonic() - exhausted_at + 1


def test_a_revoked_token_is_refused_within_a_second(newest: Service, client: Client) -> None:
    """RFC 7009: revoking again, or revoking no token, also gets 200; a token of another client is refused."""
    token = client.token()
    assert post(newest, bearer(token)).status_code == 201
    other = client_of(newest)
    assert error_of(other.ask("/oauth/revoke", token=token)) == (400, "unauthorized_client")
    assert post(newest, bearer(token)).status_code == 201
    for text in (token, token, "nothing", newest.key):
        assert client.ask("/oauth/revoke", token=text, token_type_hint="a").status_code == 200
    response = post(newest, bearer(token))
    assert response.status_code == 401
    assert "it was revoked" in response.headers["www-authenticate"]
    assert post(newest, bearer(client.token())).status_code == 201
    assert error_of(client.ask("/oauth/revoke", nothing="a")) == (400, "invalid_request")


def test_a_client_can_introspect_only_its_own_tokens(newest: Service, client: Client) -> None:
    """RFC 7662: a valid token is active; an invalid token, or one of another client, only gets `active: false`."""
    token = client.token("events:read")
    claims = client.ask("/oauth/introspect", token=token).json()
    assert claims["active"] is True
    assert (claims["client_id"], claims["scope"]) == (client.client_id, "events:read")
    assert (claims["iss"], claims["aud"]) == (newest.url, [f"{newest.url}/api/v2"])
    assert client_of(newest).ask("/oauth/introspect", token=token).json() == {"active": False}
    client.ask("/oauth/revoke", token=token)
    for text in (token, "nothing", newest.key):
        assert client.ask("/oauth/introspect", token=text).json() == {"active": False}
    assert error_of(ask(client, {"token": token}, "/oauth/introspect")) == (401, "invalid_client")


@pytest.mark.parametrize("path", ["/oauth/revoke", "/oauth/introspect"])
@pytest.mark.parametrize("form", ["Bearer {}", '"{}"', "{}\0", "{}\n{}", " ", "ü"])
def test_a_text_that_cannot_be_a_token_is_refused(client: Client, path: str, form: str) -> None:
    """A client that learned nothing of its mistake would take a token for revoked."""
    response = client.ask(path, token=form.format("a.b.c", "a.b.c"))
    assert error_of(response) == (400, "invalid_request")
    assert "not of the form of a token" in response.json()["error_description"]


def test_white_space_around_a_token_is_ignored(client: Client) -> None:
    """As `curl --data-urlencode token@file` sends it."""
    token = client.token()
    assert client.ask("/oauth/introspect", token=f" {token}\r\n").json()["active"] is True
    assert client.ask("/oauth/revoke", token=f"{token}\n").status_code == 200
    assert client.ask("/oauth/introspect", token=token).json() == {"active": False}


def test_the_metadata_links_all_endpoints(newest: Service) -> None:
    """From a 401 to the resource (RFC 9728), to its authorization server (RFC 8414), to its endpoints."""
    unauthorized = httpx.post(newest.url + PATH, json=EVENT)
    location = unauthorized.headers["www-authenticate"].partition('resource_metadata="')[2].rstrip('"')
    assert location == newest.url + METADATA
    resource = httpx.get(location).json()
    assert resource["resource"] == f"{newest.url}/api/v2"
    (issuer,) = resource["authorization_servers"]
    answer = httpx.get(f"{issuer}/.well-known/oauth-authorization-server")
    assert answer.headers["access-control-allow-origin"] == "*"
    metadata = answer.json()
    assert metadata["issuer"] == issuer == newest.url
    assert set(resource["scopes_supported"]) == set(metadata["scopes_supported"]) == SCOPES
    assert metadata["grant_types_supported"] == ["client_credentials"]
    assert metadata["response_types_supported"]
    for name in ("token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        assert httpx.post(metadata[name]).status_code == 400
    assert httpx.get(metadata["jwks_uri"]).json()["keys"]
    for path in ("/api/v1", "/api/v2/", "/", ""):
        assert httpx.get(f"{newest.url}/.well-known/oauth-protected-resource{path}").status_code == 404


def assertion(client: Client, key: Key, header: dict[str, Any] | None = None, **claims: Any) -> dict[str, str]:
    """A form with an assertion of `client` (RFC 7523 section 3) signed by `key`; None leaves a claim out."""
    now = int(time.time())
    standard = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": client.service.url + TOKEN,
        "iat": now,
        "exp": now + 60,
        "jti": str(uuid4()),
    }
    head = {"alg": "RS256" if key.key_type == "RSA" else "ES256", **(header or {})}
    payload = {name: value for name, value in {**standard, **claims}.items() if value is not None}
    text = jwt.encode(head, payload, key, algorithms=[head["alg"]])
    return {**GRANT, "client_assertion_type": ASSERTION_TYPE, "client_assertion": text}


@pytest.fixture(scope="module")
def key() -> ECKey:
    """The private key of a client."""
    return ECKey.generate_key("P-256", {"kid": "one"})


@pytest.fixture(scope="module")
def signer(newest: Service, key: ECKey) -> Client:
    """A client that authenticates with its keys."""
    return client_of(newest, jwks={"keys": [key.as_dict(private=False)]})


def test_a_client_authenticates_with_its_key(newest: Service, signer: Client, key: ECKey) -> None:
    """private_key_jwt, for the endpoint or the issuer, with a `kid` or without; each assertion is good for one use."""
    form = assertion(signer, key)
    token = ask(signer, form).json()["access_token"]
    assert post(newest, bearer(token)).status_code == 201
    assert error_of(ask(signer, form)) == (401, "invalid_client")
    assert ask(signer, assertion(signer, key, aud=newest.url, client_id=None)).status_code == 200
    assert ask(signer, assertion(signer, key, {"kid": "one"}, aud=["urn:a", newest.url])).status_code == 200
    assert ask(signer, {**assertion(signer, key), "client_id": signer.client_id}).status_code == 200


def test_an_assertion_of_a_hub_beyond_its_rate_is_good_later(newest: Service, key: ECKey) -> None:
    """Once the hub has waited for Retry-After; the assertion is still good for one use only."""
    limited = client_of(newest, jwks={"keys": [key.as_dict(private=False)]})
    with newest.database.begin() as connection:
        hubs.limit(connection, limited.hub, 1)
    deadline = time.monotonic() + 10
    while (response := ask(limited, form := assertion(limited, key))).status_code == 200:
        assert time.monotonic() < deadline
    assert error_of(response) == (429, "temporarily_unavailable")
    time.sleep(int(response.headers["retry-after"]))
    assert ask(limited, form).status_code == 200
    time.sleep(1)
    assert error_of(ask(limited, form)) == (401, "invalid_client")


UNTRUSTED: dict[str, Callable[[Client, ECKey], dict[str, str]]] = {
    "expired": lambda c, key: assertion(c, key, exp=int(time.time()) - 10),
    "valid for too long": lambda c, key: assertion(c, key, exp=int(time.time()) + 3600),
    "without an end": lambda c, key: assertion(c, key, exp=None),
    "not yet valid": lambda c, key: assertion(c, key, nbf=int(time.time()) + 60),
    "for another audience": lambda c, key: assertion(c, key, aud="https://other.example"),
    "without an audience": lambda c, key: assertion(c, key, aud=None),
    "without jti": lambda c, key: assertion(c, key, jti=None),
    "by another issuer": lambda c, key: assertion(c, key, iss="another"),
    "of no subject": lambda c, key: assertion(c, key, sub=None),
    "of an unknown client": lambda c, key: assertion(c, key, sub="another", iss="another"),
    "of another client_id": lambda c, key: {**assertion(c, key), "client_id": str(uuid4())},
    "by another key": lambda c, _: assertion(c, ECKey.generate_key("P-256")),
    "by an unknown kid": lambda c, key: assertion(c, key, {"kid": "two"}),
    "by a key of another type": lambda c, _: assertion(c, RSAKey.generate_key(2048)),
    "as an access token": lambda c, key: assertion(c, key, {"typ": "at+jwt"}),
    "too long": lambda c, key: assertion(c, key, padding="a" * 8000),
}


@pytest.mark.parametrize("name", UNTRUSTED)
def test_an_invalid_assertion_is_refused(name: str, signer: Client, key: ECKey) -> None:
    """401, and no token."""
    assert error_of(ask(signer, UNTRUSTED[name](signer, key))) == (401, "invalid_client")


def test_a_client_authenticates_only_by_its_own_method(signer: Client, client: Client, key: ECKey) -> None:
    """Neither a secret for a client with keys, nor an assertion signed with a secret (client_secret_jwt)."""
    assert error_of(ask(signer, {**GRANT, "client_id": signer.client_id, "client_secret": "a"})) == (
        401,
        "invalid_client",
    )
    assert error_of(ask(client, assertion(client, key))) == (401, "invalid_client")
    by_secret = assertion(client, OctKey.import_key(client.secret), {"alg": "HS256"})
    assert error_of(ask(client, by_secret)) == (401, "invalid_client")
