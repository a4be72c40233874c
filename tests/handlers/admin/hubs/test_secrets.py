"""A key and a secret are on the page that answers the form, and nowhere else."""

import logging

import psycopg
import pytest

from db import oauth_clients
from db.tables import metadata
from handlers.admin.roles import GET, TABLE
from tests.page_admins import AdminBrowser
from tests.page_forms import HUBS, form_of, path_of, secret_of, send


def everything(url: str) -> str:
    """All rows of all tables as text."""
    with psycopg.connect(url) as connection:
        rows = [
            row
            for table in metadata.tables
            for row in connection.execute(f"SELECT t::text FROM {table} AS t").fetchall()  # noqa: S608 (our own tables)
        ]
    return "\n".join(str(row[0]) for row in rows)


def test_no_secret_is_seen_again(owner: AdminBrowser, caplog: pytest.LogCaptureFixture) -> None:
    """On no page, in no row, in no line of the log."""
    caplog.set_level(logging.DEBUG)
    secrets = [secret_of(owner.post(HUBS, {"name": "discreet"}))]
    secrets.append(secret_of(send(owner, form_of("rotate-key", "discreet"), {"overlap": "1"})))
    secrets.append(secret_of(send(owner, form_of("issue-client", "discreet"), {"scopes": "events:read"})))
    with owner.service.database.begin() as connection:
        (client,) = oauth_clients.of_hub(connection, "discreet", 2)
    secrets.append(secret_of(send(owner, form_of("rotate-client", client.client_id), {"overlap": "1"})))
    assert len(set(secrets)) == 4
    texts = [everything(owner.service.database_url), caplog.text]
    for name in ("discreet", client.client_id):
        paths = [template.replace("{name:path}", name) for method, template in TABLE if method == GET]
        texts += [owner.get(path).text for path in paths]
    texts.append(owner.get(path_of("discreet")).text)
    assert client.client_id in texts[-1]
    assert "discreet" in texts[0]
    assert [secret for secret in secrets for text in texts if secret in text] == []
