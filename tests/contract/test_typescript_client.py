"""The client for TypeScript, judged by its compiler."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from openapi.contract import Document
from openapi.generate.client_operations import client_model
from openapi.generate.languages import packages
from openapi.generate.languages.typescript_client import RUNTIME
from tests.examples import MAJOR, NEWEST, WIDGET
from tests.node_programs import Programs
from tests.openapi.clients.typescript.programs import programs, unpack
from tests.openapi.generate import hostile
from tests.service import CONTRACTS, Service
from tests.tokens import client_of

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("generators")]

STRICT = ("--strict", "--noEmit", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--target", "es2022")
RESOLUTIONS = {
    "nodenext": ("--module", "nodenext"),
    "bundler": ("--module", "esnext", "--moduleResolution", "bundler"),
}
PLATFORM = ("--lib", "es2023,dom,dom.iterable,dom.asynciterable", "--types", "node", "--allowJs", "--checkJs")
SOURCES: dict[str, Document] = {**CONTRACTS, "hostile": Document("", hostile.document())}
CREDENTIALS = {NEWEST: '{ apiKey: async () => "key" }', MAJOR: '{ clientId: "c", clientSecret: "s" }'}
USES = """\
import {{ Client, errors, type Items, Outbox, type types }} from "./package/index.js";
const client = new Client("https://reports.example", {{ ...{credentials}, timeoutMs: 1000 }});
const about = {{ widget_id: "w", event_type: "clicked", occurred_at: "t" }};
const event: types.InteractionEvent = {{ ...about, metadata: {{ a: [null] }} }};
const annotation: types.Annotation = {{ widget_id: "w", category: "comment", body: "b" }};
const stored: types.StoredInteractionEvent = await client.interactionEvents.report(event, {{ prefer: "dry-run" }});
const page: types.InteractionEventPage = await client.interactionEvents.list({{ limit: 1, widgetId: undefined }});
const all: Items<types.InteractionEventRecord> = client.interactionEvents.listAll({{ cursor: page.next_cursor }});
for await (const each of client.interactionEvents.follow({{ pollMs: 5 }})) each.id.length;
for await (const each of await client.interactionEvents.export({{ format: "ndjson" }})) each.widget_id.length;
for await (const each of client.interactionEvents.reportBatchEach([event])) each.index.toFixed();
const readonly: readonly types.InteractionEvent[] = [event];
await client.interactionEvents.reportBatch(readonly, {{ idempotencyKey: stored.id }});
await client.interactionEvents.get(stored.id);
await client.annotations.report(annotation);
await client.annotations.reportBatch([annotation]);
for await (const each of client.annotations.reportBatchEach([annotation])) each.status;
await client.annotations.list();
await client.annotations.get("id");
for await (const chunk of (await client.annotations.export({{ format: "csv" }})).chunks()) chunk.byteLength;
await client.eventTypes.list();
await client.widgets.list();
await client.hubCapabilityManifest.get();
await client.hubCapabilityManifest.put({{}} as types.HubCapabilityManifest);
await client.rejectedSubmissions.list();
await client.rejectedSubmissions.get("id");
await client.rejectedSubmissions.replay({{}} as never);
(await client.usage.get({{ since: "2026-01-01" }})) satisfies types.Usage;
const error: unknown = all.cursor ?? client.stale();
const outbox = await Outbox.open(client, {{ path: "outbox", onRefused: ({{ reason }}) => reason.code }});
const key: string = await outbox.add(event);
await outbox.add(annotation, "annotations");
await outbox.addAll(new Set([event]));
if (await outbox.flush({{ timeoutMs: 5 }})) (await outbox.counts()).pending.toFixed(key.length);
if (error instanceof errors.TooManyRequests) error.retryAfter?.toFixed();
"""
WRONG_USES = [
    'client.interactionEvents.list({ widget_id: "x" });',
    'client.interactionEvents.report({ ...event, actor_type: "robot" });',
    "client.interactionEvents.export();",
    'client.interactionEvents.export({ format: "xml" });',
    "client.interactionEvents.reportBatch(event);",
    'new Client("https://reports.example", {});',
    "client.interactionEvents.get(1);",
    "outbox.add(annotation);",
    'outbox.add(event, "annotations");',
    "Outbox.open(client, {});",
    "client.interactionEvents.report();",
    'client.interactionEvents.report({ widget_id: "w" });',
    "client.interactionEvents.report(event, { idempotencyKey: 1 });",
    'client.interactionEvents.list({ limit: "5" });',
    'client.interactionEvents.remove("id");',
    'client.annotations.report({ widget_id: "w", category: "bug", body: "b" });',
    "client.hubCapabilityManifest.put({ event_types: [] });",
    "client.usage.get({ since: 5 });",
    "(await client.widgets.list()).items[0]?.colour;",
    "client.stale().version;",
    'Outbox.open(client, { path: "outbox", powerSave: true });',
    "for (const each of client.interactionEvents.listAll()) each.id;",
]
SAME = """\
import type * as declared from "./declared/{module}.js";
import * as written from "./written/{module}.js";
export const same: typeof declared = written;
"""


@pytest.fixture
def directory(node: Programs, tmp_path: Path) -> Path:
    """A directory where the types of Node.js are found."""
    (tmp_path / "node_modules").symlink_to(node.directory / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path


@pytest.mark.parametrize("resolution", RESOLUTIONS)
@pytest.mark.parametrize("name", SOURCES)
def test_the_declarations_are_accepted(name: str, resolution: str, node: Programs, tmp_path: Path) -> None:
    """In both ways of finding modules, and without the types of a platform."""
    unpack(packages.npm_tarball(client_model(SOURCES[name])), tmp_path)
    declarations = sorted(tmp_path.rglob("*.d.ts"))
    alone = ("--lib", "es2022", "--typeRoots", str(tmp_path))
    node.run_tool("tsc", *STRICT, *RESOLUTIONS[resolution], *alone, *declarations)


@pytest.mark.parametrize("resolution", RESOLUTIONS)
@pytest.mark.parametrize("version", [NEWEST, MAJOR])
def test_each_operation_can_be_called(version: str, resolution: str, node: Programs, tmp_path: Path) -> None:
    """With the right types; each wrong use is refused."""
    unpack(packages.npm_tarball(client_model(CONTRACTS[version])), tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    uses = USES.format(credentials=CREDENTIALS[version])
    (tmp_path / "uses.ts").write_text(uses + "export {};\n")
    arguments = (*STRICT, *RESOLUTIONS[resolution], "--lib", "es2022", "--typeRoots", str(tmp_path))
    node.run_tool("tsc", *arguments, tmp_path / "uses.ts")
    (tmp_path / "uses.ts").write_text(uses + "\n".join(WRONG_USES) + "\nexport {};\n")
    with pytest.raises(AssertionError) as refused:
        node.run_tool("tsc", *arguments, tmp_path / "uses.ts")
    first = uses.count("\n") + 1
    lines = {
        int(line.partition("(")[2].partition(",")[0]) for line in str(refused.value).splitlines() if ".ts(" in line
    }
    assert lines == set(range(first, first + len(WRONG_USES)))


def test_the_modules_have_no_fault_in_their_types(node: Programs, directory: Path) -> None:
    """JavaScript with types in its comments."""
    unpack(packages.npm_tarball(client_model(CONTRACTS[NEWEST])), directory)
    made = {"client.js", "resources.js", "outbox.js", "index_browser.js", "outbox_browser.js"}
    modules = [path for path in (directory / "package").rglob("*.js") if path.name not in made]
    node.run_tool("tsc", *STRICT[:3], "--target", "es2022", *RESOLUTIONS["nodenext"], *PLATFORM, *modules)


def test_the_declarations_say_what_the_modules_have(node: Programs, directory: Path) -> None:
    """Each module that has declarations is assignable to them."""
    for folder, kept in (("declared", ".d.ts"), ("written", ".js")):
        shutil.copytree(RUNTIME, directory / folder)
        for path in (directory / folder).rglob("*.*s"):
            if not path.name.endswith(kept):
                path.unlink()
    names = []
    for path in sorted((directory / "declared").rglob("*.d.ts")):
        module = str(path.relative_to(directory / "declared")).removesuffix(".d.ts")
        names.append(directory / f"same_{module.replace('/', '_')}.ts")
        names[-1].write_text(SAME.format(module=module))
    assert len(names) >= 4
    node.run_tool("tsc", "--strict", "--noEmit", "--target", "es2022", *RESOLUTIONS["nodenext"], *PLATFORM, *names)


def test_node_runs_nothing_of_a_hostile_document(node: Programs, tmp_path: Path) -> None:
    """Its client is imported, and has a method for each operation."""
    unpack(packages.npm_tarball(client_model(SOURCES["hostile"])), tmp_path)
    program = (
        'import("./package/index.js").then(({ Client }) => console.log(Object.keys(new Client("http://x")).length,'
    )
    program += " globalThis.pwned, globalThis.PWNED));"
    completed = subprocess.run(["node", "-e", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert completed.stdout.split() == [str(1 + len(hostile.NAMES)), "undefined", "undefined"]
    assert node


CREATE = {
    NEWEST: "new Client(given.url, { apiKey: given.key })",
    MAJOR: "new Client(given.url, { clientId: given.id, clientSecret: given.secret })",
}


@pytest.mark.parametrize("version", [NEWEST, MAJOR])
def test_every_operation_is_called(version: str, newest: Service, tmp_path: Path) -> None:
    """Over a socket: each operation of the version, errors, and an outbox."""
    code = (
        f"const client = {CREATE[version]};"
        """
    const called = new Set();
    const { caller } = client;
    for (const name of ["exchange", "open"]) {
      const original = caller[name].bind(caller);
      caller[name] = (call, ...rest) => (called.add((call.operation ?? call).name), original(call, ...rest));
    }
    const { interactionEvents, annotations, hubCapabilityManifest, rejectedSubmissions } = client;
    const at = new Date().toISOString();
    const about = { widget_id: given.widget, event_type: "clicked", occurred_at: at };
    const event = { ...about, metadata: { text: "é".repeat(900) } };
    const { id } = await interactionEvents.report(event);
    const stored = await interactionEvents.get(id);
    show([stored.metadata.text === event.metadata.text, stored.widget_id]);
    show((await interactionEvents.reportBatch([event, event])).results.map(({ status }) => status));
    show((await interactionEvents.reportBatch([event], { prefer: "dry-run" })).results.length);
    const seen = [];
    for await (const each of interactionEvents.listAll({ limit: 1000, widgetId: given.widget })) seen.push(each.id);
    const exported = [];
    for await (const each of await interactionEvents.export({ format: "ndjson" })) exported.push(each.id);
    show([seen.includes(id), exported.includes(id), seen.length === new Set(seen).size]);
    const wrong = await caught(interactionEvents.report({ ...event, event_type: "no such type" }));
    show([wrong.name, wrong.status, wrong.detail !== "", wrong.requestId !== ""]);
    show((await caught(interactionEvents.get("00000000-0000-0000-0000-000000000000"))).name);
    const stranger = new Client(given.url, given.key ? { apiKey: "wrong" } : { token: "wrong" });
    show((await caught(stranger.usage.get())).name);
    const remark = { widget_id: given.widget, category: "comment", body: "b", occurred_at: at };
    const note = await annotations.report(remark);
    show([(await annotations.get(note.id)).body, (await annotations.reportBatch([remark])).totals.created]);
    show([(await annotations.list()).items.length > 0, (await annotations.export({ format: "csv" })) !== null]);
    let size = 0;
    for await (const chunk of (await annotations.export({ format: "csv" })).chunks()) size += chunk.length;
    show(size > 0);
    show([await client.widgets.list(), await client.usage.get(), await client.eventTypes.list()].length);
    show((await caught(hubCapabilityManifest.put({})))?.status);
    const type = { name: `hub.${crypto.randomUUID()}`, description: "A type." };
    await hubCapabilityManifest.put({ event_types: [type], widgets: [] });
    show((await hubCapabilityManifest.get()).event_types[0].name === type.name);
    const rejected = (await rejectedSubmissions.list()).items.at(-1);
    show((await rejectedSubmissions.get(rejected.id)).code === rejected.code);
    show((await caught(rejectedSubmissions.replay({ ids: [rejected.id] }))).status);
    const outbox = await Outbox.open(client, { path: "outbox" });
    await outbox.addAll([event, { ...event, event_type: "no such type" }, event]);
    const isDone = await outbox.close();
    show([isDone, await outbox.counts(), (await outbox.refused()).map(({ reason }) => reason.error !== "")]);
    show([client.stale(), [...called].sort()]);
    """
    )
    oauth = client_of(newest)
    given = {"key": newest.key} if version == NEWEST else {"id": oauth.client_id, "secret": oauth.secret}
    node = programs(tmp_path, version)
    shown = node.run(code, url=f"http://127.0.0.1:{newest.port}", widget=str(WIDGET), **given)
    *others, (is_done, counted, refused), (stale, called) = shown
    expected: list[Any] = [[True, str(WIDGET)], ["created", "created"], 1, [True, True, True]]
    expected += [["UnprocessableContent", 422, True, True], "NotFound", "Unauthorized", ["b", 1], [True, True]]
    expected += [True, 3, 422, True, True, 422]
    assert others == expected
    assert is_done
    assert (counted["sent"], counted["refused"], refused) == (2, 1, [True])
    assert stale == ""
    assert called == sorted(operation.operation_id for operation in CONTRACTS[version].operations)
