"""Who has lost their second step gets in again through an owner or the server, and through nobody else."""

import re
import subprocess
import sys
from collections.abc import Callable

import psycopg
import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import User
from django.test import Client

from aftersale.people.accounts import ensure_user
from tests.conftest import Database
from tests.people.conftest import PASSWORD
from tests.people.test_accounts import again, code, enter, stranger

SignIn = Callable[[str], Client]
COUNT = "SELECT count(*) FROM mfa_authenticator a JOIN auth_user u ON u.id = a.user_id WHERE u.username = %s"
TOLD = "SELECT who, shop_id, why FROM audit WHERE what = 'second_step' AND target = %s ORDER BY id"


def asked(shops: Database, query: str, *params: object) -> list[tuple[object, ...]]:
    with psycopg.connect(shops.owner) as conn:
        return conn.execute(query, params).fetchall()


def with_step(name: str, roles: dict[str, str]) -> tuple[int, str]:
    """A person with an authenticator and recovery codes; their number and the secret."""
    number = ensure_user(name, PASSWORD, roles)
    secret = generate_totp_secret()
    user = User.objects.get(pk=number)
    TOTP.activate(user, secret)
    RecoveryCodes.activate(user)
    return number, secret


def signed_in(name: str, secret: str) -> Client:
    client = stranger()
    enter(client, name)
    assert client.post("/login/second-step", {"code": code(secret)}).status_code == 302
    assert client.get("/board").status_code == 200
    return client


@pytest.fixture(scope="module", autouse=True)
def owner(shops: Database) -> None:
    ensure_user("店主林姐", PASSWORD, {"tea": "owner", "snack": "owner"})


def test_an_owner_resets_it_and_the_person_is_told(sign_in: SignIn, shops: Database) -> None:
    number, secret = with_step("财务小方", {"tea": "finance", "snack": "finance"})
    client = signed_in("财务小方", secret)
    lin = sign_in("店主林姐")
    assert "重设 财务小方 的两步验证" in lin.get(f"/settings/people/tea/{number}").content.decode()
    done = lin.post(f"/settings/people/tea/{number}/second-step", {"why": " 手机丢了 "}, follow=True)
    assert "财务小方 的两步验证已重设" in done.content.decode()
    assert asked(shops, COUNT, "财务小方") == [(0,)]
    assert asked(shops, TOLD, "财务小方") == [("店主林姐", 1, "手机丢了"), ("店主林姐", 2, "手机丢了")]
    assert client.get("/board")["Location"].startswith("/login")
    twice = lin.post(f"/settings/people/tea/{number}/second-step", {"why": "再来一次"}, follow=True)
    assert "没有设置两步验证，不用重设" in twice.content.decode()

    assert enter(client, "财务小方") == 302
    assert client.get("/board")["Location"] == "/account"
    page = client.get("/account").content.decode()
    assert "店主林姐 重设了您的两步验证。原因：手机丢了" in page
    assert "请先重新设置验证器或安全密钥" in page
    client.post("/account/reset-seen")
    assert client.get("/board")["Location"] == "/account"
    again(client)
    found = re.search(r'account-secret">([A-Z2-7]+)<', client.get("/account/code").content.decode())
    assert found
    fresh = found[1]
    assert fresh != secret
    assert client.post("/account/code", {"code": code(fresh)}).status_code == 302
    assert client.get("/board").status_code == 200
    assert "重设了您的两步验证" in client.get("/account").content.decode()
    client.post("/account/code/remove")
    assert asked(shops, COUNT + " AND a.type = 'totp'", "财务小方") == [(1,)]
    client.post("/account/reset-seen")
    assert "重设了您的两步验证" not in client.get("/account").content.decode()
    client.post("/account/code/remove")
    assert asked(shops, COUNT + " AND a.type = 'totp'", "财务小方") == [(0,)]
    assert client.get("/board").status_code == 200


def test_nobody_else_resets_it(sign_in: SignIn, shops: Database) -> None:
    number, secret = with_step("客服小余", {"tea": "agent"})
    own, own_secret = with_step("店主老唐", {"tea": "owner"})
    both, _ = with_step("客服小两", {"tea": "agent", "wu": "agent"})
    kept = asked(shops, "SELECT id, user_id, type, data::text FROM mfa_authenticator ORDER BY id")
    why = {"why": "手机丢了"}
    address = f"/settings/people/tea/{number}/second-step"
    assert sign_in("客服小明").post(address, why).status_code == 403
    lead = sign_in("主管阿兰").post(address, why, follow=True)
    assert "只能由这个人所在全部店铺的店主来重设" in lead.content.decode()
    wu = sign_in("外人老吴")
    nothing = wu.post("/settings/people/tea/999999/second-step", why)
    for foreign in (address, f"/settings/people/wu/{number}/second-step"):
        answer = wu.post(foreign, why)
        assert (answer.status_code, answer.content) == (404, nothing.content)
    half = wu.post(f"/settings/people/wu/{both}/second-step", why, follow=True)
    assert "只能由这个人所在全部店铺的店主来重设" in half.content.decode()
    tang = signed_in("店主老唐", own_secret)
    self = tang.post(f"/settings/people/tea/{own}/second-step", why, follow=True)
    assert "丢了就请别的店主来重设" in self.content.decode()
    for bad in ("", "   ", "因" * 501):
        tang.post(address, {"why": bad})
    assert tang.get(address).status_code == 405
    assert stranger().post(address, why).status_code == 302
    signed_in("客服小余", secret)
    assert asked(shops, "SELECT id, user_id, type, data::text FROM mfa_authenticator ORDER BY id") == kept
    numbers = [number, own, both]
    assert asked(shops, "SELECT 1 FROM step_reset WHERE user_id = ANY(%s)", numbers) == []
    assert tang.get("/board").status_code == 200


def test_the_server_lets_the_last_owner_in(shops: Database) -> None:
    number, secret = with_step("店主老童", {"snack": "owner"})
    client = signed_in("店主老童", secret)

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "aftersale", "user", "reset-second-step", *words]
        return subprocess.run(line, env=shops.environment(), capture_output=True, text=True, check=False)

    for words, why in (
        (("店主老童", "--why", " "), "请写明原因"),
        (("没有这个人", "--why", "手机丢了"), "没有叫 没有这个人 的账号"),
        (("客服小明", "--why", "手机丢了"), "没有设置两步验证"),
    ):
        odd = command(*words)
        assert (odd.returncode, odd.stderr.count("\n"), why in odd.stderr) == (1, 1, True), odd.stderr
    assert command("店主老童").returncode == 2
    assert client.get("/board").status_code == 200
    done = command("店主老童", "--why", "手机丢了，当面确认过")
    assert (done.returncode, done.stderr) == (0, "")
    [(who, shop, reason)] = asked(shops, TOLD, "店主老童")
    assert (str(who).partition(":")[0], shop, reason) == ("server", 2, "手机丢了，当面确认过")
    assert client.get("/board").status_code == 302
    enter(client, "店主老童")
    assert client.get("/board")["Location"] == "/account"
    assert "服务器管理员重设了您的两步验证" in client.get("/account").content.decode()
    assert asked(shops, "SELECT count(*) FROM step_reset WHERE user_id = %s", number) == [(1,)]
