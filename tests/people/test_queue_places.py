"""The queue page's filters, sorts and counters against the plain answer of the same question."""

import itertools
import random
import re
from collections import Counter
from collections.abc import Callable

import psycopg
import pytest
from django.test import Client

from aftersale.cases.waiting import everywhere
from tests.conftest import Database
from tests.people.shops import NOON, case_id

SignIn = Callable[[str], Client]
ORDERS = {
    "due": "i.due_at NULLS LAST, i.case_id",
    "amount": "i.asked_fen DESC NULLS LAST, i.case_id",
    "oldest": "i.since, i.case_id",
    "newest": "i.since DESC, i.case_id",
}
WHERE = {
    "reason=quality": "i.reason = 'quality'",
    "state=applied": "i.state = 'applied'",
    "owner=-": "i.owner IS NULL",
    "owner=客服小明": "i.owner = '客服小明'",
    "amount=50-200": "i.asked_fen >= 5000 AND i.asked_fen < 20000",
    "left=12": f"i.due_at < timestamptz '{NOON.isoformat()}' + interval '12 hours'",
    "shop=snack": "i.shop_id = 2",
}


@pytest.fixture(scope="module")
def many(shops: Database) -> Database:
    """Some thousand waiting cases of both shops beside the sixteen kinds."""
    draw = random.Random(7)
    reasons = ["quality", "dislike", "freight", "late_ship"]
    with psycopg.connect(shops.owner) as conn:
        for number in range(3000):
            told = {"shop": 1 + number % 2, "case": f"77{number:08d}", "reason": draw.choice(reasons)}
            told |= {
                "fen": draw.choice([900, 3000, 9900, 9900, 150_000]),
                "at": NOON,
                "hours": draw.randrange(-3, 90),
            }
            told |= {
                "queue": draw.choice(["manual", "evidence", "amount_check"]),
                "owner": draw.choice([None, None, "客服小明"]),
            }
            conn.execute(
                "INSERT INTO cases (shop_id, case_id, order_id, platform, application_version, state, reason, amount_fen,"
                " title, first_seen_at) VALUES (%(shop)s, %(case)s, %(case)s, 'tmall', 1, 'applied', %(reason)s, %(fen)s,"
                " '桂花乌龙', %(at)s)",
                told,
            )
            conn.execute(
                "INSERT INTO queue_item (shop_id, case_id, queue, due_at, since, owner) VALUES (%(shop)s, %(case)s,"
                " %(queue)s, %(at)s::timestamptz + make_interval(hours => %(hours)s),"
                " %(at)s::timestamptz - make_interval(mins => %(hours)s), %(owner)s)",
                told,
            )
    return shops


@pytest.mark.parametrize("place_rows", [-(10**6), 10**6], ids=["place by place", "everywhere"])
def test_every_filter_and_sort_shows_what_plain_sql_finds(
    many: Database, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, place_rows: int
) -> None:
    monkeypatch.setattr(everywhere, "PLACE_ROWS", place_rows)
    ways, sql = Counter[str](), everywhere._sql
    monkeypatch.setattr(everywhere, "_sql", lambda way, *more: (ways.update([way]), sql(way, *more))[1])
    client = sign_in("客服小明")
    pairs = [(), *itertools.combinations(WHERE, 1), *itertools.combinations(WHERE, 2)]
    with psycopg.connect(many.owner) as conn:
        for number, chosen in enumerate(pairs):
            if len({one.partition("=")[0] for one in chosen}) < len(chosen):
                continue
            sort, page = list(ORDERS)[number % 4], 1 + number % 3
            where = " AND ".join(["i.shop_id IN (1, 2)", *(WHERE[one] for one in chosen)])
            wanted = conn.execute(
                f"SELECT s.code || ':' || i.case_id FROM queue_item i JOIN shop s ON s.id = i.shop_id WHERE {where}"
                f" ORDER BY {ORDERS[sort]}"
            ).fetchall()
            address = "/queue?" + "&".join([*chosen, f"sort={sort}", f"page={page}"])
            text = client.get(address).content.decode()
            shown = re.findall(r'name="pick" value="([^"]+)"', text)
            assert [(one,) for one in shown] == wanted[(page - 1) * 50 : page * 50], address
            told = re.search(r'desk-found">(\d+) 单(以上)?', text)
            assert told is not None, address
            counted = int(told[1])
            assert counted == len(wanted) if not told[2] else 0 < counted <= len(wanted), address
    assert set(ways) == ({"walk", "rare", "matches"} if place_rows > 0 else set()), ways


