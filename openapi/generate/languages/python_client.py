"""A client for Python 3.11 and later: a class for each resource, with a method for each operation.

Whatever a template writes was made harmless here: identifiers, literals, types and docstrings.
"""

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openapi.generate import comments, layout, template_files
from openapi.generate.client_model import Argument, ClientModel, ClientOperation
from openapi.generate.identifiers import shortened, untaken
from openapi.generate.languages import python_types
from openapi.generate.languages.python_types import literal
from openapi.generate.names import pascal, snake
from openapi.generate.types import Either, ListOf, MapOf, Named, Type

_HIDING = {"str", "int", "float", "bool", "dict", "types"}
"""Names in annotations: a method of such a name would hide it from the methods after it."""
CURSOR = '"cursor"'
_OF_CLIENT = {"caller", "client", "close", "stale"}
_OF_METHODS = {"self", "body", "idempotency_key", "poll", "items", "at", "run"}
RUNTIME = Path(__file__).parents[2] / "clients" / "python"
_RUNTIME_NAME = "openapi.clients.python"
_CREDENTIALS = {
    "bearer": "api_key=key",
    "header": "api_key=key",
    "oauth2": "client_id=client, client_secret=secret",
    "none": "",
}
_MODULES = {
    "client.py": "client",
    "resources.py": "resources",
    "async_resources.py": "async_resources",
    "outbox.py": "outbox",
}


def emit(model: ClientModel, package: str, shared: str = "") -> Mapping[str, str]:
    """The modules that are made from `model`, by file name, for a package of the name `package`.

    What no document changes is in the package `shared`, or in the same one.
    """
    values = _values(model, package) | {"runtime": shared or package}
    files = {
        name: layout.without_unused_imports(template_files.render(f"python/{template}.py.jinja", values))
        for name, template in _MODULES.items()
        if model.kinds or name != "outbox.py"
    }
    files["__init__.py"] = template_files.render("python/package.py.jinja", values)
    return {**files, "types.py": python_types.emit(model.types, model.about)}


def readme(model: ClientModel, package: str) -> str:
    """The README of the package, in Markdown."""
    return template_files.render("python/README.md.jinja", _values(model, package))


def runtime(package: str) -> Mapping[str, str]:
    """The modules that no document changes, by file name, for a package of the name `package`."""
    return {
        str(path.relative_to(RUNTIME)): path.read_text("utf-8").replace(_RUNTIME_NAME, package)
        for path in sorted(RUNTIME.rglob("*.py"))
        if path != RUNTIME / "__init__.py"
    }


def _values(model: ClientModel, package: str) -> dict[str, Any]:
    """What the templates write."""
    names = python_types.names(model.types)
    return {
        "joined": layout.joined,
        "head": comments.docstring(model.about, ""),
        "title": " ".join(comments.lines(model.title)),
        "contract_version": " ".join(comments.lines(model.version)),
        "package": package,
        "model": model,
        "credentials": _CREDENTIALS[model.security.kind],
        "sample": _sample(model.sample),
        "security": {
            "kind": model.security.kind,
            "header": literal(model.security.header),
            "token_url": literal(model.security.token_url),
        },
        "resources": [_Resource(name, listed, names) for name, listed in model.resources.items()],
        "kinds": [_Method(operation, names) for operation in model.kinds],
        "version": literal(model.version),
        "digest": literal(model.digest),
    }


def _sample(item: Mapping[str, Any]) -> str:
    """An item as code, on lines of their own; nothing in it can end a block of code in Markdown."""
    if "`" in str(item):
        return "{}"
    return layout.joined("{", [f"{literal(name)}: {literal(value)}" for name, value in item.items()], "}", 16)


