"""The keys that sign access tokens: storing and publishing them."""

import base64
import json
import secrets

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from openapi.oauth import jwk
from openapi.oauth.jwk import UnreadableKey


@pytest.fixture
def secret() -> OctKey:
    """The secret that encrypts keys."""
    return jwk.secret_of(base64.b64encode(secrets.token_bytes(32)).decode())


def test_a_stored_key_is_read_back(secret: OctKey) -> None:
    """Encrypted or not; its id is its thumbprint (RFC 7638)."""
    key = jwk.new()
    assert key.kid == key.thumbprint()
    for seal in (None, secret):
        assert jwk.read(jwk.serialize(key, seal), secret).as_dict(private=True) == key.as_dict(private=True)


def test_no_id_of_a_key_reads_as_an_option() -> None:
    """One thumbprint in 64 begins with a hyphen, which `signing-key revoke` would take for one."""
    assert not [key.kid for key in (jwk.new() for _ in range(600)) if str(key.kid).startswith("-")]


def test_a_sealed_key_hides_its_private_part(secret: OctKey) -> None:
    """Only the same secret opens it."""
    key = jwk.new()
    text = jwk.serialize(key, secret)
    private = str(key.as_dict(private=True)["d"])
    assert private in jwk.serialize(key, None)
    assert private not in text
    assert base64.urlsafe_b64encode(private.encode()).decode()[:20] not in text
    with pytest.raises(UnreadableKey, match="there is no secret to decrypt it"):
        jwk.read(text, None)
    with pytest.raises(UnreadableKey, match="encrypted with another secret"):
        jwk.read(text, OctKey.generate_key(256))
    with pytest.raises(UnreadableKey, match="encrypted with another secret"):
        jwk.read(text[:-2] + ("AA" if text[-2:] != "AA" else "BB"), secret)
    assert jwk.serialize(key, secret) != text


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "{",
        "[]",
        json.dumps(ECKey.generate_key("P-256").as_dict(private=False)),
        json.dumps(ECKey.generate_key("P-384").as_dict(private=True)),
        json.dumps(RSAKey.generate_key(2048).as_dict(private=True)),
        json.dumps({**ECKey.generate_key("P-256").as_dict(private=True), "d": 5}),
        "not a key",
        "a.b.c.d.e",
    ],
    ids=["empty", "no JSON", "array", "public", "P-384", "RSA", "a wrong member", "a text", "no JWE"],
)
def test_an_unsuitable_signing_key_is_not_read(text: str, secret: OctKey) -> None:
    """The error repeats nothing of it."""
    with pytest.raises(UnreadableKey) as raised:
        jwk.read(text, secret)
    assert text[:20] not in str(raised.value)


def test_a_set_of_keys_is_read_in_its_order() -> None:
    """A key without an id gets its thumbprint as its id."""
    first, second = ECKey.generate_key("P-256", {"kid": "one"}), ECKey.generate_key("P-256")
    text = json.dumps({"keys": [first.as_dict(private=True), second.as_dict(private=True)]})
    assert [key.kid for key in jwk.read_set(text)] == ["one", second.thumbprint()]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"keys": []}',
        '{"keys": 5}',
        '{"keys": [5]}',
        '{"keys": [{"kty": "oct", "k": "YWJjYWJjYWJjYWJjYWJjYWJjYWJj"}]}',
    ],
)
def test_an_invalid_set_of_keys_is_not_read(text: str) -> None:
    """An empty set is invalid, too."""
    with pytest.raises(UnreadableKey):
        jwk.read_set(text)


def test_only_the_public_part_is_published() -> None:
    """The published key also has its use and algorithm."""
    key = jwk.new()
    published = jwk.published(key)
    assert published["kid"] == key.kid
    assert (published["use"], published["alg"], "d" in published) == ("sig", "ES256", False)


@pytest.mark.parametrize("text", ["", "a" * 42, "a" * 45, "ä" * 43, base64.b64encode(b"a" * 16).decode()])
def test_a_secret_has_256_bits(text: str) -> None:
    """Any other text is refused, without repeating it."""
    with pytest.raises(ValueError, match=r"^it is not 32 bytes in Base64$"):
        jwk.secret_of(text)


def test_a_secret_may_be_base64_or_base64url() -> None:
    """Base64 or Base64url (RFC 4648), with or without padding."""
    data = b"\xfb\xef\xff" * 10 + b"\xfb\xef"
    standard, url = base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()
    assert standard != url
    for text in (standard, url, url.rstrip("=")):
        assert jwk.secret_of(text).raw_value == data
