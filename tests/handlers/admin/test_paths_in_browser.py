"""What operators come to do, from the first page to the last, in a real browser and with two workers.

Nothing but the first address is known: the way is that of a person, by links, labels and buttons.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, expect

from db import event_types, hubs, widgets
from db.engine import Database
from tests.examples import EVENT, NEWEST, PATH, WIDGET
from tests.handlers.admin.contracts.conftest import document, wider
from tests.handlers.conftest import NDJSON, Hub, entry
from tests.handlers.conftest import new_hub as new_hub  # noqa: PLC0414 - a fixture
from tests.handlers.live.two_workers import two_workers
from tests.page_admins import make_admin
from tests.page_browser import chromium
from tests.page_walks import KeyWalk, Walk, walking
from tests.postgresql import fresh_database
from tests.service import CONTRACTS, Service
from tests.tokens import client_of
from tests.unsuitable_servers import free_port
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("looks")]

NONE = "\N{EN DASH}"
"""How pages show 0."""
NewHub = Callable[[Service], Hub]
MANY = 1000
_numbers = itertools.count()


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    """One browser for all walks."""
    with chromium() as each:
        yield each


@pytest.fixture(scope="module")
def served(embedded_url: str, template: str) -> Iterator[Service]:
    """A service of two workers, where operators approve the types of manifests."""
    with fresh_database(embedded_url, "paths_in_browser", template) as url, closing(Database(url)) as database:
        with database.begin() as connection:
            _, key = hubs.create(connection, "the first hub")
            widgets.register(connection, "Widget of the examples", UUID(WIDGET))
        port = free_port()
        settings = {"IR_PORT": str(port), "IR_PUBLIC_URL": f"http://127.0.0.1:{port}"}
        with two_workers(url, IR_MANIFEST_APPROVAL="manual", **settings) as running:
            yield Service(running.url, port, url, database, key, CONTRACTS[NEWEST])


@pytest.fixture
def hub(served: Service, new_hub: NewHub) -> Hub:
    """A new hub."""
    return new_hub(served)


@pytest.fixture
def owner(served: Service) -> str:
    """The name of a new owner."""
    name = f"olga {next(_numbers)}"
    make_admin(served, name)
    return name


def key_of(hub: Hub) -> str:
    """The API key of a hub, as its people have it."""
    return hub.client.headers["authorization"].removeprefix("Bearer ")


def stored(hub: Hub) -> int:
    """How many events of a hub are stored."""
    return len(hub.rows())


def refused_by_1(hub: Hub, name: str) -> Callable[[Walk], None]:
    """Send an event of an unknown type to version 1, whose answer has no link: how its reader finds the problem."""
    answer = hub.event(event_type=name)
    assert answer.status_code == 422
    assert "Type Registry" in answer.json()["help"]

    def find(walk: Walk) -> None:
        walk.open(hub.service.url)
        walk.follow("Problems")
        walk.enter("Search the problems", answer.json()["error"])
        walk.press("Search")
        walk.follow("Event type not registered")

    return find


def refused_by_2(hub: Hub, name: str) -> Callable[[Walk], None]:
    """Send an event of an unknown type to version 2, whose answer links the problem."""
    headers = {"Authorization": f"Bearer {client_of(hub.service, hub.name).token()}"}
    url = hub.service.url + PATH.replace("v1", "v2")
    answer = httpx.post(url, json=EVENT | {"event_type": name}, headers=headers)
    assert answer.status_code == 422
    return lambda walk: walk.open(answer.json()["type"])


def register_what_was_refused(walk: Walk, hub: Hub, name: str, owner: str) -> None:
    """From the page of the problem to the hub that has lost nothing."""
    walk.reads("not registered", "What to do")
    walk.follow("An operator sees what was refused, and registers it")
    walk.sign_in(owner)
    walk.looks_until(lambda: walk.has_link(name))
    walk.follow(name)
    walk.reads(f"{hub.name} (once)", "nothing is lost")
    expect(walk.page.get_by_label("Name", exact=True)).to_have_value(name)
    walk.enter("Description", "A pipeline has started.")
    walk.enter("Why (for the audit log)", "its team asked")
    walk.tick("Then replay what was rejected with this name")
    walk.press(f"Register {name}")
    walk.waits("All are stored.")
    assert "Waited 1 Stored 1 Rejected again 0 Not tried 0 Left 0" in walk.text()
    walk.follow("Audit")
    walk.reads(f"register: event type {name}", "its team asked", f"admin:{owner}")
    walk.follow("Pages for integrators")
    walk.follow("Your hub")
    walk.enter("API key, or secret of a client", key_of(hub))
    walk.press("Sign in")
    walk.reads("Nothing is rejected.")
    last_day = walk.page.get_by_role("row", name="The last day").get_by_role("cell")
    walk.looks_until(lambda: last_day.all_inner_texts() == ["1", NONE, "1", NONE])
    assert stored(hub) == 1


@pytest.mark.parametrize("refused", [refused_by_1, refused_by_2])
@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no-scripts"])
def test_an_unknown_type_is_registered_and_nothing_is_lost(  # noqa: PLR0917 (fixtures)
    chrome: Browser, hub: Hub, owner: str, prefix: str, refused: Any, has_scripts: bool
) -> None:
    """The answer of either version leads there, with and without scripts."""
    find = refused(hub, f"{prefix}_started")
    with walking(chrome, hub.service.url, has_scripts=has_scripts) as walk:
        find(walk)
        register_what_was_refused(walk, hub, f"{prefix}_started", owner)


@pytest.mark.parametrize("width", [1280, 360])
def test_the_same_by_keys_alone(chrome: Browser, hub: Hub, owner: str, prefix: str, width: int) -> None:
    """Each stop on the way is seen, also in a window that is enlarged as far as it goes."""
    find = refused_by_1(hub, f"{prefix}_started")
    with walking(chrome, hub.service.url, KeyWalk, width=width) as walk:
        find(walk)
        register_what_was_refused(walk, hub, f"{prefix}_started", owner)


@pytest.mark.parametrize("width", [1280, 360])
def test_the_bar_hides_no_focus_on_the_way_back(chrome: Browser, served: Service, owner: str, width: int) -> None:
    """Shift and Tab lead up a page, where the bar is."""
    with walking(chrome, served.url, KeyWalk, width=width) as walk:
        assert isinstance(walk, KeyWalk)
        walk.open(f"{served.url}/problems/event_type_not_registered")
        walk.goes_back()
        walk.open(f"{served.url}/admin/event-types")
        walk.sign_in(owner)
        walk.goes_back()


def test_a_key_is_rotated_with_an_overlap(chrome: Browser, hub: Hub, owner: str) -> None:
    """Both keys are accepted until it ends; the new one is shown once."""
    former, service = key_of(hub), hub.service

    def status(key: str) -> int:
        return httpx.post(service.url + PATH, json=EVENT, headers={"Authorization": f"Bearer {key}"}).status_code

    with walking(chrome, service.url) as walk:
        walk.open(f"{service.url}/admin")
        walk.sign_in(owner)
        walk.follow("Hubs")
        walk.enter("A part of the name", hub.name)
        walk.press("Search")
        walk.follow(hub.name)
        walk.follow("Rotate the key")
        walk.enter("Hours for which the present key is accepted, too", "2")
        walk.enter("Why", "someone left")
        walk.press("Rotate the key")
        walk.reads("The former key is accepted until")
        key = walk.page.get_by_label("API key", exact=True).inner_text()
        assert {status(former), status(key)} == {201}
        walk.page.reload()
        walk.reads("Nothing was changed")
        assert key not in walk.page.content()
        walk.follow("Hubs")
        walk.enter("A part of the name", hub.name)
        walk.press("Search")
        walk.follow(hub.name)
        walk.reads("The former one is accepted until")
        assert key not in walk.page.content()
        walk.follow("Who changed this hub")
        walk.reads(f"rotate key: hub {hub.name}", "someone left", f"admin:{owner}")
        assert key not in walk.page.content()
    with psycopg.connect(service.database_url) as connection:
        ended = connection.execute(
            "UPDATE hubs SET previous_key_until = now() - interval '1 second' WHERE id = %s", [hub.id]
        )
        assert ended.rowcount == 1
    wait_until(lambda: [status(former) for _ in range(10)] == [401] * 10)
    assert status(key) == 201


def test_a_contract_is_published_rehearsed_activated_and_rolled_back(chrome: Browser, hub: Hub, owner: str) -> None:
    """Each page leads to the next, and both workers follow."""
    service = hub.service
    assert hub.event().status_code == 201

    def statuses() -> set[int]:
        answers = [
            httpx.post(service.url + PATH, json=EVENT | {"mood": "calm"}, headers=hub.client.headers) for _ in range(10)
        ]
        return {answer.status_code for answer in answers}

    assert statuses() == {422}
    with walking(chrome, service.url) as walk:
        walk.open(f"{service.url}/admin")
        walk.sign_in(owner)
        walk.follow("Contracts")
        walk.follow("Publish a contract")
        walk.enter("Document", document(wider))
        walk.press("Check the document")
        walk.reads("Contract 1.2 may be published", "From 1.1 to 1.2")
        walk.enter("Why", "moods")
        walk.press("Publish 1.2")
        walk.reads("Contract 1.2 is published as a draft.")
        walk.page.get_by_label("Changes since", exact=True).select_option(NEWEST)
        walk.press("Show changes and proofs")
        walk.reads("Every request that the old version accepts is still accepted", "mood")
        walk.follow("Contract 1.2")
        walk.press("Rehearse 1.2")
        while "would newly fail." not in walk.text():
            walk.follow("Look again")
        walk.reads("submissions would newly fail.", "None of ")
        walk.follow("Contract 1.2")
        walk.follow("Activate 1.2")
        walk.reads("in place of 1.1", "none would newly fail.")
        walk.enter("Type the version to confirm: 1.2", "1.2")
        walk.press("Activate 1.2")
        walk.reads("It governs major version 1.")
        wait_until(lambda: statuses() == {201})
        walk.follow("Roll back 1.2")
        walk.enter("Why", "no more moods")
        walk.enter("Type the version to confirm: 1.2", "1.2")
        walk.press("Roll back 1.2")
        walk.reads("1.1 governs major version 1", "no more moods", f"admin:{owner}")
    wait_until(lambda: statuses() == {422})


def test_a_type_of_a_manifest_is_approved(chrome: Browser, hub: Hub, owner: str, prefix: str) -> None:
    """What was rejected while it waited is stored."""
    name = f"{prefix}.scored"
    assert hub.manifest([entry(name)]).status_code == 200
    assert hub.event(event_type=name).status_code == 422
    with walking(chrome, hub.service.url) as walk:
        walk.open(f"{hub.service.url}/admin")
        walk.sign_in(owner)
        walk.follow("Event types")
        walk.reads("Waiting for approval", "1 event was rejected meanwhile")
        walk.follow(name)
        walk.reads("It waits for approval", f"{hub.name} (once)")
        walk.tick("Once it is approved, replay what was rejected with its name")
        walk.press(f"Approve {name}")
        walk.waits("All are stored.")
        walk.follow("Event types")
        walk.enter("A part of the name", name)
        walk.press("Search")
        expect(walk.page.get_by_role("row", name=name)).to_contain_text("active")
    wait_until(lambda: hub.event(event_type=name).status_code in {200, 201})
    assert stored(hub) == 2


def test_an_admin_who_is_demoted_is_told_the_role(chrome: Browser, served: Service, owner: str) -> None:
    """At the next click, without a new sign-in."""
    make_admin(served, "dora", "owner")
    with walking(chrome, served.url) as dora, walking(chrome, served.url) as olga:
        dora.open(f"{served.url}/admin/contracts")
        dora.sign_in("dora")
        olga.open(f"{served.url}/admin/admins")
        olga.sign_in(owner)
        olga.page.get_by_label("Role of dora", exact=True).select_option("viewer")
        with olga.page.expect_navigation():
            olga.page.get_by_role("row", name="dora").get_by_role("button", name="Change").click()
        expect(olga.page.get_by_role("status")).to_contain_text("dora")
        assert dora.follow("Publish a contract").status == 403
        dora.reads("This needs the role editor", "Nothing was changed.")
        assert "dora, viewer" in dora.page.locator("header.bar").inner_text()
        assert dora.follow("Overview").status == 200


def test_a_replay_outlives_the_tab_that_began_it(chrome: Browser, hub: Hub, owner: str, prefix: str) -> None:
    """A thousand events are stored, though nobody looks."""
    name, service = f"{prefix}_started", hub.service
    lines = [hub.client.build_request("POST", "/", json=EVENT | {"event_type": name}).content] * MANY
    answer = httpx.post(
        f"{service.url}{PATH}/batch", content=b"\n".join(lines), headers={**hub.client.headers, **NDJSON}, timeout=60
    )
    assert answer.status_code == 422
    with service.database.begin() as connection:
        event_types.register(connection, name)
    with walking(chrome, service.url) as walk:
        walk.open(f"{service.url}/admin")
        walk.sign_in(owner)
        walk.follow("Rejected")
        walk.enter("Hub", hub.name)
        walk.press("Search")
        walk.press(f"Replay all {MANY:,} of this filter")
        walk.reads("Left")
        assert stored(hub) < MANY
        walk.page.close()
        wait_until(lambda: stored(hub) == MANY, 120)
        walk.page = walk.page.context.new_page()
        walk.open(f"{service.url}/admin")
        walk.follow("Rejected")
        walk.reads(f"{MANY:,} stored of {MANY:,}")
