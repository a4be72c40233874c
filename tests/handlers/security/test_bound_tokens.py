"""Tokens that are bound to a key of their sender (DPoP, RFC 9449)."""

import hashlib
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.contract_client import unused
from tests.examples import EVENT
from tests.service import Service
from tests.tokens import PATH, Client, asking, bearer, client_of, from_afar

TOKEN = "/oauth/token"


@pytest.fixture(scope="module")
def client(newest: Service) -> Client:
    """A client whose tokens must be bound."""
    return client_of(newest, dpop_bound=True)


@pytest.fixture(scope="module")
def key() -> ECKey:
    """The key of the client."""
    return ECKey.generate_key("P-256")


def proof(service: Service, key: ECKey, path: str, token: str | None = None, **claims: Any) -> dict[str, str]:
    """The header with a proof for a POST to `path`."""
    digest = urlsafe_b64encode(hashlib.sha256((token or "").encode()).digest()).rstrip(b"=").decode()
    bound = {"ath": digest} if token else {}
    standard = {"jti": str(uuid4()), "htm": "POST", "htu": service.url + path, "iat": int(time.time()), **bound}
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
    return {"DPoP": jwt.encode(header, {**standard, **claims}, key, algorithms=["ES256"])}


def ask(client: Client, **headers: str) -> httpx.Response:
    """The response of the token endpoint."""
    fields = {**from_afar(), **headers}
    form, credentials = {"grant_type": "client_credentials"}, (client.client_id, client.secret)
    return httpx.post(client.service.url + TOKEN, data=form, auth=credentials, headers=fields, verify=unused())


def bound(client: Client, key: ECKey) -> str:
    """A token that is bound to `key`."""
    answer = ask(client, **proof(client.service, key, TOKEN))
    assert answer.json()["token_type"] == "DPoP"
    token: str = answer.json()["access_token"]
    return token


def send(service: Service, token: str, **headers: str) -> httpx.Response:
    """The response to an event."""
    with asking(service) as client:
        return client.post(PATH, json=EVENT, headers={"Authorization": f"DPoP {token}", **headers})


def refused(response: httpx.Response) -> str:
    """The challenge of a 401, after checking its scheme, its `algs` and the problem in the body."""
    assert response.status_code == 401
    challenge = str(response.headers["www-authenticate"])
    assert challenge.startswith("Bearer " if "it is bound to a key" in challenge else 'DPoP realm="')
    assert 'algs="ES256 Ed25519 PS256 RS256"' in challenge or challenge.startswith("Bearer")
    problem = response.json()
    code = "invalid_dpop_proof" if 'error="invalid_dpop_proof"' in challenge else "invalid_token"
    assert problem["type"].endswith(f"/problems/{code}")
    assert problem["detail"].split(": ", 1)[1] in challenge
    return challenge


def test_a_bound_token_is_accepted_with_a_proof(newest: Service, client: Client, key: ECKey) -> None:
    """Each request has a new proof; the introspected token names the key that it is bound to."""
    token = bound(client, key)
    for _ in range(2):
        assert send(newest, token, **proof(newest, key, PATH, token)).status_code == 201
    claims = client.ask("/oauth/introspect", token=token).json()
    assert (claims["token_type"], claims["cnf"]) == ("DPoP", {"jkt": key.thumbprint()})


def test_a_proof_is_good_for_one_use(newest: Service, client: Client, key: ECKey) -> None:
    """At the resource and at the token endpoint."""
    token = bound(client, key)
    used = proof(newest, key, PATH, token)
    assert send(newest, token, **used).status_code == 201
    assert "the proof was used before" in refused(send(newest, token, **used))
    used = proof(newest, key, TOKEN)
    assert ask(client, **used).status_code == 200
    assert ask(client, **used).json()["error"] == "invalid_dpop_proof"


def test_a_stolen_token_is_refused(newest: Service, client: Client, key: ECKey) -> None:
    """Without a proof, with a proof of another key or for another request, or as a bearer token."""
    token, thief = bound(client, key), ECKey.generate_key("P-256")
    assert 'error="invalid_dpop_proof"' in refused(send(newest, token))
    assert "signed with another key" in refused(send(newest, token, **proof(newest, thief, PATH, token)))
    assert "another URL" in refused(send(newest, token, **proof(newest, key, f"{PATH}/batch", token)))
    assert "another method" in refused(send(newest, token, **proof(newest, key, PATH, token, htm="PUT")))
    assert "another token" in refused(send(newest, token, **proof(newest, key, PATH, "another")))
    with asking(newest) as session:
        response = session.post(PATH, json=EVENT, headers={**bearer(token), **proof(newest, key, PATH, token)})
    assert 'error="invalid_token"' in refused(response)


def test_a_client_that_must_bind_its_tokens_gets_no_unbound_token(newest: Service, client: Client, key: ECKey) -> None:
    """Nor with an invalid proof; a client that need not bind its tokens may bind them."""
    assert (ask(client).status_code, ask(client).json()["error"]) == (400, "invalid_dpop_proof")
    assert ask(client, DPoP="nothing").json()["error"] == "invalid_dpop_proof"
    assert ask(client, **proof(newest, key, "/oauth/introspect")).json()["error"] == "invalid_dpop_proof"
    other = client_of(newest)
    token = bound(other, key)
    assert send(newest, token, **proof(newest, key, PATH, token)).status_code == 201
    unbound = other.token()
    assert "it is not bound to a key" in refused(send(newest, unbound, **proof(newest, key, PATH, unbound)))


def test_a_proof_is_accepted_with_a_late_body(newest: Service, client: Client, key: ECKey) -> None:
    """The token is checked again when the body has arrived, but the proof is not."""
    token = bound(client, key)
    used = proof(newest, key, PATH, token)

    def late() -> Iterator[bytes]:
        time.sleep(0.2)
        yield json.dumps(EVENT).encode()

    with asking(newest) as session:
        headers = {"Authorization": f"DPoP {token}", "Content-Type": "application/json", **used}
        assert session.post(PATH, content=late(), headers=headers).status_code == 201
    assert "used before" in refused(send(newest, token, **used))
