"""The pages over a real database with three shops, and people who sign in."""

import os
from collections.abc import Callable, Iterator

import psycopg
import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftersale.config.settings")
os.environ.setdefault("AFTERSALE_SECRET_KEY", "only-for-tests")

import django

django.setup()

# ruff: noqa: E402
from django.core.cache import caches
from django.db import connections
from django.test import Client

from aftersale.people.accounts import ensure_user
from aftersale.pg.connect import SETTINGS, opened
from tests.conftest import Database, fresh
from tests.people.shops import open_shops
from tests.pg.cluster import Urls

PASSWORD = "tea-garden-9"
PEOPLE = {
    "客服小明": {"tea": "agent", "snack": "agent"},
    "主管阿兰": {"tea": "lead", "snack": "lead"},
    "外人老吴": {"wu": "owner"},
}


@pytest.fixture(scope="module")
def shops(embedded_server: Urls) -> Iterator[Database]:
    """One database a module; a test that changes a case uses one that no other test reads."""
    for database in fresh(embedded_server):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in database.environment().items():
                patch.setenv(name, value)
            connections.close_all()
            with opened(database.app, settings=SETTINGS) as conn:
                open_shops(conn)
            for name, roles in PEOPLE.items():
                ensure_user(name, PASSWORD, roles)
            yield database
            connections.close_all()


@pytest.fixture(autouse=True)
def seconds_later(request: pytest.FixtureRequest) -> Callable[[], None]:
    """Counters are read anew every few seconds; each test begins with fresh ones, and with no throttle."""
    caches["process"].clear()
    if "shops" in request.fixturenames:
        with psycopg.connect(request.getfixturevalue("shops").owner, autocommit=True) as conn:
            conn.execute("DELETE FROM shared_cache")
    return caches["process"].clear


@pytest.fixture(scope="module")
def sign_in(shops: Database) -> Callable[[str], Client]:
    """A browser in which this person has signed in; the same one for the same person."""
    signed: dict[str, Client] = {}

    def browser_of(name: str) -> Client:
        if name not in signed:
            signed[name] = Client(headers={"host": "127.0.0.1"})
            answer = signed[name].post("/login", {"username": name, "password": PASSWORD})
            assert (answer.status_code, answer["Location"]) == (302, "/queue")
        return signed[name]

    return browser_of
