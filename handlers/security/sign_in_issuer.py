"""The issuer that signs in admins: OpenID Connect Core 1.0 section 3.1, the authorization code flow, with PKCE."""

import asyncio
import re
import time
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote_plus, urlsplit

import httpx

from db.admins import ROLES, Role
from handlers.paths import ISSUED
from handlers.security import issuer_answers
from handlers.security.issuer_answers import TIMEOUT_SECONDS, Answer
from handlers.security.issuers import Issuers, IssuerUnavailable, is_secure
from openapi.oauth import authorization_requests, id_tokens
from openapi.oauth.authorization_requests import Attempt, Client
from openapi.oauth.id_tokens import Expected, Subject
from openapi.oauth.jwt import InvalidToken, Token, WrongSignature

ANYBODY = "*"
"""Stands for every group, and for none."""
_BASIC, _POST = "client_secret_basic", "client_secret_post"
_REFUSALS = range(400, 500)
_ERROR = re.compile("[a-z_]{1,60}")


@dataclass(frozen=True, slots=True)
class SignInOptions:
    """The options of the operator: the issuer's URL, the id and the secret of this client there, and roles.

    Each role belongs to a group, which may stand there several times. Without `roles` accounts have theirs.
    """

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    roles: Sequence[tuple[Role, str]] = ()

    def role_of(self, groups: Collection[str]) -> Role | None:
        """The highest role of `groups`; None if they have none."""
        given = {role for role, group in self.roles if group == ANYBODY or group in groups}
        return max(given, key=ROLES.index, default=None)


class CodeRefused(Exception):
    """The issuer gives no token for a code; the message is its error code (RFC 6749 section 5.2)."""


class SignInIssuer:
    """The issuer, and the HTTP clients for its metadata, keys and tokens, which are open within the async context."""

    def __init__(self, options: SignInOptions, public_url: str) -> None:
        self.options = options
        self._client = Client(options.client_id, public_url + ISSUED)
        self._issuers = Issuers([options.url], is_openid=True)
        self._http = issuer_answers.client()
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._opened.enter_async_context(self._issuers)
        await self._opened.enter_async_context(self._http)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        await self._opened.aclose()

    @property
    def host(self) -> str:
        """The host of the issuer, for people."""
        return urlsplit(self.options.url).netloc

    async def location(self, attempt: Attempt) -> str:
        """Where the issuer signs someone in; IssuerUnavailable if it does not say."""
        metadata = await self._issuers.metadata(self.options.url)
        endpoint = _endpoint(metadata, "authorization_endpoint")
        return authorization_requests.url(endpoint, self._client, metadata.get("scopes_supported"), attempt)

    async def has_sent(self, iss: str) -> bool:
        """True if an answer with the parameter `iss`, empty if absent, is that of the issuer (RFC 9207 section 2.4)."""
        if iss:
            return iss == self.options.url
        metadata = await self._issuers.metadata(self.options.url)
        return metadata.get("authorization_response_iss_parameter_supported") is not True

    async def subject(self, code: str, attempt: Attempt) -> Subject:
        """The subject that the issuer has signed in, for the `code` of an attempt.

        CodeRefused if it gives no token, InvalidToken if that cannot be trusted, IssuerUnavailable without an answer.
        """
        answer = await self._exchange(code, attempt)
        if answer.status != 200 and answer.status not in _REFUSALS:
            raise IssuerUnavailable(f"{self.options.url} answers a code with {answer.status}")
        if answer.status != 200:
            error = str(answer.members.get("error"))
            raise CodeRefused(error if _ERROR.fullmatch(error) else f"status {answer.status}")
        text = answer.members.get("id_token")
        if not isinstance(text, str):
            raise InvalidToken("the answer has no ID token")
        return await self._verified(id_tokens.read(text), attempt)

    async def _exchange(self, code: str, attempt: Attempt) -> Answer:
        """The answer to a token request (section 3.1.3)."""
        metadata = await self._issuers.metadata(self.options.url)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._client.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        form, headers = self._authenticated(form, metadata.get("token_endpoint_auth_methods_supported", [_BASIC]))
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await issuer_answers.posted(self._http, _endpoint(metadata, "token_endpoint"), form, headers)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, TimeoutError) as error:
            message = f"{self.options.url} does not answer a code: {type(error).__name__}"
            raise IssuerUnavailable(message) from None

    def _authenticated(self, form: dict[str, str], methods: Any) -> tuple[dict[str, str], dict[str, str]]:
        """A form and headers that authenticate this client (RFC 6749 section 2.3.1), by one of `methods`."""
        name, secret = self.options.client_id, self.options.client_secret
        if isinstance(methods, list) and _POST in methods and _BASIC not in methods:
            return {**form, "client_id": name, "client_secret": secret}, {}
        credentials = b64encode(f"{quote_plus(name)}:{quote_plus(secret)}".encode()).decode()
        return form, {"authorization": f"Basic {credentials}"}

    async def _verified(self, token: Token, attempt: Attempt) -> Subject:
        url = self.options.url
        expected = Expected(url, self.options.client_id, attempt.nonce)
        key = await self._issuers.key(url, token)
        if key is None:
            raise InvalidToken("the issuer has no key for it")
        try:
            return id_tokens.verified(token, key, expected, time.time())
        except WrongSignature:
            if (key := await self._issuers.other_key(url, token, key)) is None:
                raise
            return id_tokens.verified(token, key, expected, time.time())


def _endpoint(metadata: Mapping[str, Any], name: str) -> str:
    """The endpoint `name` of an issuer; IssuerUnavailable unless it has one with https, or on this machine."""
    location = metadata.get(name)
    if not isinstance(location, str) or not is_secure(location):
        raise IssuerUnavailable(f"the issuer's metadata has no {name} with https")
    return location
