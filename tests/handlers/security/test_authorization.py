"""The resource server: what each token may do in version 2."""

import hmac
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import text

from db import hubs, oauth_clients, signing_keys
from db.audit import Author
from handlers.contracts import lifecycle
from handlers.security.signing_keys import key_factory as made_key
from openapi.contract import Contract, Operation
from tests.examples import EVENT
from tests.examples import PATH as V1_PATH
from tests.load import load
from tests.service import Service
from tests.tokens import METADATA, NEWEST_MAJOR, PATH, SCOPES, Client, Forgery, asking, bearer, client_of, encoded, post

Forge = Callable[[Forgery], str]
AUTHOR = Author("alice", "a test")


@pytest.fixture(scope="module")
def client(newest: Service) -> Client:
    """A client of the shared service with every scope."""
    return client_of(newest)


@pytest.fixture(scope="module")
def forgery(client: Client) -> Forgery:
    """A valid token, as a base for forgeries."""
    return Forgery.of(client)


def challenge(response: httpx.Response) -> str:
    """The challenge of a response, after checking that it names the metadata URL."""
    header = response.headers["www-authenticate"]
    assert f'resource_metadata="{str(response.url).partition("/api/")[0]}{METADATA}"' in header
    return str(header)


def test_a_token_is_accepted_and_stores_an_event_of_its_hub(newest: Service, client: Client) -> None:
    """A key of version 1 and a token give access to the same data of the hub."""
    with newest.database.begin() as connection:
        hub, key = hubs.rotate_key(connection, client.hub)
    response = post(newest, bearer(client.token()))
    assert response.status_code == 201
    (event,) = newest.events("id = %s", response.json()["id"])
    assert (event["hub_id"], event["contract_version"]) == (hub.id, "2.0")
    by_key = httpx.get(f"{newest.url}{V1_PATH}/{event['id']}", headers={"Authorization": f"Bearer {key}"})
    assert by_key.json()["id"] == str(event["id"])


def test_a_forgery_that_changes_nothing_is_accepted(newest: Service, forgery: Forgery) -> None:
    """Proves that the forgeries below are refused because of what they change."""
    assert post(newest, bearer(forgery.text())).status_code == 201
    assert post(newest, bearer(forgery.but(header={"typ": "application/AT+JWT"}).text())).status_code == 201
    assert post(newest, bearer(forgery.but(aud=["urn:other", forgery.claims["aud"]]).text())).status_code == 201


def tampered(forgery: Forgery) -> str:
    """A token whose claims are not the signed ones."""
    head, _, signature = forgery.text().split(".")
    _, claims, _ = forgery.but(scope="events:write admin").text().split(".")
    return f"{head}.{claims}.{signature}"


def with_header(forgery: Forgery, header: bytes) -> str:
    """A token with a header of these bytes."""
    return f"{encoded(header)}.{forgery.text().partition('.')[2]}"


def with_public_key_as_secret(forgery: Forgery) -> str:
    """HS256 with the public key, which is no secret, as its secret."""
    assert isinstance(forgery.key, ECKey)
    signed, _, _ = forgery.but(header={"alg": "HS256"}).text("ES256").rpartition(".")
    return f"{signed}.{encoded(hmac.digest(forgery.key.as_bytes(private=False), signed.encode(), 'sha256'))}"


