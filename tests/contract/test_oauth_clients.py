"""Third-party clients get a token by discovery alone and post an event; a third-party issuer is accepted."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from authlib.integrations import requests_client as authlib
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session

from db import hubs, oauth_clients
from tests.examples import EVENT
from tests.node_programs import Process, Programs, check_pins, programs
from tests.service import Service
from tests.tokens import bearer, client_of, post

pytestmark = pytest.mark.slow

Discovered = dict[str, Any]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    """The programs in JavaScript."""
    return programs(tmp_path_factory.mktemp("programs"))


def discovered(resource: str) -> Discovered:
    """The metadata of the authorization server, discovered from `resource` alone."""
    response = httpx.post(f"{resource}/interaction-events", json=EVENT)
    location = response.headers["www-authenticate"].partition('resource_metadata="')[2].partition('"')[0]
    metadata = httpx.get(location).json()
    assert metadata["resource"] == resource
    (issuer,) = metadata["authorization_servers"]
    server: Discovered = httpx.get(f"{issuer}/.well-known/oauth-authorization-server").json()
    assert server["issuer"] == issuer
    return server


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_authlib(newest: Service, method: str) -> None:
    """Authlib's session, with each of the two authentication methods."""
    client, resource = client_of(newest), f"{newest.url}/api/v2"
    metadata = discovered(resource)
    assert method in metadata["token_endpoint_auth_methods_supported"]
    options = {"token_endpoint_auth_method": method, "token_endpoint": metadata["token_endpoint"]}
    with authlib.OAuth2Session(client.client_id, client.secret, scope="events:write", **options) as session:
        session.fetch_token()
        assert session.post(f"{resource}/interaction-events", json=EVENT).status_code == 201
        revoked = session.revoke_token(metadata["revocation_endpoint"], token=session.token["access_token"])
        assert revoked.status_code == 200
        assert session.post(f"{resource}/interaction-events", json=EVENT).status_code == 401


def test_requests_oauthlib(newest: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """requests-oauthlib's session, which otherwise requires TLS."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    client, resource = client_of(newest), f"{newest.url}/api/v2"
    with OAuth2Session(client=BackendApplicationClient(client.client_id, scope=["events:write"])) as session:
        session.fetch_token(
            discovered(resource)["token_endpoint"], client_id=client.client_id, client_secret=client.secret
        )
        assert session.post(f"{resource}/interaction-events", json=EVENT).status_code == 201


@pytest.mark.parametrize("is_bound", [False, True])
def test_openid_client(newest: Service, node: Programs, is_bound: bool) -> None:
    """openid-client on Node.js, also with tokens that are bound to a key (DPoP)."""
    client = client_of(newest, dpop_bound=is_bound)
    environment = {"CLIENT_ID": client.client_id, "CLIENT_SECRET": client.secret, **({"DPOP": "1"} if is_bound else {})}
    result = json.loads(node.run("post_event", f"{newest.url}/api/v2", EVENT["widget_id"], **environment))
    assert (result["status"], result["type"].lower()) == (201, "dpop" if is_bound else "bearer")
    assert newest.events("id = %s", result["body"]["id"])


class Issuer:
    """A third-party authorization server, while it runs."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.url = process.line()

    def token(self, client_id: str = "them") -> str:
        """A token of one of its clients."""
        form = {"grant_type": "client_credentials", "scope": "events:write"}
        response = httpx.post(f"{self.url}/token", data=form, auth=(client_id, "secret"))
        assert response.status_code == 200, response.text
        token: str = response.json()["access_token"]
        return token


@pytest.fixture
def issuer(node: Programs) -> Iterator[Issuer]:
    """An oidc-provider that issues tokens for a resource URL other than the service's own."""
    with node.running("issuer", "https://api.example/api/v2") as process:
        yield Issuer(process)


def test_oidc_provider(
    issuer: Issuer, start_service: Callable[..., AbstractContextManager[Service]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its token is accepted for the client's hub, also with its next key; not with a withdrawn one."""
    monkeypatch.setattr("handlers.security.issuers.FLOOR_SECONDS", 0.2)
    settings = {"IR_OAUTH_ISSUERS": issuer.url, "IR_PUBLIC_URL": "https://api.example"}
    with start_service(**settings) as service:
        assert post(service, bearer(issuer.token())).status_code == 401
        with service.database.begin() as connection:
            hub, _ = hubs.create(connection, "theirs")
            oauth_clients.accept(connection, hub.name, issuer.url, "them", ["events:write"])
        response = post(service, bearer(before := issuer.token()))
        assert response.status_code == 201
        assert [event["hub_id"] for event in service.events("id = %s", response.json()["id"])] == [hub.id]
        assert post(service, bearer(issuer.token("others"))).status_code == 401
        assert issuer.process.prompt() == "key-2"
        deadline = time.monotonic() + 10  # its keys are not fetched again at once
        while post(service, bearer(issuer.token())).status_code != 201:
            assert time.monotonic() < deadline
        assert post(service, bearer(before)).status_code == 401  # the issuer has withdrawn its key
        metadata = httpx.get(f"{service.url}/.well-known/oauth-protected-resource/api/v2").json()
        assert metadata["authorization_servers"] == ["https://api.example", issuer.url]


def test_the_packages_are_pinned(node: Programs) -> None:
    """One version each, and no registry in the lock file."""
    check_pins(node)
