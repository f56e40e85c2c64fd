"""Signing in as people do it, in a real browser: from the invitation to a recovery code, and with a security key."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from aftersale.people.accounts import ensure_user
from tests.conftest import Database
from tests.people.browser import chromium, enter, site
from tests.people.conftest import PASSWORD
from tests.people.test_accounts import code
from tests.people.test_members import link


@pytest.fixture(scope="module")
def owner(shops: Database) -> Client:
    """店主林姐, signed in; made before the browser starts, which forbids the database to its thread."""
    ensure_user("店主林姐", PASSWORD, {"tea": "owner"})
    ensure_user("客服小钥", PASSWORD, {"tea": "agent"})
    client = Client(headers={"host": "127.0.0.1"})
    client.post("/login", {"username": "店主林姐", "password": PASSWORD})
    return client


@pytest.fixture(scope="module")
def invitation(owner: Client) -> str:
    return link(owner.post("/settings/people/tea/invite", {"role": "agent", "note": "新人"}).content)


@pytest.fixture(scope="module")
def place(invitation: str) -> Iterator[tuple[str, Browser]]:
    """Keys are bound to a name, never to a number: the browser comes to localhost."""
    with site() as address, chromium() as browser:
        yield address.replace("127.0.0.1", "localhost"), browser


@pytest.fixture
def page(place: tuple[str, Browser]) -> Iterator[Page]:
    """A browser of its own; at the end it has complained about nothing."""
    complaints: list[str] = []
    page = place[1].new_context(base_url=place[0], viewport={"width": 390, "height": 844}).new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.context.close()
    assert complaints == []


def confirm(page: Page) -> None:
    """Whoever changes how they sign in says once more who they are."""
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="继续").click()


def sign_out(page: Page) -> None:
    page.context.clear_cookies(name="sessionid")


def password_step(page: Page, name: str) -> None:
    page.goto("/login")
    page.get_by_label("账号").fill(name)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    page.wait_for_url("**/login/second-step")


def test_from_the_invitation_to_a_recovery_code(page: Page, invitation: str) -> None:
    page.goto(invitation)
    page.get_by_label("用户名").fill("客服小新")
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_label("密码确认").fill(PASSWORD)
    page.get_by_role("button", name="加入").click()
    page.wait_for_url("**/queue")
    page.goto("/account")
    page.get_by_role("link", name="设置验证器").click()
    confirm(page)
    page.locator("#id_code").fill(code(page.locator(".account-secret").inner_text()))
    page.get_by_role("button", name="启用验证器").click()
    page.wait_for_url("**/account/recovery")
    codes = page.locator(".account-codes li").all_inner_texts()
    assert len(set(codes)) == 10

    sign_out(page)
    password_step(page, "客服小新")
    page.locator("#id_code").fill(codes[0])
    page.get_by_role("button", name="登录", exact=True).click()
    page.wait_for_url("**/queue")
    page.goto("/account")
    expect(page.get_by_text("还剩 9 个")).to_be_visible()

    sign_out(page)
    password_step(page, "客服小新")
    page.locator("#id_code").fill(codes[0])
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.locator(".invalid-feedback")).to_be_visible()
    page.goto("/queue")
    expect(page).to_have_url(re.compile("/login"))
    assert page.request.get(invitation).status == 404


def test_a_security_key_is_added_and_lets_in(page: Page) -> None:
    chrome = page.context.new_cdp_session(page)
    chrome.send("WebAuthn.enable")
    key = chrome.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "usb",
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )["authenticatorId"]
    enter(page, "", "客服小钥", PASSWORD)
    page.goto("/account/keys/add")
    confirm(page)
    page.get_by_label("给它起个名字").fill("办公桌上的")
    page.get_by_role("button", name="添加").click()
    page.wait_for_url("**/account/recovery")
    page.goto("/account")
    expect(page.get_by_text("办公桌上的")).to_be_visible()

    sign_out(page)
    password_step(page, "客服小钥")
    page.get_by_role("button", name="用安全密钥或指纹").click()
    page.wait_for_url("**/queue")

    sign_out(page)
    chrome.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": key})
    other = {"protocol": "ctap2", "transport": "usb", "automaticPresenceSimulation": True}
    chrome.send("WebAuthn.addVirtualAuthenticator", {"options": other})
    password_step(page, "客服小钥")
    failed = page.get_by_text("没有读到安全密钥")
    expect(failed).to_be_hidden()
    page.get_by_role("button", name="用安全密钥或指纹").click()
    expect(failed).to_be_visible()
    page.goto("/queue")
    expect(page).to_have_url(re.compile("/login"))
