"""API keys and their digests."""

import base64

from db import keys


def test_a_key_is_the_prefix_and_256_bits() -> None:
    """The part after the prefix decodes to 32 bytes."""
    prefix, secret = keys.new()[:4], keys.new()[4:]
    assert prefix == "irk_"
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32


def test_no_two_keys_are_alike() -> None:
    """A thousand new keys are all different."""
    assert len({keys.new() for _ in range(1000)}) == 1000


def test_the_digest_is_sha_256() -> None:
    """The digest of `abc` is the one in FIPS 180-2, appendix B.1: stored keys stay valid."""
    assert keys.digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
