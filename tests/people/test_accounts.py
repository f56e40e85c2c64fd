"""Signing in and one's own account, over HTTP against a real database."""

import re
import time
from collections.abc import Callable

import psycopg
import pytest
from django.test import Client

from aftersale.people.accounts import ensure_user
from tests.conftest import Database
from tests.people.conftest import PASSWORD

SignIn = Callable[[str], Client]


def stranger(place: str = "127.0.0.1") -> Client:
    return Client(headers={"host": "127.0.0.1"}, REMOTE_ADDR=place)


def code(secret: str) -> str:
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def again(client: Client) -> None:
    """Whoever changes how they sign in says once more who they are."""
    asked = client.get("/account/code")
    assert (asked.status_code, asked["Location"].split("?")[0]) == (302, "/account/again")
    assert client.post("/account/again", {"password": "wrong"}).status_code == 200
    client.post("/account/again", {"password": PASSWORD})


def enter(client: Client, name: str, password: str = PASSWORD) -> int:
    return client.post("/login", {"username": name, "password": password}).status_code


def test_guesses_lock_one_name_at_one_place_and_never_the_person(shops: Database) -> None:
    ensure_user("客服小秦", PASSWORD, {"tea": "agent"})
    guesser = stranger("203.0.113.7")
    assert [enter(guesser, "客服小秦", f"guess-{n}") for n in range(4)] == [200] * 4
    locked = guesser.post("/login", {"username": "客服小秦", "password": "guess-5"})
    assert locked.status_code == 429
    assert "15 分钟后可以再试" in locked.content.decode()
    assert enter(guesser, "客服小秦") == 429
    assert guesser.get("/board").status_code == 302
    assert enter(stranger("203.0.113.8"), "客服小秦") == 302