REFUSED: dict[str, tuple[Forge, str]] = {
    "expired": (lambda forged: forged.but(exp=int(time.time()) - 10).text(), "it has expired"),
    "without an end": (lambda forged: forged.but(exp=None).text(), "the claim exp is missing or not a NumericDate"),
    "with an end that is no time": (lambda forged: forged.but(exp="soon").text(), "the claim exp is missing"),
    "not yet valid": (lambda forged: forged.but(nbf=int(time.time()) + 60).text(), "it is not valid yet"),
    "issued in the future": (lambda forged: forged.but(iat=int(time.time()) + 60).text(), "it is not valid yet"),
    "of another issuer": (lambda forged: forged.but(iss="https://issuer.example").text(), "its issuer is not accepted"),
    "of no issuer": (lambda forged: forged.but(iss=None).text(), "the claim iss is missing"),
    "for another audience": (lambda forged: forged.but(aud="https://other.example").text(), "for another audience"),
    "for version 1": (lambda f: f.but(aud=f.claims["aud"].replace("v2", "v1")).text(), "for another audience"),
    "without an audience": (lambda forged: forged.but(aud=None).text(), "for another audience"),
    "an ID token": (lambda forged: forged.but(header={"typ": "JWT"}).text(), "its typ is not at+jwt"),
    "of no type": (lambda forged: forged.but(header={"typ": None}).text(), "its typ is not at+jwt"),
    "alg none": (lambda forged: forged.but(header={"alg": "none"}).text(), "its alg is not accepted"),
    "HS256 with the public key": (with_public_key_as_secret, "its alg is not accepted"),
    "another algorithm": (
        lambda forged: forged.but(RSAKey.generate_key(2048), {"alg": "RS256"}).text(),
        "its alg is not accepted",
    ),
    "tampered": (tampered, "its signature cannot be verified"),
    "of another key": (lambda forged: forged.but(ECKey.generate_key("P-256")).text(), "its signature cannot be"),
    "unknown kid": (lambda forged: forged.but(header={"kid": "unknown"}).text(), "no key with its kid"),
    "no kid": (lambda forged: forged.but(header={"kid": None}).text(), "no key with its kid"),
    "a kid that is no text": (lambda forged: forged.but(header={"kid": ["a"]}).text(), "no key with its kid"),
    "critical extension": (
        lambda forged: forged.but(header={"crit": ["b64"], "b64": False}).text(),
        "an extension (crit or b64) that is not supported",
    ),
    "bound in an unknown way": (
        lambda forged: forged.but(cnf={"x5t#S256": "a"}).text(),
        "unsupported confirmation method",
    ),
    "an unknown client": (lambda forged: forged.but(client_id="nobody").text(), "its client is unknown"),
    "no client": (lambda forged: forged.but(client_id=None).text(), "the claim azp is missing"),
    "no JWT": (lambda _: "not-a-token", "it is not a JWT"),
    "five parts": (lambda forged: forged.text() + ".a.b", "not a JWS in compact serialization"),
    "a name twice": (
        lambda forged: with_header(forged, b'{"alg":"ES256","alg":"none"}'),
        "not base64url of JSON",
    ),
    "deep": (lambda forged: with_header(forged, b"[" * 1000), "not base64url of JSON"),
    "a list": (lambda forged: with_header(forged, b"[]"), "not a JSON object"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_invalid_token_is_refused(name: str, newest: Service, forgery: Forgery) -> None:
    """401 with the reason, also when it is sent again, and nothing is stored."""
    forge, description = REFUSED[name]
    for _ in range(2):
        response = post(newest, bearer(forge(forgery)))
        assert response.status_code == 401
        assert response.json()["type"] == f"{newest.url}/problems/invalid_token"
        assert 'error="invalid_token"' in challenge(response)
        assert description in challenge(response)
        assert description in response.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ([], None),
        ([("Authorization", "Bearer a.b.c"), ("Authorization", "Bearer a.b.c")], "invalid_request"),
        ([("Authorization", "Basic YTpi")], "invalid_request"),
        ([("Authorization", "Bearer")], "invalid_request"),
        ([("Authorization", "Bearer " + "a" * 16385)], "invalid_token"),
        ([("Authorization", "DPoP a.b.c")], "invalid_token"),
    ],
)
def test_a_request_without_exactly_one_token_is_refused(
    newest: Service, headers: list[tuple[str, str]], error: str | None
) -> None:
    """Without credentials the challenge names no error (RFC 6750 section 3)."""
    with asking(newest) as client:
        response = client.post(PATH, json=EVENT, headers=headers)
    assert response.status_code == 401
    header = challenge(response)
    assert (f'error="{error}"' in header) if error else ("error" not in header)
    scheme = "DPoP" if headers[:1] == [("Authorization", "DPoP a.b.c")] else "Bearer"
    assert header.startswith(f'{scheme} realm="interaction-reporting"')