class _Resource:
    """The code of the operations of a resource."""

    def __init__(self, name: str, operations: list[ClientOperation], names: Mapping[tuple[str, ...], str]) -> None:
        self.attribute = identifier(name, _OF_CLIENT)
        self.class_name = f"{pascal(self.attribute)}Resource"
        self.methods = [_Method(operation, names) for operation in operations]
        taken = {method.name for method in self.methods}
        for method in self.methods:
            method.all = identifier(f"{method.name}_all", taken)
            method.each = identifier(f"{method.name}_each", taken)
            method.follow = identifier("follow" if method.name == "list" else f"follow_{method.name}", taken)
        self.names = ", ".join(f"`{call}`" for method in self.methods for call in method.calls)
        self.about = comments.docstring(f"The operations of {self.attribute}.", "    ")


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A parameter of a method: its name and type in the code, and the literal of its name in the document."""

    name: str
    literal: str
    location: str
    annotation: str
    is_required: bool


class _Method:
    """The code of an operation."""

    def __init__(self, operation: ClientOperation, names: Mapping[tuple[str, ...], str]) -> None:
        self._names = names
        self.operation = operation
        self.name = identifier(operation.verb, _HIDING)
        self.all = self.each = self.follow = ""
        self.constant = identifier(f"{operation.resource}__{self.name}".upper(), set())
        self.resource = identifier(operation.resource, _OF_CLIENT)
        self.result = "None" if operation.result is None else self._type(operation.result)
        self.line = operation.stream and self._type(operation.stream)
        self.item = operation.page_item and self._type(operation.page_item)
        self.batch = operation.batch
        self.batch_item = operation.batch and self._type(operation.batch.item)
        self.batch_result = operation.batch and self._type(operation.batch.result)
        self.has_body = operation.body is not None
        self._parameters = self._parameters_of(operation.arguments)

    @property
    def calls(self) -> list[str]:
        """The names of its methods."""
        more = [self.all, self.follow] if self.item else [self.each] if self.batch else []
        return [self.name, *more]

    @property
    def docstring(self) -> str:
        """What the document says of the operation."""
        return comments.docstring(self.operation.text, "        ")

    @property
    def description(self) -> list[str]:
        """The arguments that make an Operation."""
        operation = self.operation
        values = [literal(operation.name), literal(operation.method), literal(operation.path)]
        values += ["takes_key=True"] * operation.takes_key + ["takes_gzip=True"] * operation.takes_gzip
        values += [f"accept={operation.accept!a}"] if operation.accept != "application/json" else []
        values += [f"media_type={operation.body_media_type!a}"] if self.has_body else []
        values += [] if operation.needs_credentials else ["needs_credentials=False"]
        return values

    @property
    def parameters(self) -> list[str]:
        """The parameters of the method: those of the path and the body by place, the others by name."""
        by_place = [f"{each.name}: {each.annotation}" for each in self._parameters if each.location == "path"]
        by_place += [self._body()] if self.has_body else []
        by_name = [
            f"{each.name}: {each.annotation}{'' if each.is_required else ' | None = None'}"
            for each in self._parameters
            if each.location != "path"
        ]
        by_name += ["idempotency_key: str | None = None"] if self.operation.takes_key else []
        return ["self", *by_place, *(["*", *by_name] if by_name else [])]

    @property
    def parameters_to_follow(self) -> list[str]:
        """`parameters`, and how often to ask, in seconds."""
        return [*self.parameters, *([] if "*" in self.parameters else ["*"]), "poll: float = 2.0"]

    def sent(self, cursor: str = "") -> list[str]:
        """The arguments of a call; with `cursor`, an expression, in place of the parameter of that name."""
        values = [self.constant, *(["body"] if self.has_body else [])]
        for location, argument in (("path", "path"), ("query", "query"), ("header", "headers")):
            pairs = [
                f"{each.literal}: {cursor if cursor and each.literal == CURSOR else each.name}"
                for each in self._parameters
                if each.location == location
            ]
            if location == "header" and self.operation.takes_key:
                pairs.append('"Idempotency-Key": idempotency_key')
            values += [layout.joined(f"{argument}={{", pairs, "}", 4)] if pairs else []
        return values

    @property
    def passed(self) -> list[str]:
        """The parameters of the method, given to another one with the same."""
        values = [each.name for each in self._parameters if each.location == "path"]
        values += ["body"] if self.has_body else []
        values += [f"{each.name}={each.name}" for each in self._parameters if each.location != "path"]
        values += ["idempotency_key=idempotency_key"] if self.operation.takes_key else []
        return values

    def _body(self) -> str:
        annotation = self._type(self.operation.body) if self.operation.body is not None else "None"
        return f"body: {annotation}" if self.operation.body_is_required else f"body: {annotation} | None = None"

    def _parameters_of(self, arguments: tuple[Argument, ...]) -> list[_Parameter]:
        taken = set(_OF_METHODS)
        result = []
        for argument in arguments:
            name = identifier(snake(argument.property.name) or argument.property.name, taken, argument.location)
            taken.add(name)
            annotation = self._type(argument.property.type)
            name_literal = literal(argument.property.name)
            result.append(_Parameter(name, name_literal, argument.location, annotation, argument.property.is_required))
        return result

    def _type(self, content: Type) -> str:
        """A type as an annotation: what is sent may be any sequence, and a declared type is in its module."""
        match content:
            case Named(pointer):
                return f"types.{self._names[pointer]}"
            case ListOf(items):
                return f"Sequence[{self._type(items)}]"
            case MapOf(values):
                return f"Mapping[str, {self._type(values)}]"
            case Either(options):
                return " | ".join(self._type(option) for option in options)
        return python_types.simple(content)


def identifier(name: str, taken: set[str], suffix: str = "") -> str:
    """`name` as a name of a class, a method or a parameter that is not in `taken`, the same in every version."""
    fitting = shortened(re.sub(r"\W", "_", name, flags=re.ASCII), name)
    return untaken(f"{fitting}_" if keyword.iskeyword(fitting) else fitting, name, taken, suffix)
