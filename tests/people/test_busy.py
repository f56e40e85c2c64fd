"""A case that another transaction holds for longer than one waits: tried again, and said when it stays so (F17)."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from django.http import HttpResponse
from django.test import Client

from aftersale.cases import again
from aftersale.cases.rows import record_connection
from tests.conftest import Database
from tests.people.shops import case_id
from tests.people.test_bulk import SMALL, asked, confirm, preview, work

SignIn = Callable[[str], Client]
PLANNED = "SELECT case_id, amount_fen FROM intent WHERE money AND case_id = ANY(%s) ORDER BY case_id"
BOSS = "主管阿兰"


class LetGo(logging.Handler):
    """Ends `holder` as soon as somebody says that he met it."""

    def __init__(self, holder: psycopg.Connection[tuple[object, ...]]) -> None:
        super().__init__()
        self.holder, self.met = holder, 0

    def emit(self, record: logging.LogRecord) -> None:
        self.met += 1
        self.holder.rollback()


@contextmanager
def held(shops: Database, case: str, lets_go: bool) -> Iterator[LetGo]:
    with psycopg.connect(shops.owner) as holder:
        holder.execute("SELECT 1 FROM cases WHERE case_id = %s FOR UPDATE", (case,))
        met = LetGo(holder)
        if lets_go:
            again.log.addHandler(met)
            again.log.setLevel(logging.INFO)
        try:
            yield met
        finally:
            again.log.removeHandler(met)
            holder.rollback()


def test_a_bulk_waits_for_a_case_that_another_holds(sign_in: SignIn, shops: Database) -> None:
    client = sign_in(BOSS)
    confirm(client, preview(client, act="agree_refund", pick=[f"tea:{one}" for one in SMALL]))
    with held(shops, SMALL[1], lets_go=True) as holder:
        work(shops, lock_timeout="50ms")
    assert holder.met == 1
    assert asked(shops, PLANNED, SMALL) == [(one, 1250) for one in SMALL]


HELD, HELD_FEN = case_id(1, 44), 39_900


def agree(client: Client) -> HttpResponse:
    client.raise_request_exception = False
    record_connection().execute("SET lock_timeout = '50ms'")
    return client.post(f"/case/tea/{HELD}/do/agree_refund", {"version": "1", "amount_fen": HELD_FEN})


def test_a_click_waits_for_a_case_that_another_holds_and_says_when_it_gave_up(
    sign_in: SignIn, shops: Database
) -> None:
    client = sign_in(BOSS)
    with held(shops, HELD, lets_go=False):
        answer = agree(client)
    assert answer.status_code == 503
    assert "这里正在被别的操作占用，您的操作没有保存。" in answer.content.decode()
    assert asked(shops, PLANNED, [HELD]) == []
    with held(shops, HELD, lets_go=True) as holder:
        assert agree(client).status_code == 302
    assert holder.met == 1
    assert asked(shops, PLANNED, [HELD]) == [(HELD, HELD_FEN)]
