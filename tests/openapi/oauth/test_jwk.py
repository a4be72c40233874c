"""The keys that sign access tokens, as they are kept and published."""

import base64
import json
import secrets

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from openapi.oauth import jwk
from openapi.oauth.jwk import UnreadableKey


@pytest.fixture
def secret() -> OctKey:
    """What seals keys."""
    return jwk.secret_of(base64.b64encode(secrets.token_bytes(32)).decode())


def test_a_key_is_kept_and_read_again(secret: OctKey) -> None:
    """In the open, or sealed; its id is its thumbprint (RFC 7638)."""
    key = jwk.new()
    assert key.kid == key.thumbprint()
    for seal in (None, secret):
        assert jwk.read(jwk.serialize(key, seal), secret).as_dict(private=True) == key.as_dict(private=True)


def test_a_sealed_key_tells_nothing(secret: OctKey) -> None:
    """Of its private part; and nobody else opens it."""
    key = jwk.new()
    text = jwk.serialize(key, secret)
    private = str(key.as_dict(private=True)["d"])
    assert private in jwk.serialize(key, None)
    assert private not in text
    assert base64.urlsafe_b64encode(private.encode()).decode()[:20] not in text
    with pytest.raises(UnreadableKey, match="there is no secret to open it"):
        jwk.read(text, None)
    with pytest.raises(UnreadableKey, match="sealed by another secret"):
        jwk.read(text, OctKey.generate_key(256))
    with pytest.raises(UnreadableKey, match="sealed by another secret"):
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
)
def test_what_is_no_key_to_sign_with_is_not_read(text: str, secret: OctKey) -> None:
    """The reason repeats nothing of it."""
    with pytest.raises(UnreadableKey) as raised:
        jwk.read(text, secret)
    assert text[:20] not in str(raised.value)


def test_a_set_of_keys_is_read_in_its_order() -> None:
    """A key without an id gets its thumbprint as one."""
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
def test_what_is_no_set_of_keys_is_not_read(text: str) -> None:
    """Nor one that is empty."""
    with pytest.raises(UnreadableKey):
        jwk.read_set(text)


def test_what_is_published_is_the_public_part() -> None:
    """With what it is for."""
    key = jwk.new()
    told = jwk.published(key)
    assert told["kid"] == key.kid
    assert (told["use"], told["alg"], "d" in told) == ("sig", "ES256", False)


@pytest.mark.parametrize("text", ["", "a" * 42, "a" * 45, "ä" * 43, base64.b64encode(b"a" * 16).decode()])
def test_a_secret_has_256_bits(text: str) -> None:
    """Whatever else is refused, without repeating it."""
    with pytest.raises(ValueError, match=r"^it is not 32 bytes in Base64$"):
        jwk.secret_of(text)


def test_a_secret_is_written_in_either_alphabet() -> None:
    """Of RFC 4648, with padding or without."""
    data = b"\xfb\xef\xff" * 10 + b"\xfb\xef"
    standard, url = base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()
    assert standard != url
    for text in (standard, url, url.rstrip("=")):
        assert jwk.secret_of(text).raw_value == data
