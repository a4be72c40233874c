"""What is done after a type was registered: the replay of what was rejected for it, if the form asks for it."""

from starlette.responses import Response

from db.errors import Refused
from db.rejections import RejectionFilter
from handlers.admin.rejections.replay_pages import path_of, start_replay
from handlers.admin.visits import Visit
from openapi.problems import Problem


async def go_on(visit: Visit, path: str, name: str, done: str) -> Response:
    """Lead to the replay, if one was asked for and has begun, else to `path`; the page says what was `done`.

    The type stays registered whatever becomes of the replay.
    """
    if not visit.form.text("replay"):
        return await visit.go_on(path, done)
    try:
        identifier = await start_replay(visit, RejectionFilter(event_type=name))
    except Refused:
        return await visit.go_on(path, f"{done} Nothing that was rejected with this name waits.")
    except Problem as problem:
        return await visit.go_on(path, f"{done} What was rejected is not replayed: {problem.error}.", "asks")
    return await visit.go_on(path_of(identifier), f"{done} What was rejected for it is being replayed.")
