"""The wall between shops in the database: what a page's code asks for does not matter, only whose shops they are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.test import Client
from psycopg import Connection, errors, sql

from aftersale.rights.wall import OPEN_TABLES, SQL, build
from tests.conftest import Database
from tests.people.shops import case_id

SignIn = Callable[[str], Client]
TEA, SNACK, WU = 1, 2, 3
WALLED = """SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'shop_id'
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT a.attisdropped ORDER BY 1"""
GUARDED = """SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid AND p.polname = 'people'
  AND NOT p.polpermissive AND p.polcmd = '*' AND p.polroles = ARRAY['aftersale_people'::regrole::oid]
WHERE c.relrowsecurity ORDER BY 1"""


@contextmanager
def person(database: Database, shops: str | None) -> Iterator[Connection[Any]]:
    """A connection as a page's: shops as the session names them, None: it names none."""
    with psycopg.connect(database.app) as conn:
        conn.execute("SET ROLE aftersale_people")
        if shops is not None:
            conn.execute("SELECT set_config('aftersale.shops', %s, false)", (shops,))
        yield conn
        conn.rollback()


def column(conn: Connection[Any], query: str) -> list[Any]:
    return [row[0] for row in conn.execute(query.encode()).fetchall()]


def test_every_table_of_a_shop_stands_behind_the_wall(shops: Database) -> None:
    with psycopg.connect(shops.owner) as conn:
        assert sorted(set(column(conn, WALLED)) - set(OPEN_TABLES)) == column(conn, GUARDED)
        assert "membership" in column(conn, WALLED)
        views = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'"
        free = f"{views} AND (reloptions @> ARRAY['security_invoker=true']) IS NOT TRUE"
        assert column(conn, free) == []


@pytest.mark.parametrize("named", [None, "", "{}"])
def test_whose_shops_are_not_named_sees_nothing(shops: Database, named: str | None) -> None:
    with psycopg.connect(shops.owner) as conn:
        tables = column(conn, GUARDED)
        views = column(
            conn, "SELECT relname FROM pg_class WHERE relname IN ('case_facts', 'timeline', 'deadline')"
        )
    assert (len(tables) > 20, len(views)) == (True, 3)
    with person(shops, named) as conn:
        for name in [*tables, *views]:
            found = conn.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))).fetchone()
            assert found == (0,), name


def test_a_person_sees_and_changes_their_own_shops_only(shops: Database) -> None:
    foreign = case_id(WU, 0)
    with person(shops, f"{{0,{TEA},{SNACK}}}") as conn:
        for name in ("cases", "orders", "queue_item", "decision", "case_facts", "timeline"):
            assert column(conn, f"SELECT DISTINCT shop_id FROM {name} ORDER BY 1") == [TEA, SNACK], name
        assert column(conn, f"SELECT count(*) FROM cases WHERE case_id = '{foreign}'") == [0]
        assert conn.execute("UPDATE queue_item SET owner = '客服小明' WHERE shop_id = 3").rowcount == 0
        assert conn.execute("UPDATE queue_item SET owner = '客服小明' WHERE shop_id = 1").rowcount > 0
        with pytest.raises(errors.InsufficientPrivilege):
            conn.execute(
                "INSERT INTO happening (shop_id, case_id, at, kind, actor, what) VALUES (3, 'x', now(), 'note', 'x', 'x')"
            )
    with psycopg.connect(shops.owner) as conn:
        assert column(conn, "SELECT count(*) FROM queue_item WHERE owner = '客服小明'") == [0]


def test_a_row_cannot_be_moved_into_another_shop(shops: Database) -> None:
    with person(shops, f"{{0,{TEA}}}") as conn, pytest.raises(errors.InsufficientPrivilege):
        conn.execute("UPDATE queue_item SET shop_id = 3 WHERE shop_id = 1")


def test_nobody_at_a_page_reads_a_shops_secrets(shops: Database) -> None:
    for column_name in ("app_secret", "session_key", "courier_secret", "push_secrets", "*"):
        with person(shops, f"{{0,{TEA}}}") as conn, pytest.raises(errors.InsufficientPrivilege):
            conn.execute(f"SELECT {column_name} FROM shop".encode())


def test_workers_are_not_held_up(shops: Database) -> None:
    with psycopg.connect(shops.app) as conn:
        assert column(conn, "SELECT DISTINCT shop_id FROM cases ORDER BY 1") == [TEA, SNACK, WU]
        plan = column(conn, "EXPLAIN SELECT * FROM cases WHERE shop_id = 1 AND case_id = 'x'")
        assert not [line for line in plan if "aftersale.shops" in line or "InitPlan" in line]


def test_pages_run_behind_the_wall_and_leave_it_behind_them(
    sign_in: SignIn, shops: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that forgets to ask whose shops they are shows no more than one that does."""
    from django.db import connection

    from aftersale.metrics import board

    seen: list[Any] = []

    def careless(user: object) -> dict[str, Any]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user, array_agg(DISTINCT shop_id ORDER BY shop_id) FROM cases")
            seen.append(cursor.fetchone())
        return {}

    monkeypatch.setattr(board, "_figures", careless)
    for name in ("客服小明", "外人老吴"):
        assert sign_in(name).get("/board/data").status_code == 200
    assert seen == [("aftersale_people", [TEA, SNACK]), ("aftersale_people", [WU])]
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_setting('aftersale.shops', true)")
        assert cursor.fetchone() == ("aftersale_app", "")


def test_building_it_again_changes_nothing(shops: Database) -> None:
    with psycopg.connect(shops.owner) as conn:
        build(conn, "aftersale_app")
        asked = {"app": "aftersale_app", "open": list(OPEN_TABLES)}
        for name in ("revokes", "walls", "views"):
            assert conn.execute(SQL[name].encode(), asked).fetchall() == [], name