def test_signing_in_gives_a_new_session_that_ends(shops: Database, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    ensure_user("客服小许", PASSWORD, {"tea": "agent"})
    client = stranger()
    client.get("/login")
    before = client.session.session_key
    assert enter(client, "客服小许") == 302
    assert client.session.session_key != before
    assert client.get("/board").status_code == 200
    began = time.time()
    monkeypatch.setattr("aftersale.people.accounts.guard.time.time", lambda: began + 121 * 60)
    gone = client.get("/board")
    assert (gone.status_code, gone["Location"]) == (302, "/login?next=/board")
    assert enter(client, "客服小许") == 302
    for hour in range(1, 12):
        monkeypatch.setattr(
            "aftersale.people.accounts.guard.time.time", lambda at=hour: began + 7260 + at * 3600
        )
        assert client.get("/board").status_code == 200, hour
    monkeypatch.setattr("aftersale.people.accounts.guard.time.time", lambda: began + 7260 + 12 * 3600 + 5)
    assert client.get("/board").status_code == 302


def test_a_second_step_is_asked_for_once_it_is_set(shops: Database) -> None:
    ensure_user("财务小陶", PASSWORD, {"tea": "finance"})
    client = stranger()
    enter(client, "财务小陶")
    again(client)
    page = client.get("/account/code").content.decode()
    secret = re.search(r'account-secret">([A-Z2-7]+)<', page)[1]  # type: ignore[index]
    assert client.post("/account/code", {"code": "000000"}).status_code == 200
    done = client.post("/account/code", {"code": code(secret)})
    assert (done.status_code, done["Location"]) == (302, "/account/recovery")
    codes = re.findall(r"<li>(\d{10})</li>", client.get("/account/recovery").content.decode())
    assert len(codes) == 10
    with psycopg.connect(shops.owner) as conn:
        kept = conn.execute("SELECT data::text FROM mfa_authenticator").fetchall()
    assert not any(secret in text for (text,) in kept)

    back = stranger()
    asked = back.post("/login", {"username": "财务小陶", "password": PASSWORD})
    assert asked["Location"] == "/login/second-step"
    assert back.get("/board")["Location"].startswith("/login")
    assert back.post("/login/second-step", {"code": "123"}).status_code == 200
    assert back.get("/board").status_code == 302
    assert back.post("/login/second-step", {"code": codes[0]}).status_code == 302
    assert back.get("/board").status_code == 200
    third = stranger()
    enter(third, "财务小陶")
    assert third.post("/login/second-step", {"code": codes[0]}).status_code == 200  # used up
    assert third.get("/board").status_code == 302


def test_a_role_that_needs_a_second_step_sees_nothing_before_it(shops: Database) -> None:
    ensure_user("财务小姜", PASSWORD, {"snack": "finance"})
    ensure_user("客服小谢", PASSWORD, {"snack": "agent"})
    with psycopg.connect(shops.owner) as conn:
        conn.execute(
            "UPDATE shop SET settings = settings || '{\"mfa_required_roles\": [\"finance\"]}' WHERE code = 'snack'"
        )
    try:
        client, other = stranger(), stranger()
        enter(client, "财务小姜")
        enter(other, "客服小谢")
        assert client.get("/board")["Location"] == "/account"
        assert "您的角色要求两步验证" in client.get("/account").content.decode()
        assert other.get("/board").status_code == 200
        again(client)
        secret = re.search(r'account-secret">([A-Z2-7]+)<', client.get("/account/code").content.decode())[1]  # type: ignore[index]
        client.post("/account/code", {"code": code(secret)})
        assert client.get("/board").status_code == 200
        kept = client.post("/account/code/remove")
        assert kept.status_code == 200
        with psycopg.connect(shops.owner) as conn:
            found = conn.execute(
                "SELECT count(*) FROM mfa_authenticator a JOIN auth_user u ON u.id = a.user_id"
                " WHERE u.username = '财务小姜' AND a.type = 'totp'"
            ).fetchone()
        assert found == (1,)
    finally:
        with psycopg.connect(shops.owner) as conn:
            conn.execute("UPDATE shop SET settings = settings - 'mfa_required_roles' WHERE code = 'snack'")


def test_own_sessions_are_listed_and_ended(shops: Database) -> None:
    ensure_user("客服小魏", PASSWORD, {"tea": "agent"})
    ensure_user("客服小卫", PASSWORD, {"tea": "agent"})
    here, there, foreign = stranger(), stranger("203.0.113.9"), stranger()
    there.defaults["HTTP_USER_AGENT"] = (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0 Safari/537.36 Edg/142.0"
    )
    for client, name in ((here, "客服小魏"), (there, "客服小魏"), (foreign, "客服小卫")):
        enter(client, name)
    page = here.get("/account").content.decode()
    assert "203.0.113.9" in page
    assert "Edge · Windows" in page
    number = re.search(r"/account/sessions/(\d+)/end", page)[1]  # type: ignore[index]
    assert foreign.post(f"/account/sessions/{number}/end").status_code == 404
    assert there.get("/board").status_code == 200
    here.post(f"/account/sessions/{number}/end")
    assert there.get("/board").status_code == 302
    assert here.get("/board").status_code == 200
    enter(there, "客服小魏")
    changed = here.post(
        "/account/password",
        {"oldpassword": PASSWORD, "password1": "spring-rain-42", "password2": "spring-rain-42"},
    )
    assert changed.status_code == 302
    assert there.get("/board").status_code == 302
    assert enter(there, "客服小魏") == 200
    assert enter(there, "客服小魏", "spring-rain-42") == 302


def test_weak_passwords_are_refused(shops: Database) -> None:
    ensure_user("xiaoqian2026", PASSWORD, {"tea": "agent"})
    client = stranger()
    enter(client, "xiaoqian2026")
    for bad in ("short-1", "password123", "1qaz2wsx3edc", "xiaoqian2026"):
        answer = client.post(
            "/account/password", {"oldpassword": PASSWORD, "password1": bad, "password2": bad}
        )
        assert answer.status_code == 200, bad
        assert "his password is" not in answer.content.decode(), bad
    assert enter(stranger(), "xiaoqian2026") == 302


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh-hans", "密码太短，至少要 10 个字符。"),
        ("en", "The password is too short; it needs at least 10 characters."),
    ],
)
def test_how_long_a_password_must_be_is_said_in_the_readers_language(
    shops: Database, language: str, said: str
) -> None:
    ensure_user("客服小余", PASSWORD, {"tea": "agent"})
    client = stranger()
    enter(client, "客服小余")
    client.cookies["django_language"] = language
    form = {"oldpassword": PASSWORD, "password1": "short-1", "password2": "short-1"}
    assert said in client.post("/account/password", form).content.decode()