def test_version_2_refuses_keys_and_version_1_refuses_tokens(newest: Service, client: Client) -> None:
    """The other version refuses each, and its challenge or detail names the reason."""
    response = post(newest, newest.authorization)
    assert response.status_code == 401
    assert response.json()["detail"].endswith(": it is not a JWT, and API keys are not accepted here")
    with newest.client() as v1:
        response = v1.post(V1_PATH, json=EVENT, headers=bearer(client.token()))
    assert response.status_code == 401
    assert response.json() == {"error": "Authorization: Bearer required"}
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


def requirements() -> Iterator[tuple[Operation, frozenset[str]]]:
    """Yield each operation of version 2 with the scopes that its document requires."""
    for operation in NEWEST_MAJOR.operations:
        (required,) = NEWEST_MAJOR.at(operation.pointer)["security"]
        yield operation, frozenset(required["oauth2"])


def ask(service: Service, operation: Operation, token: str) -> httpx.Response:
    """The response of `operation` to a request that has a token and little else."""
    path = "/api/v2" + operation.path.replace("{id}", "0d4f6f0e-9a5e-4c43-8f0e-3a1c5b7d9e22")
    content: dict[str, Any] = {"json": {}} if operation.method in ("post", "put") else {}
    with asking(service) as client:
        return client.request(operation.method.upper(), path, headers=bearer(token), **content)


@pytest.mark.parametrize(
    ("operation", "required"), list(requirements()), ids=lambda value: getattr(value, "operation_id", "")
)
def test_each_operation_requires_its_scopes(
    newest: Service, client: Client, operation: Operation, required: frozenset[str]
) -> None:
    """Served with them; 403 if one is missing, even with all others: the text names that one, the challenge all."""
    assert ask(newest, operation, client.token(*required)).status_code not in (401, 403)
    for scope in required:
        response = ask(newest, operation, client.token(*(SCOPES - {scope})))
        assert response.status_code == 403
        assert response.json()["type"] == f"{newest.url}/problems/insufficient_scope"
        assert response.json()["detail"] == f"the access token lacks the scope {scope}"
        header = challenge(response)
        assert 'error="insufficient_scope"' in header
        assert f'scope="{" ".join(sorted(required))}"' in header


def test_each_scope_is_required_by_an_operation() -> None:
    """Some operation requires each scope, or the test above would not try it."""
    assert frozenset[str]().union(*(required for _, required in requirements())) == SCOPES


def test_a_withdrawn_right_ends_at_once(newest: Service) -> None:
    """A scope, the client or its hub is taken away: tokens are refused at once, and accepted when it is given back."""
    client = client_of(newest)
    token = client.token()
    assert post(newest, bearer(token)).status_code == 201
    issuer = oauth_clients.OURS
    with newest.database.begin() as connection:
        oauth_clients.change(connection, client.client_id, issuer, ["events:read"], None)
    assert until(newest, token, 403)
    with newest.database.begin() as connection:
        oauth_clients.change(connection, client.client_id, issuer, SCOPES, None)
    assert until(newest, token, 201)
    with newest.database.begin() as connection:
        oauth_clients.disable(connection, client.client_id)
    assert "its client is unknown, or it or its hub is disabled" in challenge(until(newest, token, 401))
    with newest.database.begin() as connection:
        oauth_clients.enable(connection, client.client_id)
        hubs.disable(connection, client.hub)
    assert "its client is unknown, or it or its hub is disabled" in challenge(until(newest, token, 401))
    assert client.ask().status_code == 401


