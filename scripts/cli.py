"""The command line `interaction-reporting`, with the table of its commands."""

import gc
import signal
import sys
from typing import Any

import typer

from db.errors import DatabaseError
from openapi.contract import ContractError
from openapi.rendering.terminal import one_line
from scripts.commands.loading import Command, LazyGroup
from scripts.service.settings import SettingsError, table

COMMANDS = {
    "serve": Command("Serve the API until SIGTERM or Ctrl-C.", "scripts.commands.service:serve"),
    "migrate": Command(
        "Migrate the database to this release, and add the contracts to an empty one. `serve` does the same.",
        "scripts.commands.service:migrate",
    ),
    "backup": Command(
        "Write all rows of one instant to a file, while the service runs.", "scripts.commands.backups:backup"
    ),
    "restore": Command(
        "Restore a backup into a new, empty database: all of it, or nothing.", "scripts.commands.backups:restore"
    ),
    "begin-timeline": Command(
        "Let clients learn that the database was put back from a copy of its directory or a snapshot of its disk.",
        "scripts.commands.backups:begin_timeline",
    ),
    "hub": Command("Hubs: the systems that report events."),
    "hub create": Command(
        "Create a hub and print its API key, which is shown only once.", "scripts.commands.accounts.hubs:create"
    ),
    "hub list": Command(
        "List every hub, or those with a part in their names or in a state.", "scripts.commands.accounts.hubs:list_"
    ),
    "hub show": Command(
        "Show how a hub is: its last request, items, clients, origins, manifests and last rejections.",
        "scripts.commands.accounts.hub_reports:show_hub",
    ),
    "hub manifests": Command(
        "List the manifests of a hub, or show what one of them changes against another.",
        "scripts.commands.accounts.hub_reports:manifests",
    ),
    "hub rotate-key": Command(
        "Give a hub a new API key, which is shown only once. The old key is refused at once, or after --overlap.",
        "scripts.commands.accounts.hubs:rotate_key",
    ),
    "hub disable": Command(
        "Refuse a hub's API keys and its clients' tokens from now on. Its events stay.",
        "scripts.commands.accounts.hubs:disable",
    ),
    "hub enable": Command(
        "Accept the API key and the clients of a disabled hub again.", "scripts.commands.accounts.hubs:enable"
    ),
    "hub limit": Command(
        "Set a hub's own rate limit in items per second, with a burst of ten times that, or restore the usual limit.",
        "scripts.commands.accounts.hubs:limit",
    ),
    "hub origins": Command(
        "List, add or remove the origins whose pages may report for a hub from a browser, with access tokens.",
        "scripts.commands.accounts.hubs:origins",
    ),
    "hub issue-client": Command(
        "Issue an OAuth client to a hub and print its secret, which is shown only once.",
        "scripts.commands.accounts.clients:issue_client",
    ),
    "hub accept-client": Command(
        "Let a client of another issuer act for a hub.", "scripts.commands.accounts.clients:accept_client"
    ),
    "hub list-clients": Command("List every OAuth client.", "scripts.commands.accounts.clients:list_clients"),
    "hub rotate-client": Command(
        "Give a client a new secret, which is shown only once. The old secret is accepted for a while.",
        "scripts.commands.accounts.clients:rotate_client",
    ),
    "hub change-client": Command(
        "Change a client's scopes or keys. Its existing tokens lose removed scopes at once.",
        "scripts.commands.accounts.clients:change_client",
    ),
    "hub disable-client": Command(
        "Refuse a client and its tokens from now on.", "scripts.commands.accounts.clients:disable_client"
    ),
    "hub enable-client": Command(
        "Accept a disabled client and its unexpired tokens again.",
        "scripts.commands.accounts.clients:enable_client",
    ),
    "widget": Command("Widgets: the UI elements that events refer to."),
    "widget register": Command("Register a widget.", "scripts.commands.widgets:register"),
    "widget list": Command("List every widget.", "scripts.commands.widgets:list_"),
    "widget retire": Command("Refuse new events about a widget. Stored ones stay.", "scripts.commands.widgets:retire"),
    "event-type": Command("The event type registry."),
    "event-type list": Command("List every event type.", "scripts.commands.event_types:list_"),
    "event-type register": Command(
        "Register an event type, or make a deprecated one active again, or change how long its events are kept.",
        "scripts.commands.event_types:register",
    ),
    "event-type deprecate": Command(
        "Refuse new events of a type. Stored ones stay.", "scripts.commands.event_types:deprecate"
    ),
    "event-type approve": Command(
        "Approve a pending event type from a hub's manifest, or the new definition of an active one.",
        "scripts.commands.event_types:approve",
    ),
    "event-type refuse": Command(
        "Discard a pending event type from a hub's manifest, or the new definition of an active one.",
        "scripts.commands.event_types:refuse",
    ),
    "event-type define": Command(
        "Propose another definition for an event type of the framework; what is left out stays as it is.",
        "scripts.commands.event_types:define",
    ),
    "rejected": Command("Rejected submissions of all hubs."),
    "rejected codes": Command(
        "Count the rejections that wait for a replay, by code: the newest 10,000 of each.",
        "scripts.commands.rejected:codes",
    ),
    "rejected list": Command("List rejections, the newest first.", "scripts.commands.rejected:list_"),
    "rejected show": Command(
        "Show one rejection with its content; bytes that are not UTF-8 are escaped.", "scripts.commands.rejected:show_"
    ),
    "rejected replay": Command(
        "Submit rejections again by a running service, and wait for the end.",
        "scripts.commands.rejected:replay",
    ),
    "admin": Command("Admins: the people who sign in to the pages at /admin."),
    "admin create": Command(
        "Create an admin, who may sign in to /admin from now on.", "scripts.commands.accounts.admins:create"
    ),
    "admin list": Command("List every admin.", "scripts.commands.accounts.admins:list_"),
    "admin set-role": Command(
        "Let an admin do more or less, from their next request on.", "scripts.commands.accounts.admins:set_role"
    ),
    "admin set-password": Command(
        "Give an admin another password, and sign them out everywhere.", "scripts.commands.accounts.admins:set_password"
    ),
    "admin disable": Command(
        "Sign an admin out everywhere, and refuse them from now on.", "scripts.commands.accounts.admins:disable"
    ),
    "admin enable": Command("Let a disabled admin sign in again.", "scripts.commands.accounts.admins:enable"),
    "contract": Command("Contracts: the versions of the API, and which of them are served."),
    "contract draft": Command(
        "Write the document of a new version: an earlier one, in its layout, changed by overlays. It stores nothing.",
        "scripts.commands.contracts.draft:draft",
    ),
    "contract publish": Command(
        "Store a document as a draft if its version number is high enough. A published document is never replaced.",
        "scripts.commands.contracts.contract_lifecycle:publish",
    ),
    "contract activate": Command(
        "Make a contract govern its major version from now on, unless a hub's submission would newly fail.",
        "scripts.commands.contracts.contract_lifecycle:activate",
    ),
    "contract rollback": Command(
        "Make the previously governing contract govern again, or an earlier one if it cannot be served.",
        "scripts.commands.contracts.contract_lifecycle:rollback",
    ),
    "contract withdraw": Command(
        "Let a version that was rolled back, or a draft, bind no later version. What was stored under it stays.",
        "scripts.commands.contracts.withdrawals:withdraw",
    ),
    "contract discard": Command(
        "Delete a draft. Its version number is free again.", "scripts.commands.contracts.withdrawals:discard"
    ),
    "contract deprecate": Command(
        "Announce the end date of a contract to clients in every response.",
        "scripts.commands.contracts.contract_lifecycle:deprecate",
    ),
    "contract retire": Command(
        "Stop serving a deprecated contract. Its clients get 410, which names the version to use instead.",
        "scripts.commands.contracts.contract_lifecycle:retire",
    ),
    "contract history": Command(
        "List every change to a contract: author, time, reason, and the digests of the text before and after.",
        "scripts.commands.contracts.contract_lifecycle:history",
    ),
    "contract diff": Command(
        "Compare two OpenAPI documents by meaning: each change, the version it requires, and the proof of a break.",
        "scripts.commands.contracts.diff:diff",
    ),
    "contract review": Command(
        "Review a changed document: new faults, changes with proofs, the version that they need, "
        "and what is acknowledged.",
        "scripts.commands.contracts.review:review_command",
    ),
    "contract acknowledge": Command(
        "Let changes between two documents pass: write their fingerprints into a file, with a reason and a last day.",
        "scripts.commands.contracts.acknowledge:acknowledge",
    ),
    "contract rules": Command(
        "Print the policy of `contract diff`: the severity of each rule, and the reason.",
        "scripts.commands.contracts.rules:rules",
    ),
    "contract card": Command(
        "Print the reference of a stored version as Markdown: its fields, responses, policy and status.",
        "scripts.commands.contracts.card:card",
    ),
    "contract changelog": Command(
        "Print the changes of each version, newest first. A draft is included only if it is named.",
        "scripts.commands.contracts.card:changelog",
    ),
    "contract rehearse": Command(
        "Try a contract on hubs' stored submissions, and show changed results. Exits 1 on a new failure.",
        "scripts.commands.contracts.rehearsals:rehearse_",
    ),
    "contract list": Command(
        "List every contract in the database, with the digest of its current document.",
        "scripts.commands.contracts.contracts:list_",
    ),
    "contract show": Command(
        "Print the document of a version as it is stored; with --json, as JSON.",
        "scripts.commands.contracts.contracts:show_",
    ),
    "contract status": Command(
        "Show the served contracts, and how rows differ from their published digests and this release's documents.",
        "scripts.commands.contracts.contracts:status",
    ),
    "contract lint": Command(
        "Check documents against the house rules. Exits 1 on any finding, an error or a warning.",
        "scripts.commands.contracts.contracts:lint",
    ),
    "generate": Command("Code for clients, made from a contract or any OpenAPI 3.0 document."),
    "generate types": Command(
        "Write the types of a document for Python and TypeScript: TypedDicts and interfaces, without a dependency.",
        "scripts.commands.generation.types:types",
    ),
    "generate client": Command(
        "Write clients for Python (a wheel) and TypeScript (a tarball for npm): one method for each operation.",
        "scripts.commands.generation.client:client",
    ),
    "generate handlers": Command(
        "Begin a module and a failing test for each operation that no handler serves. Overwrites nothing.",
        "scripts.commands.generation.handlers:handlers",
    ),
    "generate collection": Command(
        "Write a request for each operation, for Postman, Insomnia, Bruno, Hoppscotch, and REST Client of VS Code.",
        "scripts.commands.generation.collection:collection",
    ),
    "migration": Command("The migration of hubs from one major version to the next."),
    "migration status": Command(
        "Show which versions each hub uses, when it last used each, and which hubs the old version's end would break.",
        "scripts.commands.accounts.migration:status",
    ),
    "migration cut-over": Command(
        "Refuse a hub's API key from now on, because the hub uses access tokens. Responses say where to get one.",
        "scripts.commands.accounts.migration:cut_over",
    ),
    "migration undo": Command(
        "Accept again the API key of a hub that was cut over.", "scripts.commands.accounts.migration:undo"
    ),
    "migration back": Command(
        "Accept again the API key of a hub that was cut over.",
        "scripts.commands.accounts.migration:undo",
        is_hidden=True,
    ),  # the former name
    "signing-key": Command("The keys that sign access tokens."),
    "signing-key list": Command(
        "List the keys in the database, newest first: the first signs, all verify until they expire.",
        "scripts.commands.signing_keys:list_",
    ),
    "signing-key rotate": Command(
        "Sign with a new key from now on. The old key verifies until every token that it signed has expired.",
        "scripts.commands.signing_keys:rotate",
    ),
    "signing-key revoke": Command(
        "From now on refuse every token that a key has signed, for instance because the key has leaked.",
        "scripts.commands.signing_keys:revoke",
    ),
    "bench": Command(
        "Measure how fast a running service (--url), or a fresh one that is discarded afterwards, stores events.",
        "scripts.trials.bench:bench",
    ),
    "bench-batches": Command(
        "Measure batches of 1,000 events on a fresh service, in rounds that alternate with COPY of the same rows.",
        "scripts.trials.bench_batches:bench_batches",
    ),
    "bench-pages": Command(
        "Measure how long each page takes at a fresh service with a million events, which is discarded afterwards.",
        "scripts.trials.bench_pages:bench_pages",
    ),
    "fuzz": Command(
        "Fuzz a running service (--url), or a fresh one that is discarded afterwards, against each contract in turn.",
        "scripts.trials.fuzz:fuzz",
    ),
    "mock": Command(
        "Serve the API to tests of a client until SIGTERM or Ctrl-C, with faults to order; then delete all data.",
        "scripts.mock.command:mock",
    ),
    "erase": Command(
        "Delete everything that is stored of an actor and print a receipt, without the actor's UUID.",
        "scripts.commands.erase:erase",
    ),
    "retention": Command(
        "Drop events and annotations older than the retention, whole weeks at a time, and list what is dropped.",
        "scripts.commands.retention:retention",
    ),
}


