"""The script library and what is read out of chats: every script holds what it must, samples are caught."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftersale.core.casework.freight_texts import cover_reply
from aftersale.core.desk.phrases import segments
from aftersale.core.desk.routing import Routing, route_conversations
from aftersale.core.facts import RulebookError
from aftersale.core.language.grammar import SHANGHAI
from aftersale.core.talk.parts import parts_of, said
from aftersale.core.talk.promise import Obligation, obligations
from aftersale.core.talk.reply import checked, findings
from aftersale.core.talk.script import fill, parse_library
from aftersale.core.talk.times import due_moment
from aftersale.rulebooks import books, talk

LIBRARY, LEXICON = books.scripts(), talk.lexicon()
EXAMPLES = {name: place.example for name, place in LIBRARY.placeholders.items()}
SAID_AT = datetime(2023, 11, 14, 15, tzinfo=SHANGHAI)
ANNEX_4 = frozenset(
    {
        "dun_not_due", "wrong_number", "courier_24h", "delay_plan_1",
        "delay_plan_2", "delay_plan_3", "out_of_stock", "stalled_reply",
        "cover_as_page_shows", "cover_condition_not_met", "freight_cover_explained", "return_address_notice",
        "cover_void", "missing_resend", "guide_freight_refund", "soothe",
        "apology_return", "address_change_signed_gentle", "not_our_product", "cancel_refund",
        "refuse_parcel", "fill_return_number", "refuse_explain", "inspect_before_sign",
    }
)  # fmt: skip
WORDINGS = [(code, at) for code, script in LIBRARY.scripts.items() for at in range(len(script.variants))]

PROPER = """
亲，很抱歉，已经联系快递核实，今天18点前给您答复
我帮您催一下快递，今天下午5点前回复您
亲，抱歉快递延误了，我们来负责，今天给您补发
好的亲
好的，马上给您退款
您好，请提供订单号
谢谢您的理解
稍等，马上为您查询
亲，快递显示明天派送
亲，质量问题我们承担运费
亲，确认收货后15天内仍可申请售后，您的权益不变
不需要您先确认收货，直接申请退款就好
您先看看商品，满意再确认收货就好
亲，退款会原路退回您的微信零钱
请不要相信加微信的陌生人
亲，退货地址：杭州市余杭区文一西路1号，收件人张三，电话13800001111
看看这款 https://mobile.yangkeduo.com/goods.html?goods_id=1
亲，QQ糖已经给您补发了
一定会给您处理好的
亲，不能保证明天一定到，快递预计2到3天
亲，您的差评我们看到了，很抱歉，想了解一下具体哪里不满意
""".strip().splitlines()


def test_every_category_of_the_field_is_there() -> None:
    assert ANNEX_4 - set(LIBRARY.scripts) == set()
    assert set(LIBRARY.seeds) < ANNEX_4


@pytest.mark.parametrize(("code", "at"), WORDINGS)
def test_a_script_holds_what_it_must_and_passes_every_check(code: str, at: int) -> None:
    script = LIBRARY.scripts[code]
    filled = fill(script, EXAMPLES, at)
    assert filled.text is not None
    assert "{" not in filled.text.replace("{link}", "")
    assert set(script.must) - said(filled.text, LEXICON) == set()
    assert findings(filled.text, LEXICON, talk_words()) == ()
    assert script.variants[at].gloss
    assert re.search("[\u4e00-\u9fff]", script.when)
    assert script.when_en


def talk_words() -> tuple[str, ...]:
    return tuple(books.book("desk").settings["recommended_banned_words"].default)  # type: ignore[arg-type]


def test_what_a_script_must_hold_is_known_and_numbered() -> None:
    for script in LIBRARY.scripts.values():
        assert set(script.must) <= set(LEXICON.parts), script.code
        assert re.fullmatch(r"R-\d{3}", script.requirement), script.code


def test_only_the_agents_own_group_starts_empty() -> None:
    assert [one.code for one in LIBRARY.groups if not LIBRARY.in_group(one.code)] == ["favourites"]


def test_a_script_with_a_gap_is_never_text() -> None:
    script = LIBRARY.scripts["delay_plan_1"]
    values = {**EXAMPLES, "gift": None, "ship_hours": ""}
    assert fill(script, values).text is None
    assert fill(script, values).missing == ("ship_hours", "gift")
    assert fill(script, {**EXAMPLES, "ship_hours": "36"}).text.count("36小时内") == 1  # type: ignore[union-attr]


def test_what_automation_sends_needs_nothing_but_the_case() -> None:
    for action in books.actions().values():
        if action.script:
            wording = LIBRARY.scripts[action.script].variants[0]
            assert action.message == wording.text
            assert set(wording.placeholders) <= {"order_id", "amount", "tracking_no"}


def test_the_answers_on_freight_cover_say_what_their_rule_wants() -> None:
    for question in ("有退货包运费吗", "别人怎么有运费险"):
        reply = cover_reply(question=question, cover_other_words=("别人",))
        assert reply.must_contain in LIBRARY.scripts[reply.script].variants[0].text


@pytest.mark.parametrize(
    ("kind", "sample"), [(k, one) for k, all_ in LIBRARY.blocked.items() for one in all_]
)
def test_a_blocked_sample_is_found_and_not_sent(kind: str, sample: str) -> None:
    found = checked(sample, LEXICON)
    assert kind in found.kinds
    assert (found.flagged, found.send_allowed) == (True, False)


def test_every_check_has_its_samples() -> None:
    assert {check.kind for check in LEXICON.checks} == set(LIBRARY.blocked)


@pytest.mark.parametrize("message", PROPER)
def test_a_proper_reply_is_sent(message: str) -> None:
    assert findings(message, LEXICON) == ()
    assert checked(message, LEXICON).send_allowed


def test_an_apology_does_not_make_an_empty_reply_full() -> None:
    assert checked("亲，不好意思，我帮您催一下哦", LEXICON).kinds == ("perfunctory",)
    assert checked("亲，不好意思，我帮您催一下，明天10点前回复您", LEXICON).kinds == ()


def test_hidden_and_wide_characters_hide_nothing() -> None:
    for message in ("加我微 信", "加我微\u200b信", "加我ＷＸ：ａｂｃ", "加我V信"):
        assert checked(message, LEXICON).kinds == ("off_platform",), message


def test_parts_of_a_reply_with_a_plan_that_needs_no_apology() -> None:
    found = parts_of("亲，稍等哦", LEXICON, LIBRARY.scripts["dun_not_due"])
    assert found.missing == ("promise_time", "shipping_order", "urgent_mark")


def _promises() -> list[tuple[str, str]]:
    lines = Path(__file__).with_name("talk_promises.txt").read_text("utf-8").splitlines()
    rows = [line.split("|") for line in lines if line and not line.startswith("#")]
    return [(message.strip(), expected.strip()) for message, expected in rows]


def _shown(one: Obligation) -> str:
    due = one.due_at.astimezone(SHANGHAI).isoformat()[:16] if one.due_at else "-"
    return " ".join(
        [
            one.kind,
            due,
            *([str(one.amount)] if one.amount else []),
            *(["conditional"] if one.conditional else []),
        ]
    )


@pytest.mark.parametrize(("message", "expected"), _promises())
def test_what_was_promised_and_until_when(message: str, expected: str) -> None:
    assert "; ".join(map(_shown, obligations(message, LEXICON, SAID_AT, 24))) == expected


def test_the_shops_own_deadline_of_a_resend_and_a_viewer_elsewhere() -> None:
    (found,) = obligations("亲，给您补发", LEXICON, SAID_AT.astimezone(UTC), 12)
    assert found.due_at == datetime(2023, 11, 15, 3, tzinfo=SHANGHAI)
    late = datetime(2023, 11, 14, 16, 30, tzinfo=UTC)  # half past midnight of the 15th in Shanghai
    assert due_moment("今天", late) == datetime(2023, 11, 15, 23, 59, 59, tzinfo=SHANGHAI)


def test_days_that_do_not_exist_are_the_next_that_do() -> None:
    february = datetime(2024, 2, 10, 9, tzinfo=SHANGHAI)
    assert due_moment("30号前", february) == datetime(2024, 3, 30, 23, 59, 59, tzinfo=SHANGHAI)
    assert due_moment("2月30日", february) is None
    assert due_moment("2月9日", february) == datetime(2025, 2, 9, 23, 59, 59, tzinfo=SHANGHAI)


@given(
    st.dictionaries(st.sampled_from("ABCDEF"), st.integers(0, 9), max_size=6),
    st.sets(st.sampled_from("ABCDEF")),
    st.integers(0, 1000),
    st.none() | st.integers(0, 200),
)
def test_routing_loses_nobody_and_respects_weight(
    agents: dict[str, int], offline: set[str], conversations: int, load_max: int | None
) -> None:
    found = route_conversations(
        agents=agents,  # type: ignore[arg-type]
        conversations=conversations,
        offline=tuple(offline),
        load_max=load_max,
    )
    assert isinstance(found, Routing)
    assert sum(found.assigned.values()) + found.waiting == conversations
    assert all(not found.assigned[name] for name in agents if name in offline or not agents[name])
    assert load_max is None or max(found.assigned.values(), default=0) <= load_max
    open_for = [name for name in agents if agents[name] and name not in offline]
    if load_max is None and open_for:
        total = sum(agents[name] for name in open_for)
        assert all(abs(found.assigned[one] - conversations * agents[one] / total) < 1 for one in open_for)


@given(st.text(alphabet="亲您好。！a \n", max_size=200), st.integers(1, 30))
def test_a_long_answer_in_parts_is_the_answer(text: str, limit: int) -> None:
    found = segments(text=text, segment_chars=limit)
    assert "".join(found.texts) == text
    assert found.order_kept
    assert all(len(one) <= limit for one in found.texts)
    assert found.parts == len(found.texts)


def test_a_library_that_names_what_is_not_there_is_refused() -> None:
    text = books.text("scripts.yaml")
    with pytest.raises(RulebookError, match="占位符"):
        parse_library(text.replace("{promised_at}前", "{promised}前"))
    with pytest.raises(RulebookError, match="没有这个话术"):
        parse_library(text.replace("script: greeting, plan", "script: greting, plan"))


def test_every_step_that_the_assistant_proposes_has_a_title() -> None:
    known = {*books.actions(), *(value for values in books.titles().values() for value in values)}
    assert {step for topic in LIBRARY.topics for step in topic.plan} - known == set()


def test_every_part_of_a_script_has_its_titles() -> None:
    named = {part for script in books.scripts().scripts.values() for part in script.must}
    assert named - set(books.titles()["parts"]) == set()
