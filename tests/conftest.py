"""A real PostgreSQL for every test that needs one: migrated once, then a fresh copy of it for each test."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from hypothesis import settings

from aftersale.pg.server import start
from tests.pg.cluster import Urls, external_server, newest_bin

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
_numbers = count(1)
settings.register_profile("house", deadline=None)  # a busy machine is no failure
settings.load_profile("house")


@dataclass(frozen=True)
class Database:
    """One test's own database."""

    owner: str
    app: str
    admin: str = ""

    def environment(self) -> dict[str, str]:
        """For processes that shall use it."""
        return {**os.environ, "DATABASE_URL": self.app, "DATABASE_OWNER_URL": self.owner}


def _at(url: str, database: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{database}"))


def _migrated(urls: Urls) -> Urls:
    environment = {**os.environ, "DATABASE_URL": urls.app, "DATABASE_OWNER_URL": urls.owner}
    done = subprocess.run(
        [sys.executable, "-m", "aftersale", "migrate"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return urls


# A thousand databases come and go here, and nothing of them need survive; servers that are killed have settings of their own.
THROWAWAY = "shared_buffers = '128MB'\nfsync = off\n"


@pytest.fixture(scope="session")
def embedded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Urls]:
    folder = tmp_path_factory.mktemp("postgres")
    with start(folder) as server:
        (server.home.data / "local.conf").write_text(THROWAWAY)
    with start(folder) as server:
        yield _migrated(Urls(server.url("admin"), server.url("owner"), server.url("app")))


@pytest.fixture(scope="session")
def external_migrated() -> Iterator[Urls]:
    binaries = newest_bin()
    if binaries is None:
        pytest.skip("no PostgreSQL of the distribution in /usr/lib/postgresql: apt install postgresql")
    with external_server(binaries) as urls:
        yield _migrated(urls)


def fresh(urls: Urls) -> Iterator[Database]:
    """A copy of the migrated database, dropped afterwards."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(_at(urls.admin, "postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE aftersale OWNER aftersale_owner")  # type: ignore[arg-type]
        admin.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {name} TO aftersale_app")  # type: ignore[arg-type]
        try:
            yield Database(_at(urls.owner, name), _at(urls.app, name), _at(urls.admin, name))
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


@pytest.fixture
def embedded_database(embedded_server: Urls) -> Iterator[Database]:
    yield from fresh(embedded_server)


@pytest.fixture(params=["embedded", "external"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """The test runs twice: against our server and against the distribution's."""
    name = "embedded_server" if request.param == "embedded" else "external_migrated"
    yield from fresh(request.getfixturevalue(name))
