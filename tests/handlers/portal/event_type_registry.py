"""A registry with types of a test's own, and what pages show of it."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from tests.postgresql import fresh_database
from tests.service import Service, running


@pytest.fixture(scope="module")
def newest(embedded_url: str, template: str) -> Iterator[Service]:
    """A service of the tests of one module alone: no row of the registry is ever deleted, and these are hostile."""
    with fresh_database(embedded_url, "event_type_pages", template) as url, running(url) as started:
        yield started


@pytest.fixture
def register(newest: Service) -> Callable[..., str]:
    """A function that registers an event type by hand, with values by column, and returns its name."""
    return lambda name, **values: insert(newest.database_url, name, **values)


def insert(url: str, name: str, **values: Any) -> str:
    """Insert a row of the registry, or give it the values."""
    columns = {
        "description": "",
        **{key: Jsonb(each) if isinstance(each, dict) else each for key, each in values.items()},
    }
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO event_type_registry (name) VALUES (%s) ON CONFLICT DO NOTHING", [name])
        for column, value in columns.items():
            update = SQL("UPDATE event_type_registry SET {} = %s WHERE name = %s")
            connection.execute(update.format(Identifier(column)), [value, name])
    return name


def names_of(page: httpx.Response) -> dict[str, str]:
    """The names in a list, with the paths of their pages."""
    cells = re.findall(r'<th scope="row"><a href="([^"]*)"><bdi><code>(.*?)</code></bdi></a>', page.text, re.DOTALL)
    return {unescape(name): unescape(path) for path, name in cells}


def all_names(browser: httpx.Client, path: str) -> list[str]:
    """The names in the list at `path` and the pages after it."""
    names: list[str] = []
    while path:
        page = browser.get(path)
        assert page.status_code == 200
        assert len(names_of(page)) <= 50
        names += names_of(page)
        following = re.search(r'href="([^"]*)" rel="next"', page.text)
        path = unescape(following[1]) if following else ""
    return names


def text_of(page: httpx.Response) -> str:
    """The words of the content of a page."""
    content = page.text.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return " ".join(unescape(re.sub("<[^>]*>", " ", content)).split())
