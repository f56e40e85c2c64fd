"""What a person typed into the form that refuses stays, however old the reasons are, whatever changed meanwhile."""

import re
from datetime import timedelta
from html import unescape

import psycopg
import pytest

from aftersale.cases.casework.refusing import Reason, told
from tests.conftest import Database
from tests.people.test_desk import SignIn, asked, text
from tests.people.test_refuse_page import (
    FORM,
    MINE,
    REASONS,
    SLOW,
    WORDS,
    Change,
    answered,
    change,
    nothing,
    photo,
    refusals,
)

__all__ = ["answered", "change"]


def older(shops: Database, minutes: float) -> None:
    """The platform was asked, and answered, that long ago."""
    with psycopg.connect(shops.owner) as conn:
        conn.execute(
            "UPDATE refuse_reasons SET wanted_at = wanted_at - %(ago)s, asked_at = asked_at - %(ago)s,"
            " answered_at = answered_at - %(ago)s",
            {"ago": timedelta(minutes=minutes)},
        )


def answers(shops: Database, version: int, reasons: list[Reason] = REASONS, case: str = MINE) -> None:
    with psycopg.connect(shops.app) as conn:
        told(conn, 1, case, version, reasons, "")


def kept(page: str) -> dict[str, str]:
    """What the page that waits sends with its next look."""
    found = re.search(r"<form[^>]*data-kept.*?</form>", page, re.S)
    assert found is not None, page
    fields = re.findall(r'<(?:input|button)[^>]* name="(\w+)"[^>]* value="([^"]*)"', found[0])
    assert 'method="post"' in found[0]
    return {name: unescape(value) for name, value in fields if name != "csrfmiddlewaretoken"}


def typed(page: str) -> tuple[str, list[str], list[str], list[str]]:
    """The message, the reason and the picture that the form shows chosen, and the version that it is bound to."""
    [message] = re.findall(r"<textarea[^>]*>(.*?)</textarea>", page, re.S)
    return (
        unescape(message),
        re.findall(r'<option value="(\d+)"[^>]* selected>', page),
        re.findall(r'name="evidence" value="(\d+)" checked', page),
        re.findall(r'name="version" value="(\d+)"', page),
    )


def test_a_form_may_be_filled_in_for_longer_than_the_platforms_answer_is_fresh(
    sign_in: SignIn, shops: Database, answered: None
) -> None:
    client, form = sign_in("客服小明"), f"/case/tea/{SLOW}/refuse"
    assert 'name="message"' in client.get(form).content.decode()
    older(shops, 11)
    sent = {"version": 1, "reason": 2, "message": WORDS}
    page = client.post(form, sent).content.decode()
    assert "平台要求附上一张图片凭证" in text(page.encode())
    assert typed(page) == (WORDS, ["2"], [], ["1"])
    assert nothing(shops, SLOW)
    done = client.post(form, {**sent, "proof": photo()})
    assert (done.status_code, done["Location"]) == (302, f"/case/tea/{SLOW}")
    assert [row[:6] for row in refusals(shops, SLOW)] == [
        ("approved", "客服小明", "web", 2, "商品影响二次销售", WORDS)
    ]
    assert client.post(f"/case/tea/{SLOW}/do/undo", {"intent": "refuse"}).status_code == 302
    assert "正在向平台询问" in text(
        client.get(form).content
    )  # whoever begins anew chooses from fresh reasons


@pytest.mark.parametrize("docked", [{}, {"dock": "1"}], ids=["page", "bar"])
@pytest.mark.parametrize("headers", [{"hx-target": "refuse"}, {}], ids=["reloaded", "without scripts"])
def test_what_was_typed_waits_with_the_page_for_the_reasons_of_the_new_version(
    sign_in: SignIn,
    shops: Database,
    change: Change,
    answered: None,
    headers: dict[str, str],
    docked: dict[str, str],
) -> None:
    client, message = sign_in("客服小明"), "亲，<很抱歉>，\r\n因为已经发货，没法同意。"
    change(application_version=2)
    sent = {"version": 1, "reason": 1, "message": message, "proof": photo(), **docked}
    page = client.post(FORM, sent).content.decode()
    assert "刚刚改动了这张售后单" in text(page.encode())
    assert "正在向平台询问" in text(page.encode())
    again = kept(page)
    [(picture,)] = asked(shops, f"SELECT max(id) FROM evidence WHERE case_id = '{MINE}'")
    meant = (again["version"], again["reason"], again["message"], again["evidence"])
    assert meant == ("1", "1", message.replace("\r\n", "\n"), str(picture))
    assert ("dock" in again) is bool(docked)
    page = client.post(FORM, again, headers=headers).content.decode()
    assert kept(page) == again
    older(shops, 0.25)
    page = client.post(FORM, again, headers=headers).content.decode()
    assert "平台没有回答可以选的理由" in text(page.encode())
    assert "load delay" not in page
    assert kept(page) == again
    answers(shops, 2)
    page = client.post(FORM, again, headers=headers).content.decode()
    assert page.strip().startswith('<div class="refuse"') is bool(headers)
    assert "请看过新内容再操作" in text(page.encode())
    assert typed(page) == (again["message"], ["1"], [str(picture)], ["2"])
    assert nothing(shops)


def test_a_reason_that_is_offered_no_longer_leaves_the_place_of_its_words(
    sign_in: SignIn, shops: Database, change: Change, answered: None
) -> None:
    client = sign_in("客服小明")
    change(application_version=2)
    sent = {"version": 1, "reason": 1, "message": "亲，因为已经发货，没法同意。", "gap": "已经发货"}
    again = kept(client.post(FORM, sent).content.decode())
    answers(shops, 2, REASONS[1:])
    page = client.post(FORM, again).content.decode()
    assert typed(page)[1] == []
    assert 'name="gap" value="已经发货"' in page
    assert nothing(shops)


@pytest.mark.parametrize(
    ("message", "more", "gap"),
    [
        ("亲，因为已经发货，没法同意。", {}, "已经发货"),
        ("亲，因为已经发货，没法同意。可以给您【可以给的方案】。", {}, "已经发货"),
        ("亲，因为已经发货，没法同意。", {"reason": 2, "gap": "已经发货"}, "已经发货"),
        ("亲，因为【不能同意的原因】，没法同意。", {"gap": "已经发货"}, "【不能同意的原因】"),
        (WORDS, {"gap": "已经发货"}, "【不能同意的原因】"),
        (WORDS, {"gap": ""}, "【不能同意的原因】"),
    ],
)
def test_after_a_refused_form_another_reason_takes_the_place_of_the_first_ones_words(
    sign_in: SignIn, shops: Database, answered: None, message: str, more: dict[str, object], gap: str
) -> None:
    sent = {"version": 1, "reason": 1, "message": message, **more}
    page = sign_in("客服小明").post(FORM, sent).content.decode()
    assert re.findall(r'name="gap" value="([^"]*)"', page) == [gap]
    assert typed(page)[0] == message
    assert nothing(shops)