def test_a_revoked_signing_key_verifies_no_token(start_service: Callable[..., AbstractContextManager[Service]]) -> None:
    """Also tokens accepted before; a key that was only replaced still verifies, and a new one signs."""
    with start_service() as service:
        client = client_of(service)
        old = client.token()
        assert post(service, bearer(old)).status_code == 201
        with service.database.begin() as connection:
            signing_keys.rotate(connection, made_key(None), timedelta(hours=1))
        deadline = time.monotonic() + 5
        while (new := client.token()).partition(".")[0] == old.partition(".")[0]:
            assert time.monotonic() < deadline
        assert {post(service, bearer(token)).status_code for token in (old, new)} == {201}
        with service.database.begin() as connection:
            *_, oldest = signing_keys.list_all(connection)
            signing_keys.revoke(connection, oldest.kid)
        assert "no key with its kid" in challenge(until(service, old, 401))
        assert post(service, bearer(new)).status_code == 201


def test_a_known_token_gets_503_without_the_database(
    start_service: Callable[..., AbstractContextManager[Service]],
) -> None:
    """The token may have been revoked: 503 in the shape of version 2, and 201 when the database is back."""
    with start_service() as service:
        token = client_of(service).token()
        assert post(service, bearer(token)).status_code == 201
        name = service.database_url.rpartition("/")[2].partition("?")[0]
        admin = service.database_url.replace(f"/{name}", "/postgres")
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'.encode())
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            try:
                response = until(service, token, 503)
                assert response.json()["title"] == "Unavailable"
                assert response.headers["retry-after"]
            finally:
                connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'.encode())
        assert until(service, token, 201)


def until(service: Service, token: str, status: int) -> httpx.Response:
    """The first response with `status`, within 20 seconds."""
    deadline = time.monotonic() + 20
    while (response := post(service, bearer(token))).status_code != status:
        assert time.monotonic() < deadline, response.status_code
        time.sleep(0.02)
    return response


@pytest.mark.costly
def test_no_request_fails_while_keys_and_contracts_change(
    start_service: Callable[..., AbstractContextManager[Service]],
) -> None:
    """Minors of version 2 are activated and keys rotated under load; tokens of old and new keys are accepted."""
    following = NEWEST_MAJOR.text.replace('version: "2.0"', 'version: "2.1"', 1)
    with start_service() as service:
        client = client_of(service)
        with service.database.begin() as connection:
            lifecycle.publish(connection, Contract.read(following), AUTHOR)
        with load(service.url, client.token(), threads=4, path=PATH) as traffic:
            for version in ("2.1", "2.0") * 2:
                with service.database.begin() as connection:
                    lifecycle.activate(connection, version, AUTHOR)
                    signing_keys.rotate(connection, made_key(None), timedelta(hours=1))
                traffic.wait_for(len(traffic.acknowledged) + 50)
                assert post(service, bearer(client.token())).status_code == 201
                until_served(service, version)
        assert (traffic.statuses, traffic.failures) == ([], [])
        assert {event["contract_version"] for event in service.events()} == {"2.0", "2.1"}
        assert len(httpx.get(f"{service.url}/oauth/jwks").json()["keys"]) == 5


def until_served(service: Service, version: str) -> None:
    """Wait until the contract of `version` is served, at most 20 seconds."""
    deadline = time.monotonic() + 20
    while version not in httpx.get(f"{service.url}/health/ready").json()["contracts"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_retiring_version_1_leaves_version_2_untouched(
    start_service: Callable[..., AbstractContextManager[Service]],
) -> None:
    """Its responses, metadata and tokens stay, and the 410 of version 1 links to it."""
    with start_service() as service:
        token = client_of(service).token()
        before = httpx.get(service.url + METADATA).json()
        assert post(service, bearer(token)).status_code == 201
        with service.database.begin() as connection:
            connection.execute(text("UPDATE interaction_reporting_contracts SET status = 'retired' WHERE major = 1"))
        deadline = time.monotonic() + 10
        url, key = service.url + V1_PATH, service.authorization
        while (retired := httpx.post(url, json=EVENT, headers=key)).status_code != 410:
            assert time.monotonic() < deadline
        assert retired.headers["link"] == '</api/v2>; rel="successor-version"'
        response = post(service, bearer(token))
        assert (response.status_code, "deprecation" in response.headers) == (201, False)
        assert httpx.get(service.url + METADATA).json() == before
        assert post(service, bearer(client_of(service).token())).status_code == 201