def test_counters_stay_true_whatever_changes_the_queue(many: Database) -> None:
    differs = """SELECT count(*) FROM (SELECT shop_id, queue, reason, action, state, count(*) AS n FROM queue_item
        GROUP BY 1, 2, 3, 4, 5) i FULL JOIN (SELECT shop_id, queue, reason, action, state, sum(cases) AS n FROM queue_count
        GROUP BY 1, 2, 3, 4, 5 HAVING sum(cases) <> 0) c USING (shop_id, queue, reason, action, state)
        WHERE i.n IS DISTINCT FROM c.n"""
    totals = """SELECT count(*) FROM (SELECT shop_id, queue, count(*) AS n FROM queue_item GROUP BY 1, 2) i
        FULL JOIN (SELECT shop_id, queue, sum(cases) AS n FROM queue_total GROUP BY 1, 2 HAVING sum(cases) <> 0) c
        USING (shop_id, queue) WHERE i.n IS DISTINCT FROM c.n"""
    from aftersale.cases.waiting import upkeep
    from aftersale.pg.connect import SETTINGS, opened

    with psycopg.connect(many.owner, autocommit=True) as conn:
        conn.execute("UPDATE queue_item SET queue = 'manual' WHERE case_id LIKE '7700001%'")
        conn.execute("DELETE FROM queue_item WHERE case_id LIKE '770000001%'")
        assert (conn.execute(differs).fetchone(), conn.execute(totals).fetchone()) == ((0,), (0,))
        lines = conn.execute("SELECT count(*) FROM queue_count").fetchone()
        with opened(many.app, settings=SETTINGS, autocommit=True) as app:
            assert upkeep.fold(app) > 0
            assert upkeep.fold(app) == 0
        assert (conn.execute(differs).fetchone(), conn.execute(totals).fetchone()) == ((0,), (0,))
        places = conn.execute("SELECT count(*), count(DISTINCT (shop_id, queue)) FROM queue_total").fetchone()
        assert places is not None
        assert places[0] == places[1]
        assert lines is not None
        assert conn.execute("SELECT count(*) < %s FROM queue_count", lines).fetchone() == (True,)


def test_words_and_phone_tails_find_cases(many: Database, sign_in: SignIn) -> None:
    from aftersale.cases.waiting import upkeep
    from aftersale.pg.connect import SETTINGS, opened

    with opened(many.app, settings=SETTINGS, autocommit=True) as app:
        assert sum(iter(lambda: upkeep.title(app), 0)) > 1
    with psycopg.connect(many.owner) as conn:
        conn.execute("UPDATE orders SET phone_tail = '4096' WHERE shop_id = 1 AND order_id = '410091800002'")
        conn.execute("UPDATE orders SET phone_tail = '4096' WHERE shop_id = 3")
    found = sign_in("客服小明").get("/search?q=龙井 礼盒").content.decode()
    assert len(re.findall("search-hit", found)) >= 12
    assert "桂花乌龙" not in found
    assert sign_in("客服小明").get("/search?q=4096")["Location"] == f"/case/tea/{case_id(1, 2)}"
    assert "没有找到" in sign_in("客服小明").get("/search?q=%25").content.decode()


def test_of_a_common_phone_tail_the_newest_orders_are_shown(many: Database, sign_in: SignIn) -> None:
    with psycopg.connect(many.owner) as conn:
        conn.execute(
            "INSERT INTO orders (shop_id, order_id, paid_at, phone_tail) SELECT shop_id, order_id,"
            " CASE WHEN case_id < '7700000010' THEN NULL ELSE %s::timestamptz - make_interval(mins => right(case_id, 4)::int) END,"
            " '4097' FROM cases WHERE case_id LIKE '7700000%%'",
            (NOON,),
        )
    found = sign_in("客服小明").get("/search?q=4097").content.decode()
    shown = re.findall(r'href="/case/(\w+)/(\d+)"', found)
    assert shown == [(("tea", "snack")[number % 2], f"77{number:08d}") for number in range(10, 60)]
