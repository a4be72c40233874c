"""Origins in the one form in which a browser sends them."""

import pytest

from openapi.cross_origin.origins import LONGEST, origin, origin_of_url

LABEL = "a" * 63


@pytest.mark.parametrize(
    "text",
    [
        "https://app.example",
        "https://app.example:8443",
        "https://app.example:80",
        "https://xn--bcher-kva.example",
        "https://under_score.example",
        "https://203.0.113.7",
        "https://[2001:db8::1]:8443",
        "https://localhost",
        "http://localhost:3000",
        "http://localhost:443",
        "http://127.0.0.1",
        "http://[::1]:8080",
        f"https://{LABEL}.{LABEL}.{LABEL}.{'a' * 61}:65535",
    ],
)
def test_what_a_browser_sends_is_accepted(text: str) -> None:
    """Unchanged: https for any host, http for this machine."""
    assert origin(text) == text


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("HTTPS://app.example", "https://app.example"),
        ("https://App.Example", "https://app.example"),
        ("https://app.example:443", "https://app.example"),
        ("https://app.example:", "https://app.example"),
        ("http://localhost:80", "http://localhost"),
    ],
)
def test_another_form_of_an_origin_is_refused_with_the_form_of_browsers(text: str, sent: str) -> None:
    """An operator can copy it: a browser never sends the other."""
    with pytest.raises(ValueError, match=r"^a browser sends it as ") as raised:
        origin(text)
    assert str(raised.value).endswith(f" {sent}")
    assert origin(sent) == sent


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("*", "'*' would stand for any page"),
        ("null", "'null' would stand for any page"),
        ("https://*.example", "there are no wildcards"),
        ("https://app.example/", "leave out all that follows"),
        ("https://app.example/page", "leave out all that follows"),
        ("https://app.example?a", "leave out all that follows"),
        ("https://app.example#a", "leave out all that follows"),
        ("https://user@app.example", "is not of the form"),
        ("https://app.example\r\nSet-Cookie: a=b", "is not of the form"),
        ("https://app.example\n", "is not the name of a host"),
        ("https://app .example", "is not the name of a host"),
        ("https://app.example, https://b.example", "is not of the form"),
        ("app.example", "is not of the form"),
        ("//app.example", "is not of the form"),
        ("", "is not of the form"),
        ("https://", "is not the name of a host"),
        ("https://app.example.", "is not the name of a host"),
        ("https://-app.example", "is not the name of a host"),
        (f"https://{LABEL}a.example", "is not the name of a host"),
        (f"https://{LABEL}.{LABEL}.{LABEL}.{'a' * 62}", "is not the name of a host"),
        ("https://bücher.example", "in ASCII"),
        ("http://app.example", "http is only for localhost, 127.0.0.1, [::1]"),
        ("http://localhost.app.example", "http is only for"),
        ("http://127.0.0.2", "http is only for"),
        ("ftp://app.example", "its scheme is ftp"),
        ("chrome-extension://abcdef", "its scheme is chrome-extension"),
        ("https://127.1", "'127.1' is not the address of a host"),
        ("https://0x7f000001", "is not the address of a host"),
        ("https://app.0x1", "is not the address of a host"),
        ("https://127.0.0.01", "is not the address of a host"),
        ("https://[::ffff:1.2.3.4]", "is not the address of a host"),
        ("https://[fe80::1%eth0]", "is not the address of a host"),
        ("https://[127.0.0.1]", "is not the address of a host"),
        ("https://[2001:DB8:0::1]", "a browser sends the address as 2001:db8::1"),
        ("https://app.example:0", "the port '0' is not a number from 1 to 65535"),
        ("https://app.example:0443", "the port '0443'"),
        ("https://app.example:65536", "the port '65536'"),
        ("https://app.example:99999999999999", "the port"),
        ("https://" + "a" * 10_000, f"it has 10008 characters; an origin has at most {LONGEST}"),
    ],
)
def test_all_else_is_refused_with_the_reason(text: str, reason: str) -> None:
    """What stands for many pages, what is no origin, and what other machines can answer for."""
    with pytest.raises(ValueError) as raised:  # noqa: PT011 (the text is compared below)
        origin(text)
    assert reason in str(raised.value)
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://api.example", "https://api.example"),
        ("https://API.example:443", "https://api.example"),
        ("http://api.example:80/", "http://api.example"),
        ("https://api.example:80/path?query", "https://api.example:80"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://api.example:99999", None),
        ("https://[::1", None),
        ("", None),
    ],
)
def test_the_origin_of_a_url_is_that_of_its_pages(url: str, sent: str | None) -> None:
    """As a browser sends it; no page is at a URL that is none."""
    assert origin_of_url(url) == sent
