"""The command `interaction-reporting`: the table of its commands."""

import signal
import sys
from typing import Any

import typer

from db.errors import DatabaseError
from openapi.contract import ContractError
from scripts.commands.loading import LazyGroup, Row
from scripts.service.settings import SettingsError, table

COMMANDS = {
    "serve": Row("Serve the API until SIGTERM or Ctrl-C.", "scripts.commands.service:serve"),
    "migrate": Row(
        "Bring the database to the tables of this release, and give an empty one its contract. `serve` does so, too.",
        "scripts.commands.service:migrate",
    ),
    "hub": Row("Hubs: the systems that report."),
    "hub create": Row("Create a hub and print its API key, which is shown only now.", "scripts.commands.hubs:create"),
    "hub list": Row("List every hub.", "scripts.commands.hubs:list_"),
    "hub rotate-key": Row(
        "Replace a hub's API key; the old one is refused at once. Prints the new one, which is shown only now.",
        "scripts.commands.hubs:rotate_key",
    ),
    "hub disable": Row(
        "Refuse a hub's API key and the tokens of its clients from now on. Its events stay.",
        "scripts.commands.hubs:disable",
    ),
    "hub enable": Row("Accept the API key and the clients of a disabled hub again.", "scripts.commands.hubs:enable"),
    "hub limit": Row(
        "Give a hub a rate of its own, so many items a second and ten times as many at once; or the usual one again.",
        "scripts.commands.hubs:limit",
    ),
    "hub issue-client": Row(
        "Issue an OAuth client to a hub and print its secret, which is shown only now.",
        "scripts.commands.clients:issue_client",
    ),
    "hub accept-client": Row("Let a client of another issuer act for a hub.", "scripts.commands.clients:accept_client"),
    "hub list-clients": Row("List every OAuth client.", "scripts.commands.clients:list_clients"),
    "hub rotate-client": Row(
        "Give a client a new secret, which is shown only now; the one before it is accepted for a while.",
        "scripts.commands.clients:rotate_client",
    ),
    "hub change-client": Row(
        "Give a client other scopes or other keys. Tokens that it has lose at once what it may not do any more.",
        "scripts.commands.clients:change_client",
    ),
    "hub disable-client": Row("Refuse a client and its tokens from now on.", "scripts.commands.clients:disable_client"),
    "hub enable-client": Row(
        "Accept a disabled client again, and those of its tokens that have not expired.",
        "scripts.commands.clients:enable_client",
    ),
    "widget": Row("Widgets: what events are about."),
    "widget register": Row("Register a widget.", "scripts.commands.widgets:register"),
    "widget list": Row("List every widget.", "scripts.commands.widgets:list_"),
    "widget retire": Row("Refuse new events about a widget. Stored ones stay.", "scripts.commands.widgets:retire"),
    "event-type": Row("The event type registry."),
    "event-type list": Row("List every event type.", "scripts.commands.event_types:list_"),
    "event-type register": Row(
        "Register an event type, or make a deprecated one active again.", "scripts.commands.event_types:register"
    ),
    "event-type deprecate": Row(
        "Refuse new events of a type. Stored ones stay.", "scripts.commands.event_types:deprecate"
    ),
    "event-type approve": Row(
        "Let an event type of a hub's manifest be active, or the new definition of one that is.",
        "scripts.commands.event_types:approve",
    ),
    "contract": Row("The contracts: which version is served, and what it says."),
    "contract publish": Row(
        "Keep a document as a draft, if its version says all that it changes. What is published is never replaced.",
        "scripts.commands.contracts.contract_lifecycle:publish",
    ),
    "contract activate": Row(
        "Let a contract govern its major version from now on, if what hubs have submitted would not newly fail.",
        "scripts.commands.contracts.contract_lifecycle:activate",
    ),
    "contract rollback": Row(
        "Let the contract govern again that did so before. Once more takes it back.",
        "scripts.commands.contracts.contract_lifecycle:rollback",
    ),
    "contract deprecate": Row(
        "Tell clients with every answer that a contract ends, and when.",
        "scripts.commands.contracts.contract_lifecycle:deprecate",
    ),
    "contract retire": Row(
        "Serve a deprecated contract no more: its clients get 410, and are told what to use instead.",
        "scripts.commands.contracts.contract_lifecycle:retire",
    ),
    "contract history": Row(
        "List every change of a contract: who, when, why, and the digests of its text before and after.",
        "scripts.commands.contracts.contract_lifecycle:history",
    ),
    "contract diff": Row(
        "Compare two OpenAPI 3.0 documents by meaning: every change, the version it needs, and what proves a break.",
        "scripts.commands.contracts.diff:diff",
    ),
    "contract card": Row(
        "Print what a version says as Markdown: its fields, answers, policy and status, made from its row.",
        "scripts.commands.contracts.card:card",
    ),
    "contract changelog": Row(
        "Print what each version changed of the one before, the newest first; drafts only if they are named.",
        "scripts.commands.contracts.card:changelog",
    ),
    "contract rehearse": Row(
        "Try a contract on what hubs have submitted: what would newly fail, and newly pass. Exits 1 if anything fails.",
        "scripts.commands.contracts.rehearsals:rehearse_",
    ),
    "contract list": Row(
        "List every contract in the database, each with the digest of its document as it is now.",
        "scripts.commands.contracts.contracts:list_",
    ),
    "contract show": Row(
        "Print the document of a version, as it was published; with --json, as JSON.",
        "scripts.commands.contracts.contracts:show_",
    ),
    "contract status": Row(
        "Say which contracts are served, and where rows, documents and what is served differ. Exits 1 if a row is not.",
        "scripts.commands.contracts.contracts:status",
    ),
    "contract lint": Row(
        "Check documents against the house rules. Exits 1 if one breaks a rule.",
        "scripts.commands.contracts.contracts:lint",
    ),
    "migration": Row("The window in which hubs go from one major version to the next."),
    "migration status": Row(
        "Tell what each hub uses, when it was last seen on each version, and who would break if the former one ended.",
        "scripts.commands.migration:status",
    ),
    "migration cut-over": Row(
        "Refuse a hub's API key from now on, because it has gone on to access tokens. Tells it where to go.",
        "scripts.commands.migration:cut_over",
    ),
    "migration undo": Row("Accept the API key of a hub again that was cut over.", "scripts.commands.migration:undo"),
    "migration back": Row(
        "Accept the API key of a hub again that was cut over.", "scripts.commands.migration:undo", is_hidden=True
    ),  # the former name
    "signing-key": Row("Signing keys: what signs access tokens."),
    "signing-key list": Row(
        "List the keys in the database, newest first: that one signs, all verify until they expire.",
        "scripts.commands.signing_keys:list_",
    ),
    "signing-key rotate": Row(
        "Sign with a new key from now on. The one before verifies until every token that it signed has expired.",
        "scripts.commands.signing_keys:rotate",
    ),
    "signing-key revoke": Row(
        "Refuse whatever a key has signed from now on, as when somebody else has got it.",
        "scripts.commands.signing_keys:revoke",
    ),
    "bench": Row(
        "Measure how fast events are stored, by a running service (--url) or by a fresh one, "
        "whose data is thrown away.",
        "scripts.trials.bench:bench",
    ),
    "bench-batches": Row(
        "Post batches of 1,000 events to a fresh service, in turns with COPY of the same rows on one connection.",
        "scripts.trials.bench_batches:bench_batches",
    ),
    "fuzz": Row(
        "Fuzz a fresh service against each contract of this release in turn. Exits 1 if a promise was broken.",
        "scripts.trials.fuzz:fuzz",
    ),
    "retention": Row(
        "Drop the events that are older than the retention, a whole week at a time, and list what was dropped.",
        "scripts.commands.retention:retention",
    ),
}


class Commands(LazyGroup):
    """The commands of the table, and below them the settings."""

    rows = COMMANDS

    def format_epilog(self, _ctx: Any, formatter: Any) -> None:
        """Write the settings below the commands, but not below those of a group."""
        if not self.path:
            with formatter.section("Settings, from the environment"):
                formatter.write_dl(
                    [(name, f"{text} (default: {default or 'unset'})") for name, default, text in table()]
                )


app = typer.Typer(
    cls=Commands,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,  # Rich takes longer to load than a table takes to print
)


@app.callback()
def interaction_reporting() -> None:
    """Hubs report interaction events about governed UI widgets, as a contract says."""


def main() -> None:
    """Run the command line; exit 0 when done, 1 when refused, 2 when misused."""
    # What a command has started is ended first, as on Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        app()
    except SettingsError as error:
        sys.exit(_fail(error, 2))
    except (DatabaseError, ContractError, OSError) as error:
        sys.exit(_fail(error, 1))


def _fail(error: Exception, status: int) -> int:
    print(f"error: {error}", file=sys.stderr)
    return status


if __name__ == "__main__":
    main()