class Commands(LazyGroup):
    """The commands of the table, followed by the settings."""

    rows = COMMANDS

    def format_epilog(self, _ctx: Any, formatter: Any) -> None:
        """Write the settings below the top-level commands, but not below those of a group."""
        if not self.path:
            with formatter.section("Settings, from the environment"):
                formatter.write_dl(
                    [
                        (name, text if "unset:" in text else f"{text} (default: {default or 'unset'})")
                        for name, default, text in table()
                    ]
                )


app = typer.Typer(
    cls=Commands,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,  # Rich takes longer to load than a table takes to print
)


@app.callback()
def interaction_reporting() -> None:
    """Hubs report interaction events about governed UI widgets under a contract."""


def main() -> None:
    """Run the command line; exit status 0 if done, 1 if refused, 2 if misused."""
    gc.set_threshold(20_000)  # imported objects stay: collecting garbage would take 7 % of the time of `hub list`
    # A command first stops the processes that it started, as on Ctrl-C.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        app()
    except SettingsError as error:
        sys.exit(_fail(error, 2))
    except (DatabaseError, ContractError, OSError) as error:
        sys.exit(_fail(error, 1))


def _interrupt(_number: int, _frame: object) -> None:
    """End as on Ctrl-C, which a shell lets a command ignore that it starts in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGINT)


def _fail(error: Exception, status: int) -> int:
    print(f"error: {one_line(str(error))}", file=sys.stderr)
    return status


if __name__ == "__main__":
    main()
