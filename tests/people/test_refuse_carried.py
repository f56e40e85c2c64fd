"""What a refusal carries: words that the buyer may have read are not taken back, its picture is not taken off."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from django.db import connections

from aftersale.cases.casework.evidence import remove_evidence
from aftersale.cases.casework.place import Place
from aftersale.pg.connect import SETTINGS, opened
from tests.conftest import Database
from tests.people.shops import NOON
from tests.people.test_desk import SignIn, asked, text
from tests.people.test_refuse_page import (
    ASKED,
    DOCKED,
    MINE,
    PLANNED,
    WORDS,
    answered,
    change,
    nothing,
    photo,
)

__all__ = ["answered", "change"]

WAITS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'aftersale web' AND wait_event_type = 'Lock'"
SWITCH = """INSERT INTO switch (shop_id, action, stopped, why, by_whom, at) VALUES (0, 'refuse', %s, '先停', '店主', now())
ON CONFLICT (shop_id, action) DO UPDATE SET stopped = excluded.stopped"""


def put_off(shops: Database, case: str, asked_at: str) -> None:
    """It was sent, maybe asked about, and goes again in a minute."""
    where = f"WHERE kind = 'refuse' AND case_id = '{case}'"
    again = f"state = 'approved', outcome = 'later: limited', asked_at = {asked_at}, due_at = %s"
    with psycopg.connect(shops.owner) as conn:
        conn.execute("SET aftersale.kinds = 'refuse'")
        conn.execute(f"UPDATE intent SET state = 'sending' {where}".encode())
        conn.execute(f"UPDATE intent SET {again} {where}".encode(), (NOON + timedelta(minutes=1),))


@contextmanager
def stopped(shops: Database) -> Iterator[None]:
    """A switch holds refusals back."""
    with psycopg.connect(shops.owner) as conn:
        conn.execute(SWITCH, (True,))
    yield
    with psycopg.connect(shops.owner) as conn:
        conn.execute(SWITCH, (False,))


@pytest.mark.parametrize(
    ("case", "asked_at", "may"), [(PLANNED, "NULL", True), (DOCKED, "clock_timestamp()", False)]
)
def test_only_words_that_were_surely_not_said_are_taken_back(
    sign_in: SignIn, shops: Database, answered: None, case: str, asked_at: str, may: bool
) -> None:
    client, address = sign_in("客服小明"), f"/case/tea/{case}"
    client.post(f"{address}/refuse", {"version": 1, "reason": 2, "message": WORDS, "proof": photo()})
    put_off(shops, case, asked_at)
    offer = b'name="intent" value="refuse"'
    assert (offer in client.get(address).content) == may
    with stopped(shops):
        assert (offer in client.get(address).content) == may
        bar = text(client.get(f"/queue/dock/tea/{case}").content)
        assert ("在此之前可以撤回" in bar, "恢复后才会再次发出" in bar) == (may, not may)
    undone = text(client.post(f"{address}/do/undo", {"intent": "refuse"}, follow=True).content)
    assert ("已撤回「拒绝」" in undone, "已经发出，不能撤回" in undone) == (may, not may)
    query = f"SELECT state, message FROM intent JOIN refusing USING (shop_id, case_id, platform_version) WHERE case_id = '{case}'"
    assert asked(shops, query) == [("cancelled" if may else "approved", WORDS)]


def test_its_picture_is_not_taken_off_while_it_goes(sign_in: SignIn, shops: Database, answered: None) -> None:
    client = sign_in("客服小明")
    client.post(f"/case/tea/{ASKED}/refuse", {"version": 1, "reason": 2, "message": WORDS, "proof": photo()})
    [(piece,)] = asked(shops, f"SELECT id FROM evidence WHERE case_id = '{ASKED}'")

    def take_off() -> str:
        return text(client.post(f"/case/tea/{ASKED}/evidence/{piece}/remove", follow=True).content)

    assert "这张图片要随一次还没有结果的拒绝发给买家，现在不能撤下" in take_off()
    assert asked(shops, f"SELECT removed_at FROM evidence WHERE id = {piece}") == [(None,)]
    client.post(f"/case/tea/{ASKED}/do/undo", {"intent": "refuse"})
    assert "已撤下" in take_off()


def test_a_picture_that_is_taken_off_at_that_moment_is_not_sent(
    sign_in: SignIn, shops: Database, answered: None
) -> None:
    client = sign_in("客服小明")
    client.post(f"/case/tea/{MINE}/evidence", {"kind": "photo", "file": photo()})
    [(found,)] = asked(shops, f"SELECT id FROM evidence WHERE case_id = '{MINE}'")
    piece = int(str(found))
    wish = {"version": 1, "reason": 2, "message": WORDS, "evidence": piece}

    def refused() -> str:
        try:
            return text(client.post(f"/case/tea/{MINE}/refuse", wish).content)
        finally:
            connections.close_all()

    with (
        opened(shops.app, settings=SETTINGS) as taker,
        psycopg.connect(shops.app, autocommit=True) as watching,
        ThreadPoolExecutor(1) as pool,
    ):
        with taker.transaction():
            assert remove_evidence(taker, Place(1, MINE, "主管阿兰", NOON), piece) is None
            told = pool.submit(refused)
            while not told.done() and watching.execute(WAITS).fetchone() == (0,):
                pass
            assert not told.done()
        assert "没有这张凭证" in told.result(timeout=20)
    assert nothing(shops)
