"""What Schemathesis cannot know from the contract: which names are registered. Loaded by Schemathesis itself."""

from typing import Any

import schemathesis

from scripts.demonstration import WIDGET


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Give a body that the schema accepts the name of a widget and of an event type that are registered."""
    if case.meta is not None and case.meta.generation.mode.is_positive and isinstance(case.body, dict):
        case.body.update(widget_id=str(WIDGET), event_type="clicked")
