"""The server of the pages hands a connection from one person's request to another's, never with their shops."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import psycopg
import pytest
from django.db import connection
from django.test import Client

from aftersale.cli import children
from aftersale.config.postgres.base import PEOPLE_MAX
from tests.conftest import Database
from tests.people.test_browser_story import process

KEPT = "SELECT generic_plans + custom_plans FROM pg_prepared_statements WHERE statement LIKE '%queue_item%'"
PAGES = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'aftersale web'"


@pytest.fixture(scope="module")
def url(shops: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log: Path = tmp_path_factory.mktemp("kept") / "web.log"
    with process(["web", "--port", "0", "--json", "--processes", "2"], shops, log) as web:
        yield children.address(web, log)


@pytest.fixture
def asks(url: str, sign_in: Callable[[str], Client]) -> Callable[[str, str], tuple[int, str]]:
    """What this person is answered at an address of the server."""

    def ask(name: str, address: str) -> tuple[int, str]:
        cookies = {"sessionid": sign_in(name).cookies["sessionid"].value}
        answer = httpx2.get(url + address, cookies=cookies, trust_env=False, timeout=30)
        return answer.status_code, answer.text

    return ask


def of(shops: Database, shop: str) -> list[str]:
    """Cases of a shop that wait."""
    with psycopg.connect(shops.app) as conn:
        found = conn.execute(
            "SELECT i.case_id FROM queue_item i JOIN shop s ON s.id = i.shop_id WHERE s.code = %s ORDER BY 1",
            (shop,),
        )
        return [row[0] for row in found.fetchall()]


def held(shops: Database) -> set[int]:
    with psycopg.connect(shops.app) as conn:
        return {row[0] for row in conn.execute(PAGES).fetchall()}


def test_a_connection_serves_one_after_the_other_and_forgets_whose_shops_it_showed(
    shops: Database, asks: Callable[[str, str], tuple[int, str]]
) -> None:
    tea = of(shops, "tea")
    asks("客服小明", "/queue")
    before = held(shops)
    for _ in range(8):  # after five times a kept plan fits any person
        _status, page = asks("客服小明", "/queue")
        assert tea[0] in page
        _status, page = asks("外人老吴", "/queue")
        assert "老吴杂货" in page
        assert not any(case_id in page for case_id in tea)
        assert asks("外人老吴", f"/case/tea/{tea[0]}")[0] == 404
    assert set() != before <= held(shops)


def test_many_at_once_share_a_few_connections_and_nobody_sees_anothers(
    shops: Database, asks: Callable[[str, str], tuple[int, str]]
) -> None:
    tea, names = of(shops, "tea"), ["客服小明", "外人老吴"] * 20
    for name in names[:2]:
        asks(name, "/queue")
    with ThreadPoolExecutor(2 * PEOPLE_MAX) as people:
        pages = list(people.map(lambda name: (name, *asks(name, "/queue")), names))
    for name, status, page in pages:
        assert status == 200
        assert any(case_id in page for case_id in tea) is (name == "客服小明")
    assert len(held(shops)) <= PEOPLE_MAX + 2  # and the own one of each door


def test_what_takes_long_to_plan_is_planned_once(sign_in: Callable[[str], Client]) -> None:
    client = sign_in("客服小明")
    for _ in range(7):
        assert client.get("/queue").status_code == 200
    with connection.cursor() as cursor:
        cursor.execute(KEPT)
        assert cursor.fetchall() == [(7,)]


def test_a_connection_that_the_server_ended_is_not_handed_on(
    shops: Database, asks: Callable[[str, str], tuple[int, str]]
) -> None:
    assert asks("客服小明", "/queue")[0] == 200
    with psycopg.connect(shops.admin, autocommit=True) as admin:
        admin.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM ({PAGES}) p")
    assert asks("客服小明", "/queue")[0] == 200
