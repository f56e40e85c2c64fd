"""`/account/tokens`: one's own tokens for programs."""

import re

import psycopg
from django.test import Client

from aftersale.people.accounts import ensure_user
from tests.conftest import Database
from tests.people.conftest import PASSWORD

PAGE = "/account/tokens"


def signed_in(name: str, role: str, *, known: bool = True) -> Client:
    """`known`: they have just said once more who they are."""
    ensure_user(name, PASSWORD, {"tea": role})
    client = Client(headers={"host": "127.0.0.1"})
    assert client.post("/login", {"username": name, "password": PASSWORD}).status_code == 302
    if known:
        client.post("/account/again", {"password": PASSWORD})
    return client


def kept(shops: Database, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(shops.owner) as conn:
        return conn.execute(query.encode()).fetchall()


def asks(token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return Client(headers={"host": "127.0.0.1"}).get("/api/ask", headers=headers).status_code


def test_a_token_is_made_shown_once_used_and_ended(shops: Database) -> None:
    boss = signed_in("店主老令", "owner")
    made = boss.post(PAGE, {"name": " 报表 ", "days": "30", "acts": "1"})
    found = re.search(r"aftersale_[\w-]{43}", made.content.decode())
    assert found is not None
    assert (made.status_code, made["Cache-Control"], asks(found[0])) == (200, "no-store", 200)
    again = boss.get(PAGE).content.decode()
    assert (found[0] in again, "报表" in again, "最近一次使用：" in again) == (False, True, True)
    assert kept(shops, "SELECT name, acts, ends_at = made_at + interval '30 days' FROM api_token") == [
        ("报表", True, True)
    ]
    stranger = signed_in("客服小令", "agent")
    assert "报表" not in stranger.get(PAGE).content.decode()
    assert "没有这个令牌" in stranger.post(f"{PAGE}/end", {"name": "报表"}, follow=True).content.decode()
    assert asks(found[0]) == 200
    assert "令牌「报表」已停用。" in boss.post(f"{PAGE}/end", {"name": "报表"}, follow=True).content.decode()
    assert asks(found[0]) == 401
    told = kept(shops, "SELECT who, shop_id, what, target FROM audit WHERE what LIKE 'token%' ORDER BY id")
    assert told == [("店主老令", 1, "token", "报表"), ("店主老令", 1, "token_end", "报表")]
    log = boss.get("/audit").content.decode()
    assert ("生成令牌" in log, "停用令牌" in log) == (True, True)


def test_what_is_wrong_is_said_and_makes_nothing(shops: Database) -> None:
    agent, before = signed_in("客服小令", "agent"), kept(shops, "SELECT count(*) FROM api_token")
    assert 'value="never"' not in agent.get(PAGE).content.decode()
    for form, why in (
        ({"name": "erp", "days": "never"}, "只有店主的令牌可以没有期限"),
        ({"name": "erp", "days": "31"}, "令牌的期限是 30、90 或 365 天"),
        ({"name": "erp"}, "令牌的期限是 30、90 或 365 天"),
        ({"name": " ", "days": "30"}, "令牌要有一个 1 到 60 个字的名字"),
        ({"name": "长" * 61, "days": "30"}, "令牌要有一个 1 到 60 个字的名字"),
    ):
        assert why in agent.post(PAGE, form, follow=True).content.decode(), form
    assert kept(shops, "SELECT count(*) FROM api_token") == before
    agent.post(PAGE, {"name": "erp", "days": "90"})
    assert (
        "已经有叫这个名字的令牌"
        in agent.post(PAGE, {"name": "erp", "days": "90"}, follow=True).content.decode()
    )
    rows = kept(
        shops, "SELECT acts, ends_at = made_at + interval '90 days' FROM api_token WHERE name = 'erp'"
    )
    assert rows == [(False, True)]


def test_the_shops_owner_may_have_one_without_an_end(shops: Database) -> None:
    boss = signed_in("店主老令", "owner")
    assert 'value="never"' in boss.get(PAGE).content.decode()
    boss.post(PAGE, {"name": "ever", "days": "never"})
    assert kept(shops, "SELECT ends_at FROM api_token WHERE name = 'ever'") == [(None,)]
    assert "没有期限" in boss.get(PAGE).content.decode()


def test_whoever_makes_one_says_once_more_who_they_are(shops: Database) -> None:
    client, count = (
        signed_in("客服小令", "agent", known=False),
        "SELECT count(*) FROM api_token WHERE name = 'late'",
    )
    assert client.get(PAGE).status_code == 200
    asked = client.post(PAGE, {"name": "late", "days": "30"})
    assert (asked.status_code, asked["Location"].split("?")[0]) == (302, "/account/again")
    assert kept(shops, count) == [(0,)]
    wrong = client.post(asked["Location"], {"password": "wrong"})
    assert (wrong.status_code, kept(shops, count)) == (200, [(0,)])
    made = client.post(asked["Location"], {"password": PASSWORD}, follow=True)
    assert re.search(r"aftersale_[\w-]{43}", made.content.decode())
    assert kept(shops, count) == [(1,)]
