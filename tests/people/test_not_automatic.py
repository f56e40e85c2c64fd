"""Why a case was not handled by itself is said where people first look."""

import html
import re
from collections.abc import Callable

from django.test import Client

from tests.people.shops import case_id

SignIn = Callable[[str], Client]
LACKED = (
    "没有自动办理：「未发货仅退款自动退」差 1 条 ✗ 申请金额 ¥399.00 超过 未发货仅退款自动退的上限 ¥200.00"
)


def text(page: bytes) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.decode())))


def test_the_case_and_the_bar_of_its_row_name_what_was_lacking(sign_in: SignIn) -> None:
    client, mine = sign_in("客服小明"), case_id(1, 12)
    page = text(client.get(f"/case/tea/{mine}").content)
    assert LACKED in page.replace("： ", "：")
    assert page.index("没有自动办理") < page.index("下一步")
    assert LACKED in text(client.get(f"/queue/dock/tea/{mine}").content).replace("： ", "：")


def test_reasons_are_words_and_no_codes(sign_in: SignIn) -> None:
    page = text(sign_in("客服小明").get(f"/case/tea/{case_id(1, 2)}").content)
    assert "自动同意退货的原因 不喜欢、七天无理由、不想要了、拍错" in page
    assert "seven_day_no_reason" not in page


def test_what_needs_nobody_says_so(sign_in: SignIn) -> None:
    page = text(sign_in("客服小明").get(f"/case/tea/{case_id(1, 0)}").content)
    assert "不需要人处理" in page
    assert "没有自动办理" not in page


def test_what_is_not_yours_tells_nothing(sign_in: SignIn) -> None:
    assert sign_in("外人老吴").get(f"/queue/dock/tea/{case_id(1, 12)}").status_code == 404
