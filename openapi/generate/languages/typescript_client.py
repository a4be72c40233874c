"""A client for TypeScript and JavaScript: modules (ESM) with declarations, so that nothing needs to be built.

Whatever a template writes was made harmless here: identifiers, literals, types and comments.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from openapi.generate import comments, layout, template_files
from openapi.generate.client_model import Argument, ClientModel, ClientOperation, Security
from openapi.generate.identifiers import digits_of, shortened, untaken
from openapi.generate.languages import typescript_types
from openapi.generate.names import camel, pascal, snake
from openapi.generate.types import Type

RUNTIME = Path(__file__).parents[2] / "clients" / "typescript"
_OF_CLASSES = {"constructor", "then"}
"""Names that a method cannot have; an object with `then` is taken for a promise."""
_OF_CLIENT = {*_OF_CLASSES, "caller", "close", "stale"}
_OF_METHODS = {"body", "options", "idempotencyKey", "items", "fetch", "pollMs", *typescript_types.RESERVED}
_CREDENTIALS = {
    "bearer": "{ apiKey: key }",
    "header": "{ apiKey: key }",
    "oauth2": "{ clientId: id, clientSecret: secret }",
    "none": "{}",
}
_CLASSES = {"bearer": "Key", "header": "Key", "oauth2": "Key, Tokens", "none": "NoCredentials"}
_FILES = ("index.js", "index.d.ts", "client.js", "client.d.ts", "resources.js", "resources.d.ts", "README.md")
_OUTBOX = ("outbox.js", "outbox.d.ts")


def emit(model: ClientModel, package: str) -> Mapping[str, str]:
    """The files that are made from `model`, by name, for a package of the name `package`."""
    values = _values(model, package)
    names = (*_FILES, *_OUTBOX) if model.kinds else _FILES
    files = {name: template_files.render(f"typescript/{name}.jinja", values) for name in names}
    for stem in ("index", "outbox") if model.kinds else ("index",):
        in_browser = {**values, "is_browser": True}
        files[f"{stem}_browser.js"] = template_files.render(f"typescript/{stem}.js.jinja", in_browser)
    return {**files, "types.d.ts": typescript_types.emit(model.types, model.about) + "\nexport {};\n"}


def runtime() -> Mapping[str, str]:
    """The files that no document changes, by name."""
    return {
        str(path.relative_to(RUNTIME)): path.read_text("utf-8")
        for path in sorted(RUNTIME.rglob("*"))
        if path.suffix in {".js", ".ts"}
    }


def literal(text: str) -> str:
    """A literal that no text can end, nor the script of a page around it."""
    return json.dumps(text).replace("</", "<\\/")


def identifier(name: str, taken: set[str], suffix: str = "") -> str:
    """`name` as a name of a class, a method or a parameter that is not in `taken`, the same in every version."""
    return untaken(shortened(re.sub(r"[^A-Za-z0-9]", "_", camel(name) or name), name), name, taken, suffix)


def _values(model: ClientModel, package: str) -> dict[str, Any]:
    """What the templates write."""
    known = typescript_types.names(model.types)
    names = {pointer: f"types.{name}" for pointer, name in known.items()}
    return {
        "joined": partial(layout.joined, step=2),
        "head": comments.of_typescript(model.about, ""),
        "title": " ".join(comments.lines(model.title)),
        "contract_version": " ".join(comments.lines(model.version)),
        "package": package,
        "model": model,
        "credentials": _CREDENTIALS[model.security.kind],
        "security": _security(model.security),
        "resources": _resources(model, names),
        "kinds": [_Method(operation, names) for operation in model.kinds],
        "sample": _sample(model.sample),
        "is_browser": False,
        "version": literal(model.version),
        "digest": literal(model.digest),
    }


def _sample(item: Mapping[str, Any]) -> str:
    """An item as code, on lines of its own; nothing in it can end a block of code in Markdown."""
    if "`" in str(item):
        return "{}"
    return layout.joined("{", [f"{literal(str(name))}: {json.dumps(value)}" for name, value in item.items()], "}", 0, 2)


def _security(security: Security) -> Mapping[str, str]:
    return {
        "kind": security.kind,
        "classes": _CLASSES[security.kind],
        "arguments": f', {literal(security.header)}, ""' if security.kind == "header" else "",
        "token_url": literal(security.token_url),
    }


def _resources(model: ClientModel, names: Mapping[tuple[str, ...], str]) -> list["_Resource"]:
    """The resources, whose classes have names of their own."""
    resources: list[_Resource] = []
    attributes, classes = set(_OF_CLIENT), set[str]()
    for name, operations in model.resources.items():
        attribute = identifier(name, attributes)
        stem = _pascal(attribute, classes)
        attributes.add(attribute)
        classes.add(stem)
        resources.append(_Resource(attribute, stem, [_Method(operation, names) for operation in operations]))
    return resources


def _pascal(name: str, taken: set[str]) -> str:
    """`name` with a capital at its beginning, and digits of its own if that is taken."""
    stem = pascal(name)
    return stem if stem not in taken else f"{stem}_{digits_of(name)}"


class _Resource:
    """The code of the operations of a resource."""

    def __init__(self, attribute: str, stem: str, methods: list["_Method"]) -> None:
        self.attribute = attribute
        self.class_name = f"{stem}Resource"
        self.methods = methods
        taken, interfaces = {method.name for method in methods}, set[str]()
        for method in methods:
            method.all = identifier(f"{method.name}_all", taken)
            method.each = identifier(f"{method.name}_each", taken)
            method.follow = identifier("follow" if method.name == "list" else f"follow_{method.name}", taken)
            interface = _pascal(method.name, interfaces)
            interfaces.add(interface)
            method.interface = f"{stem}_{interface}_Options" if "_" in interface else f"{stem}{interface}Options"
        self.calls = ", ".join(f"`{call}`" for method in methods for call in method.calls)


@dataclass(frozen=True, slots=True)
class _Field:
    """A parameter that is given by name: its comment, its name, `?` if it may be absent, and its type."""

    comment: str
    name: str
    mark: str
    type: str


class _Method:
    """The code of an operation."""

    def __init__(self, operation: ClientOperation, names: Mapping[tuple[str, ...], str]) -> None:
        self._names = names
        self.operation = operation
        self.name = identifier(operation.verb, _OF_CLASSES)
        self.all = self.each = self.follow = self.interface = ""
        self.constant = re.sub(r"\W", "_", f"{snake(operation.resource)}__{snake(self.name)}", flags=re.ASCII).upper()
        if not operation.resource.isascii() or not operation.verb.isascii() or not self.constant[:1].isalpha():
            self.constant = f"OPERATION_{digits_of(operation.method + operation.path).upper()}"
        self.line = operation.stream and self._type(operation.stream)
        value = "null" if operation.result is None else self._type(operation.result)
        self.result = f"Stream<{self.line}>" if self.line else value
        self.item = operation.page_item and self._type(operation.page_item)
        self.batch = operation.batch
        self.batch_item = operation.batch and self._type(operation.batch.item, "ReadonlyArray")
        self.batch_result = operation.batch and self._type(operation.batch.result)
        self.kind = literal(camel(operation.resource))
        self.key_field = literal(operation.batch.key_field if operation.batch else "")
        self.time_field = literal(operation.batch.time_field if operation.batch else "")
        self.body = "body" if operation.body is not None else "undefined"
        self._arguments = _named(operation.arguments)

    @property
    def calls(self) -> list[str]:
        """The names of its methods."""
        more = [self.all, self.follow] if self.item else [self.each] if self.batch else []
        return [self.name, *more]

    @property
    def comment(self) -> str:
        """What the document says of the operation."""
        return comments.of_typescript(self.operation.text, "  ")

    @property
    def description(self) -> list[str]:
        """The properties of its Operation."""
        operation = self.operation
        values = {"name": operation.name, "method": operation.method, "path": operation.path}
        values |= {"accept": operation.accept} if operation.accept != "application/json" else {}
        values |= {"mediaType": operation.body_media_type} if operation.body is not None else {}
        pairs = [f"{name}: {literal(value)}" for name, value in values.items()]
        pairs += ["takesKey: true"] * operation.takes_key + ["takesGzip: true"] * operation.takes_gzip
        pairs += [] if operation.needs_credentials else ["needsCredentials: false"]
        parameters = [
            f"{name}: [{literal(argument.location)}, {literal(argument.property.name)}]"
            for name, argument in self._arguments.items()
        ]
        parameters += ['idempotencyKey: ["header", "Idempotency-Key"]'] if operation.takes_key else []
        return [*pairs, layout.joined("parameters: {", parameters, "}", 2, 2)]

    @property
    def limits(self) -> str:
        """What a request of a batch may have."""
        batch = self.batch
        if batch is None:
            return ""
        sizes = f"bytes: {batch.max_bytes}, bytesOfItem: {batch.max_item_bytes}"
        return f"{{ items: {batch.max_items}, {sizes} }}"

    @property
    def names(self) -> str:
        """The parameters that are given by place, each with a comma after it."""
        return "".join(f"{name}, " for name in [*self._in_path, *(["body"] if self.body == "body" else [])])

    @property
    def options(self) -> str:
        """The values of a call."""
        return f"{{ ...options, {', '.join(self._in_path)} }}" if self._in_path else "options"

    @property
    def cursor(self) -> str:
        """The option that has the cursor of a list."""
        return next((name for name, each in self._arguments.items() if each.property.name == "cursor"), "")

    @property
    def fields(self) -> list[_Field]:
        """The parameters that are given by name."""
        fields = [
            _Field(
                comments.of_typescript(each.property.description, "  "),
                name,
                "" if each.property.is_required else "?",
                self._type(each.property.type, "ReadonlyArray") + ("" if each.property.is_required else " | undefined"),
            )
            for name, each in self._arguments.items()
            if each.location != "path"
        ]
        own = _Field("  /** Made for each call by default. */\n", "idempotencyKey", "?", "string | undefined")
        return [*fields, *([own] if self.operation.takes_key else [])]

    @property
    def parameters(self) -> list[str]:
        """The parameters of the method, with their types."""
        return self._parameters(self.interface if self.fields else "")

    @property
    def parameters_to_follow(self) -> list[str]:
        """`parameters`, and how often to ask."""
        own = f"{self.interface} & " if self.fields else ""
        return self._parameters(f"{own}{{ pollMs?: number | undefined }}")

    @property
    def _in_path(self) -> list[str]:
        return [name for name, each in self._arguments.items() if each.location == "path"]

    def _parameters(self, options: str) -> list[str]:
        by_place = [f"{name}: {self._type(self._arguments[name].property.type)}" for name in self._in_path]
        body = self.operation.body
        if body is not None:
            mark = "" if self.operation.body_is_required else " | undefined"
            by_place.append(f"body: {self._type(body, 'ReadonlyArray')}{mark}")
        mark = "" if any(not field.mark for field in self.fields) else "?"
        return [*by_place, *([f"options{mark}: {options}"] if options else [])]

    def _type(self, content: Type, array: str = "Array") -> str:
        return typescript_types.annotation(content, self._names, array)


def _named(arguments: tuple[Argument, ...]) -> dict[str, Argument]:
    """The parameters by their names in the code."""
    result: dict[str, Argument] = {}
    for argument in arguments:
        name = identifier(argument.property.name, {*_OF_METHODS, *result}, argument.location)
        result[name] = argument
    return result
