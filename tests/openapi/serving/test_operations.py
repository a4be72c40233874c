"""Which functions an operationId may name."""

import sys
from types import ModuleType

import pytest

from handlers.interaction_events import create
from openapi.contract import ContractError, published
from openapi.serving.operations import handler


def test_an_operation_id_names_a_handler() -> None:
    """The name of a coroutine function in a module of handlers gives that function."""
    assert handler("handlers.interaction_events.create") is create


def test_each_published_operation_has_a_handler() -> None:
    """Every operationId of the documents of this release can be served."""
    for contract in published():
        for operation in contract.operations:
            assert handler(operation.operation_id).__module__.startswith("handlers.")


@pytest.mark.parametrize(
    ("operation_id", "message"),
    [
        pytest.param("", "is not of the form", id="empty"),
        pytest.param("create", "is not of the form", id="no module"),
        pytest.param("handlers.create", "is not of the form", id="no module within handlers"),
        pytest.param("os.path.basename", "is not of the form", id="the standard library"),
        pytest.param("openapi.access_log.AccessLog", "is not of the form", id="another room"),
        pytest.param("handlersx.interaction_events.create", "is not of the form", id="a name that begins alike"),
        pytest.param("x.handlers.interaction_events.create", "is not of the form", id="a name that ends alike"),
        pytest.param("handlers.interaction_events.create\n", "is not of the form", id="a line break after it"),
        pytest.param("handlers..create", "is not of the form", id="an empty part"),
        pytest.param("handlers.interaction_events._event", "is not of the form", id="a private function"),
        pytest.param("handlers.__init__.create", "is not of the form", id="a name with underscores"),
        pytest.param("handlers.interaction_events.Answer", "is not of the form", id="a class"),
        pytest.param("handlers.nothing.create", "names no module of handlers", id="an unknown module"),
        pytest.param(
            "handlers.interaction_events.deeper.create", "names no module of handlers", id="a module within one"
        ),
        pytest.param("handlers.security.authentication.authenticate", "names no handler", id="a function of a key"),
        pytest.param("handlers.site.health.live", "names no handler", id="a function of another request"),
        pytest.param(None, "is not of the form", id="none"),
        pytest.param("handlers.interaction_events.destroy", "names no handler", id="an unknown function"),
        pytest.param("handlers.interaction_events.problems", "names no handler", id="an imported module"),
        pytest.param(
            "handlers.contracts.lifecycle.governing", "names no handler", id="a function that is no coroutine function"
        ),
    ],
)
def test_an_operation_id_reaches_nothing_else(operation_id: str | None, message: str) -> None:
    """Whatever is not a public coroutine function of a module of handlers is refused by its name."""
    with pytest.raises(ContractError, match=message) as caught:
        handler(operation_id)
    assert repr(operation_id) in str(caught.value)


def test_a_handler_is_reached_only_where_it_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A coroutine function that a module of handlers only imports is not one of its handlers."""
    borrowing = ModuleType("handlers.borrowing")
    vars(borrowing)["create"] = create
    monkeypatch.setitem(sys.modules, "handlers.borrowing", borrowing)
    with pytest.raises(ContractError, match=r"'handlers\.borrowing\.create' names no handler"):
        handler("handlers.borrowing.create")
