"""Credentials: what a request has in `Authorization`."""

import base64
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

from openapi.clients.python.errors import InvalidItem
from openapi.clients.python.forks import watch
from openapi.clients.python.narrowed import as_object
from openapi.clients.python.wire.answers import failure, unexpected
from openapi.clients.python.wire.connections import Connections, Request

_EARLY = 30.0
"""Seconds before its end at which a token is replaced; of a short one, a fifth of its life."""
_FORM = "application/x-www-form-urlencoded"


class Credentials(Protocol):
    """Makes the header fields of a request."""

    def headers(self, method: str, url: str) -> Mapping[str, str]:
        """The fields that authenticate a request for `url`."""
        ...

    def refused(self, headers: Mapping[str, str]) -> bool:
        """Called after a 401 to a request with `headers`; True if another attempt may succeed."""
        ...


class Key:
    """A key, or a token from somewhere else: a text, or a function that is asked for it before each request."""

    def __init__(self, key: str | Callable[[], str], header: str = "Authorization", scheme: str = "Bearer ") -> None:
        self._key = key
        self._header = header
        self._scheme = scheme

    def headers(self, method: str, url: str) -> Mapping[str, str]:  # noqa: ARG002 - it is the same for all requests
        """The key as a bearer token (RFC 6750), or as the document says; InvalidItem if it cannot be sent."""
        key = self._key if isinstance(self._key, str) else self._key()
        if not (key.isascii() and key.isprintable()):  # http.client would repeat the whole key in its error
            raise InvalidItem(self._header, "the key has a character that is not printable ASCII")
        return {self._header: self._scheme + key}

    def refused(self, headers: Mapping[str, str]) -> bool:
        """True if the function may give another one."""
        return not isinstance(self._key, str) and self.headers("", "") != headers


class NoCredentials:
    """None are needed."""

    def headers(self, method: str, url: str) -> Mapping[str, str]:  # noqa: ARG002
        """No fields."""
        return {}

    def refused(self, headers: Mapping[str, str]) -> bool:  # noqa: ARG002
        """False."""
        return False


class Authentication(Protocol):
    """Authenticates a client at a token endpoint."""

    def fields(self, endpoint: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """The header fields and the form fields of a request to `endpoint`."""
        ...


class Secret:
    """`client_secret_basic` (RFC 6749 section 2.3.1)."""

    def __init__(self, client_id: str, secret: str) -> None:
        pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
        self._header = f"Basic {base64.b64encode(pair.encode()).decode()}"

    def fields(self, endpoint: str) -> tuple[Mapping[str, str], Mapping[str, str]]:  # noqa: ARG002
        """The secret, in a header."""
        return {"Authorization": self._header}, {}


class Proofs(Protocol):
    """Makes proofs of possession (DPoP, RFC 9449)."""

    def proof(self, method: str, url: str, token: str) -> str:
        """The proof for a request, with `token` unless that is empty."""
        ...


class Tokens:
    """Access tokens by the client credentials grant (RFC 6749 section 4.4), fetched when they are needed."""

    def __init__(
        self,
        connections: Connections,
        endpoint: str,
        authentication: Authentication,
        scopes: str = "",
        proofs: Proofs | None = None,
    ) -> None:
        """`endpoint` is the path of the token endpoint below the URL of `connections`."""
        self._connections = connections
        self._endpoint = endpoint
        self._authentication = authentication
        self._scopes = scopes
        self._proofs = proofs
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0
        watch(self)

    def before_fork(self) -> None:
        """Nothing needs to be done."""

    def after_fork(self, is_child: bool) -> None:
        """The child fetches a token of its own; its parent may be about to fetch one."""
        if is_child:
            self._lock, self._until = threading.Lock(), 0.0

    def headers(self, method: str, url: str) -> Mapping[str, str]:
        """A valid token, fetched if there is none; raises what a request raises."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._fetch()
            token = self._token
        if self._proofs is None:
            return {"Authorization": f"Bearer {token}"}
        return {"Authorization": f"DPoP {token}", "DPoP": self._proofs.proof(method, url, token)}

    def refused(self, headers: Mapping[str, str]) -> bool:
        """True: the next attempt has another token."""
        with self._lock:
            if headers.get("Authorization", "").endswith(f" {self._token}"):  # else another thread has replaced it
                self._until = 0.0
        return True

    def _fetch(self) -> None:
        headers, form = self._authentication.fields(self._endpoint)
        sent = {**form, "grant_type": "client_credentials", **({"scope": self._scopes} if self._scopes else {})}
        fields = {"Content-Type": _FORM, "Accept": "application/json", **headers}
        if self._proofs:
            fields["DPoP"] = self._proofs.proof("POST", self._connections.url(self._endpoint), "")
        start = time.monotonic()
        answer = self._connections.exchange(Request("POST", self._endpoint, fields, urlencode(sent).encode()))
        if answer.status != 200:
            raise failure(answer)
        body = as_object(answer.json) or {}
        token, expires_in = body.get("access_token"), body.get("expires_in")
        if not isinstance(token, str):
            raise unexpected(answer)
        life = float(expires_in) if isinstance(expires_in, int | float) and expires_in > 0 else 60.0
        self._token = token
        self._until = start + life - min(_EARLY, life / 5)


def of_client(  # noqa: PLR0913 - the options of a client
    connections: Connections,
    endpoint: str,
    client_id: str,
    client_secret: str,
    *,
    private_key: str | bytes | Mapping[str, Any] | None,
    dpop: bool,
    scopes: Sequence[str],
) -> Credentials:
    """The credentials of an OAuth client; ValueError if they are not complete, ImportError without joserfc."""
    if not client_id or bool(client_secret) == bool(private_key):
        raise ValueError("give client_id, with one of client_secret and private_key, or give token")
    if not endpoint.startswith("/"):  # of another server
        parts = urlsplit(endpoint)
        connections = Connections(f"{parts.scheme}://{parts.netloc}", connections.timeout, connections.context)
        endpoint = parts._replace(scheme="", netloc="").geturl()
    signed = import_module("openapi.clients.python.wire.signed_credentials") if private_key or dpop else None
    if signed and private_key:
        authentication = signed.Assertions(client_id, private_key, connections.url(endpoint))
    else:
        authentication = Secret(client_id, client_secret)
    proofs = signed.KeyProofs() if signed and dpop else None
    return Tokens(connections, endpoint, authentication, " ".join(scopes), proofs)
