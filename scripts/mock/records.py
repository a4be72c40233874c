"""What the hubs of a mock have reported, as they read it by their own lists."""

from collections.abc import AsyncIterator
from typing import Any

from db import hubs, reported
from handlers import annotations, interaction_events, rejected_submissions
from handlers.site.service_state import ServiceState
from openapi.serving.messages import Handler, Request

PAGE = 1000


async def accepted(state: ServiceState) -> dict[str, Any]:
    """The stored events and annotations, each in the order in which they were stored."""
    return {
        "interaction_events": [item async for item in _items(state, interaction_events.list_)],
        "annotations": [item async for item in _items(state, annotations.list_)],
    }


async def rejected(state: ServiceState) -> dict[str, Any]:
    """The rejected submissions in the order in which they arrived, each with its problem and its content."""
    return {"rejected_submissions": [item async for item in _items(state, rejected_submissions.list_, whole=True)]}


async def forget(state: ServiceState) -> None:
    """Forget what was reported, and fill the buckets of the rate limits."""
    for counts in (state.resources.usage, state.version_usage):
        await counts.write()  # or they would be written afterwards
    await state.database.run(reported.forget)
    state.failed_attempts.limits.refill()
    for hub in await state.database.run(hubs.list_all):
        if caller := state.resources.registry.caller(hub.id):
            state.bucket_for(caller).refill()


async def _items(state: ServiceState, list_: Handler, whole: bool = False) -> AsyncIterator[Any]:
    """The items of all pages of a list, of one hub after the other; if `whole`, as they are read one by one."""
    for hub in await state.database.run(hubs.list_all):
        page: dict[str, Any] = {"has_more": True}
        while page["has_more"]:
            cursor = {"cursor": page["next_cursor"]} if "next_cursor" in page else {}
            page = (await list_(_request(state, hub, limit=PAGE, **cursor))).body
            for item in page["items"]:
                yield (await rejected_submissions.get(_request(state, hub, id=str(item["id"])))).body if whole else item


def _request(state: ServiceState, hub: Any, **parameters: Any) -> Request:
    """A request of `hub` without a body."""
    return Request(None, hub, state.resources, "", lambda _operation_id, _body: None, parameters)
