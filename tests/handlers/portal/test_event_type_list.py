"""The list of event types in a browser."""

from collections.abc import Callable
from urllib.parse import quote

import httpx
import pytest

from tests.handlers.conftest import Hub
from tests.handlers.portal.event_type_registry import all_names, names_of, text_of
from tests.handlers.portal.event_type_registry import newest as newest  # noqa: PLC0414 - a fixture
from tests.handlers.portal.event_type_registry import register as register  # noqa: PLC0414 - a fixture
from tests.page_clients import browser as browser  # noqa: PLC0414 - a fixture


def test_the_list_has_every_public_type_once(browser: httpx.Client, register: Callable[..., str], prefix: str) -> None:
    """In pages of 50; one that waits for approval is not shown."""
    names = [register(f"{prefix}.{number:03}") for number in range(120)]
    register(f"{prefix}.waits", status="pending")
    assert all_names(browser, f"/event-types?q={prefix}") == names
    listed = all_names(browser, "/event-types")
    assert len(listed) == len(set(listed))
    assert {"clicked", *names} <= set(listed)


def test_a_row_says_what_a_type_is(browser: httpx.Client, register: Callable[..., str], prefix: str, hub: Hub) -> None:
    """Its meaning, status, version and who registered it; the name of the hub is nobody else's business."""
    register(f"{prefix}.old", status="deprecated", version=7, description="It was used once.")
    hub.manifest([{"name": f"{prefix}.own", "description": "Ours."}])
    page = browser.get(f"/event-types?q={prefix}")
    assert f"{prefix}.old It was used once. deprecated 7 framework" in text_of(page)
    assert f"{prefix}.own Ours. active 1 a hub" in text_of(page)
    assert hub.name not in page.text
    assert hub.name not in browser.get(f"/event-types/{prefix}.own").text


def test_the_list_is_searched_and_filtered(browser: httpx.Client, register: Callable[..., str], prefix: str) -> None:
    """By a part of the name in any case, and by status; the form shows what was asked for."""
    register(f"{prefix}.Öl")
    register(f"{prefix}.old", status="deprecated")
    found = {
        f"q={prefix.upper()}.{quote('öL')}": [f"{prefix}.Öl"],
        f"q=+{prefix}+&status=": [f"{prefix}.old", f"{prefix}.Öl"],
        f"q={prefix}&status=deprecated": [f"{prefix}.old"],
        f"q={prefix}&status=active": [f"{prefix}.Öl"],
        f"q={prefix}%25": [],
    }
    for query, names in found.items():
        assert all_names(browser, f"/event-types?{query}") == names
    page = browser.get(f"/event-types?q={prefix}&status=deprecated").text
    assert f'name="q" value="{prefix}"' in page
    assert "<option selected>deprecated</option>" in page


@pytest.mark.parametrize("query", ["q=no.such.type", f"q={'x' * 200}", "q=%3Cscript%3E%22%27"])
def test_an_empty_list_says_what_to_do(browser: httpx.Client, query: str) -> None:
    """Whatever was searched for."""
    page = browser.get(f"/event-types?{query}")
    assert (page.status_code, names_of(page)) == (200, {})
    assert "No event type is like that." in text_of(page)
    assert "interaction-reporting event-type register NAME" in text_of(page)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/event-types?status=pending", "status"),
        ("/event-types?status=active&status=active", "status"),
        ("/event-types?cursor=clicked", "cursor"),
        ("/event-types?cursor=bmFtZSBhAGI", "cursor"),
        ("/event-types?q=a&q=b", "q"),
        ("/event-types/?name=a&name=b", "name"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_named(browser: httpx.Client, path: str, name: str) -> None:
    """With 400, and a way back."""
    page = browser.get(path)
    assert page.status_code == 400
    assert f" {name.title()} " in text_of(page)
    assert 'href="/event-types"' in page.text
