"""A row whose own target is due before the platform's deadline says so; red is only the platform's."""

import re
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
from django.test import Client

from tests.conftest import Database
from tests.people.shops import NOON, case_id

SignIn = Callable[[str], Client]
MINE = case_id(1, 3)
PLATFORM = NOON + timedelta(hours=9)


def pill(page: str, case: str) -> tuple[str, str, str]:
    row = page[page.index(f'id="row-tea-{case}"') :]
    found = re.search(r'class="left left-(\w+)" title="([^"]*)">([^<]*)<', row)
    assert found
    return found[1], found[2], found[3]


@pytest.mark.parametrize(
    ("own_minutes", "platform", "wanted"),
    [
        (-291, PLATFORM, ("own", "内部时限 11-11 07:09，平台期限 11-11 21:00", "内部时限 已超 4小时51分")),
        (-291, None, ("own", "内部时限 11-11 07:09，平台期限 —", "内部时限 已超 4小时51分")),
        (65, PLATFORM, ("amber", "内部时限 11-11 13:05，平台期限 11-11 21:00", "内部时限 1小时5分")),
        (185, PLATFORM, ("amber", "内部时限 11-11 15:05，平台期限 11-11 21:00", "内部时限 3小时5分")),
        (540, PLATFORM, ("amber", "截止 11-11 21:00", "9小时0分")),
        (-291, NOON - timedelta(minutes=291), ("late", "截止 11-11 07:09", "已超时 4小时51分")),
    ],
)
def test_the_pill_names_whose_clock_it_shows(
    sign_in: SignIn, shops: Database, own_minutes: int, platform: object, wanted: tuple[str, str, str]
) -> None:
    due_at = NOON + timedelta(minutes=own_minutes)
    with psycopg.connect(shops.owner) as conn:
        conn.execute("DELETE FROM queue_item WHERE shop_id = 1 AND case_id = %s", (MINE,))
        conn.execute(
            "INSERT INTO queue_item (shop_id, case_id, queue, due_at, since) VALUES (1, %s, 'manual', %s, %s)",
            (MINE, due_at, NOON),
        )
        conn.execute("UPDATE cases SET due_at = %s WHERE shop_id = 1 AND case_id = %s", (platform, MINE))
    client = sign_in("客服小明")
    assert pill(client.get("/queue?shop=tea").content.decode(), MINE) == wanted
    head = client.get(f"/case/tea/{MINE}").content.decode()
    assert f'class="left left-{wanted[0]}" title="{wanted[1]}">{wanted[2]}<' in head
