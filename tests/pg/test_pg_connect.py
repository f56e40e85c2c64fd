"""Which server a program gets, with which limits, and the line for each way it fails."""

import socket
from pathlib import Path

import psycopg
import pytest

from aftersale.pg import Refused
from aftersale.pg.connect import Person, connect, database_url, django_database, opened, refusal
from aftersale.pg.home import Home
from aftersale.pg.server import Server
from tests.pg.cluster import Urls

SHOWN = """
setting                              app                 owner
statement_timeout                    30s                 0
lock_timeout                         5s                  2s
idle_in_transaction_session_timeout  1min                5min
plan_cache_mode                      force_generic_plan  auto
jit                                  off                 off
"""


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "AFTERSALE_HOME", "AFTERSALE_PG_PORT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def named(urls: Urls, monkeypatch: pytest.MonkeyPatch) -> Urls:
    """Both URLs in the environment."""
    monkeypatch.setenv("DATABASE_URL", urls.app)
    monkeypatch.setenv("DATABASE_OWNER_URL", urls.owner)
    return urls


def test_every_session_has_its_limits(named: Urls) -> None:
    rows = [line.split() for line in SHOWN.strip().splitlines()[1:]]
    with connect("app", application="abc") as app, connect("owner", application="abc") as owner:
        for name, wanted_app, wanted_owner in rows:
            assert app.execute(f"show {name}").fetchone() == (wanted_app,)
            assert owner.execute(f"show {name}").fetchone() == (wanted_owner,)
        assert app.execute("show application_name").fetchone() == ("abc",)
        assert app.autocommit is False
        assert app.prepare_threshold == 1
        assert app.info.user == "aftersale_app"
        assert owner.info.user == "aftersale_owner"


def test_settings_of_the_caller_and_of_the_url_win(named: Urls, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(settings={"statement_timeout": "5s"}) as connection:
        assert connection.execute("show statement_timeout").fetchone() == ("5s",)
        assert connection.execute("show lock_timeout").fetchone() == ("5s",)
    with opened(named.app + "?options=-c%20lock_timeout%3D7s") as connection:
        assert connection.execute("show lock_timeout").fetchone() == ("7s",)


def test_statement_that_takes_too_long_is_cut(named: Urls) -> None:
    with connect(settings={"statement_timeout": "50ms"}) as connection:
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("select pg_sleep(10)")
        connection.rollback()


def test_django_gets_the_same_server_and_limits(named: Urls) -> None:
    entry = django_database()
    options = entry["OPTIONS"]
    assert entry["NAME"] == "aftersale"
    assert entry["USER"] == "aftersale_app"
    assert "-c plan_cache_mode=auto" in options["options"]
    with psycopg.connect(
        host=entry["HOST"], port=entry["PORT"], user=entry["USER"], password=entry["PASSWORD"],
        dbname=entry["NAME"], **options,
    ) as connection:  # fmt: skip
        assert connection.execute("show statement_timeout").fetchone() == ("30s",)


def test_embedded_server_when_nothing_is_named(
    tmp_path: Path, embedded: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALE_HOME", str(embedded.home.root))
    assert database_url("app") == embedded.url("app")
    assert database_url("owner") == embedded.url("owner")
    with connect() as connection:
        assert connection.info.user == "aftersale_app"


NAMED = """
DATABASE_URL  DATABASE_OWNER_URL  role   answer
app           owner               app    =app
app           owner               owner  =owner
app           -                   app    =app
app           -                   owner  no_owner_url
-             owner               app    no_app_url
-             owner               owner  no_app_url
"""


@pytest.mark.parametrize("line", NAMED.strip().splitlines()[1:])
def test_urls_from_the_environment(line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    app, owner, role, wanted = line.split()
    monkeypatch.setenv("AFTERSALE_HOME", str(tmp_path))
    for name, value in (("DATABASE_URL", app), ("DATABASE_OWNER_URL", owner)):
        if value != "-":
            monkeypatch.setenv(name, f"postgresql://{value}@db/aftersale")
    who: Person = "owner" if role == "owner" else "app"
    if wanted.startswith("="):
        assert database_url(who) == f"postgresql://{wanted[1:]}@db/aftersale"
    else:
        with pytest.raises(Refused) as caught:
            database_url(who)
        assert caught.value.code == wanted
    assert not Home(tmp_path).state_file.exists()


def failure(url: str) -> Refused:
    with pytest.raises(Refused) as caught:
        opened(url, connect_timeout=5)
    assert "\n" not in caught.value.why
    assert "secret" not in caught.value.why
    return caught.value


def test_wrong_password(urls: Urls) -> None:
    url = psycopg.conninfo.make_conninfo(urls.app, password="guessed-secret")
    place = psycopg.conninfo.conninfo_to_dict(urls.app)
    found = failure(url)
    assert found.code == "wrong_password"
    assert found.why == (
        f"aftersale_app or its password is wrong for 127.0.0.1:{place['port']}: correct the URL"
    )


def test_missing_database(urls: Urls) -> None:
    found = failure(psycopg.conninfo.make_conninfo(urls.app, dbname="elsewhere"))
    assert found.code == "no_database"
    assert found.why.startswith("the database elsewhere does not exist at 127.0.0.1:")


def test_no_server_there() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    found = failure(f"postgresql://aftersale_app:secret@127.0.0.1:{port}/aftersale")
    assert found.code == "unreachable"
    assert found.why == f"no PostgreSQL answers at 127.0.0.1:{port}: is it running, is the URL right?"


def test_url_that_is_none() -> None:
    found = failure("postgresql//oops secret")
    assert found.code == "bad_url"


def test_port_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERSALE_HOME", str(tmp_path))
    monkeypatch.setenv("AFTERSALE_PG_PORT", "5432x")
    with pytest.raises(Refused) as caught:
        database_url("app")
    assert caught.value.code == "bad_port"
    assert list(tmp_path.iterdir()) == []


SAID = """
FATAL:  password authentication failed for user "aftersale_app"                   | wrong_password
fe_sendauth: no password supplied                                                  | wrong_password
FATAL:  role "aftersale_app" does not exist                                        | no_role
FATAL:  role "aftersale_app" is not permitted to log in                            | no_role
FATAL:  database "aftersale" does not exist                                        | no_database
FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "aftersale_app"             | not_allowed
FATAL:  permission denied for database "aftersale"                                 | not_allowed
FATAL:  sorry, too many clients already                                            | too_many
FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute | too_many
FATAL:  the database system is starting up                                         | starting
FATAL:  the database system is not yet accepting connections                       | starting
FATAL:  the database system is in recovery mode                                    | starting
FATAL:  could not write init file: No space left on device                         | disk_full
failed to resolve host 'db': [Errno -2] Name or service not known                  | unreachable
connection timeout expired                                                         | unreachable
something new of PostgreSQL 30                                                     | unreachable
"""


@pytest.mark.parametrize("line", SAID.strip().splitlines())
def test_each_failure_has_its_code(line: str) -> None:
    said, code = (part.strip() for part in line.split("|"))
    parts = {"host": "db", "port": "5432", "user": "aftersale_app", "dbname": "aftersale"}
    found = refusal(psycopg.OperationalError(f"connection failed:\n {said}"), parts)
    assert found.code == code
    assert "\n" not in found.why
