"""The settings of a session: in force whatever the defaults, and missed when they are not."""

import asyncio
from collections.abc import Iterator
from contextlib import closing

import pytest
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.engine import make_url

from db.engine import Database
from db.errors import Unsuitable
from db.session_settings import SETTINGS, correction, require_version
from tests.postgresql import HOSTILE, fresh_database, make_hostile, statement

IN_FORCE = [setting.value for setting in SETTINGS]
PRODUCT = "PostgreSQL 15.9 (Debian 15.9-1) on x86_64-pc-linux-gnu"


@pytest.fixture(scope="module")
def hostile(any_server: str) -> Iterator[str]:
    """The URL of a database with other defaults than PostgreSQL's, on a server of each kind."""
    with fresh_database(any_server, "hostile") as url:
        make_hostile(url)
        yield url


def shown(url: str, expression: str) -> list[str]:
    """The value of `expression` in a session of the pool, and in one for asyncio."""

    async def ask(database: Database) -> str:
        async with database.connected() as connection:
            return str((await connection.execute(f"SELECT {expression}"))[0][0])

    with closing(Database(url)) as database:
        with database.begin() as connection:
            value = str(connection.execute(text(f"SELECT {expression}")).scalar_one())
        return [value, asyncio.run(ask(database))]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_is_in_force_although_the_database_has_another(hostile: str, setting: object) -> None:
    """In the pool and for asyncio. The database of this test has another value for each."""
    name, value = setting.name, setting.value  # type: ignore[attr-defined]
    assert HOSTILE[name.lower()] != value
    assert shown(hostile, f"current_setting('{name}')") == [value, value]


def test_an_empty_search_path_leads_to_public(hostile: str) -> None:
    """As the hardening of CVE-2018-1058 leaves it."""
    assert shown(hostile, "current_schema()") == ["public", "public"]


@pytest.mark.parametrize(
    ("path", "schema"),
    [("app", "app"), ("app, pg_catalog", "app"), ("pg_catalog, app", "app"), ("pg_catalog", "public")],
)
def test_a_schema_of_the_roles_own_is_kept_behind_pg_catalog(any_server: str, path: str, schema: str) -> None:
    """The service's tables go there, and no function there replaces one of PostgreSQL."""
    with fresh_database(any_server, "pathed") as url:
        statement(
            url,
            sql.SQL("CREATE SCHEMA app"),
            sql.SQL("CREATE FUNCTION app.now() RETURNS timestamptz LANGUAGE sql AS $$SELECT 'epoch'::timestamptz$$"),
            sql.SQL("ALTER ROLE CURRENT_USER IN DATABASE pathed SET search_path = {}").format(sql.SQL(path)),
        )
        assert shown(url, "current_schema() || ' ' || (now() > '2000-01-01')") == [f"{schema} true"] * 2


def test_a_search_path_of_the_url_counts(any_server: str) -> None:
    """It is one of the options that the service does not set itself."""
    with fresh_database(any_server, "pathed") as url:
        statement(url, sql.SQL("CREATE SCHEMA app"))
        named = make_url(url).update_query_dict({"options": "-csearch_path=app"})
        assert shown(named.render_as_string(hide_password=False), "current_schema()") == ["app", "app"]


@pytest.mark.parametrize("index", range(len(SETTINGS)), ids=[setting.name for setting in SETTINGS])
def test_a_setting_that_is_not_in_force_is_missed(index: int) -> None:
    """The message names it, its value, the likely reason and the cure."""
    row = [*IN_FORCE, None, ["public"], PRODUCT]
    row[index] = "other"
    with pytest.raises(Unsuitable) as raised:
        correction(row)
    assert str(raised.value) == (
        f"{SETTINGS[index].name} is 'other' in a new session, although the service has set it to "
        f"{SETTINGS[index].value!r}: a pooler such as PgBouncer has dropped 'options'; connect to PostgreSQL itself"
    )


def test_a_session_as_a_rule_needs_no_correction() -> None:
    """Neither before PostgreSQL 17, which has no transaction_timeout, nor after."""
    assert correction([*IN_FORCE, None, ["public"], PRODUCT]) is None
    assert correction([*IN_FORCE, "0", ["own", "public"], PRODUCT]) is None


def test_a_limit_on_transactions_is_lifted_where_there_is_one() -> None:
    """It cannot be sent with the others, because an earlier server would refuse it."""
    change = correction([*IN_FORCE, "1s", ["public"], PRODUCT])
    assert change is not None
    assert change.as_string() == "SELECT pg_catalog.set_config('transaction_timeout', '0', false)"


def test_an_older_server_is_unsuitable() -> None:
    """The message says which version the server has, and which the service needs."""
    require_version(150000)
    with pytest.raises(Unsuitable, match=r"says that it is PostgreSQL 13: the service needs PostgreSQL 15 or later"):
        require_version(130000)


def test_another_product_is_unsuitable() -> None:
    """Whatever number it gives itself; a product that is built from PostgreSQL begins with its name."""
    assert correction([*IN_FORCE, None, ["public"], "PostgreSQL 16.4 (EnterpriseDB Advanced Server 16.4.1)"]) is None
    with pytest.raises(Unsuitable, match=r"the server is 'CockroachDB CCL v25.1': the service needs PostgreSQL 15 or"):
        correction([*IN_FORCE, None, ["public"], "CockroachDB CCL v25.1"])
