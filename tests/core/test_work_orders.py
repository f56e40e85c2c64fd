"""A work order on its way, whatever people do to it and in whichever order."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftersale.core.facts import RulebookError
from aftersale.core.refusal import Refusal
from aftersale.core.workorders import machine
from aftersale.core.workorders.flow import flow_state
from aftersale.core.workorders.machine import Order
from aftersale.core.workorders.template import Choice, Field, filled
from aftersale.rulebooks import books
from aftersale.rulebooks.workorders.templates import departments, parse, templates

PEOPLE = ("客服小明", "主管阿兰", "仓库老李")
ACTS = ("take", "give_back", "finish", "send_back", "cancel")
Act = tuple[str, int, int, str]


@st.composite
def stages(draw: st.DrawFn) -> list[list[str]]:
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    return [[f"s{n}_{m}" for m in range(size)] for n, size in enumerate(sizes)]


acts = st.lists(
    st.tuples(
        st.sampled_from([*ACTS[:4]] * 6 + ["cancel"]),
        st.integers(0, 11),
        st.integers(0, 11),
        st.sampled_from(PEOPLE),
    ),
    max_size=40,
)


def apply(order: Order, act: Act) -> Order | Refusal:
    name, one, other, by = act
    codes = [step.code for step in order.steps]
    code, to = codes[one % len(codes)], codes[other % len(codes)]
    if name == "take":
        return machine.take(order, code, by)
    if name == "give_back":
        return machine.give_back(order, code)
    if name == "finish":
        return machine.finish(order, code, by)
    return machine.send_back(order, code, to) if name == "send_back" else machine.cancel(order)


def holds(order: Order) -> None:
    """What is true of every order that the machine ever leaves."""
    done = {step.code for step in order.steps if step.state == "done"}
    assert (order.state == "done") == (len(done) == len(order.steps))
    for step in order.steps:
        assert (step.state in ("taken", "done")) == (step.owner is not None)
    if order.state != "open":
        return
    active = [step for step in order.steps if step.active]
    assert active, "an open order on which nobody can do anything"
    first = min(step.stage for step in order.steps if step.state != "done")
    assert {step.stage for step in active} == {first}
    assert all(step.active or step.state == "done" for step in order.steps if step.stage == first)
    assert all(step.state == "done" for step in order.steps if step.stage < first)


@given(stages(), acts)
def test_only_the_first_stage_that_is_not_done_is_worked_on(plan: list[list[str]], todo: list[Act]) -> None:
    order = machine.begun(plan)
    holds(order)
    for act in todo:
        after = apply(order, act)
        if isinstance(after, Refusal):
            continue
        assert order.state == "open", "something changed after the end"
        order = after
        holds(order)


@given(stages(), acts)
def test_what_is_done_is_undone_only_by_sending_it_back(plan: list[list[str]], todo: list[Act]) -> None:
    order = machine.begun(plan)
    for act in todo:
        after = apply(order, act)
        if isinstance(after, Refusal):
            continue
        lost = {s.code for s in order.steps if s.state == "done"} - {
            s.code for s in after.steps if s.state == "done"
        }
        assert len(lost) == (act[0] == "send_back")
        if act[0] in ("finish", "take"):
            code = [step.code for step in order.steps][act[1] % len(order.steps)]
            was = order.step(code)
            assert was is not None
            assert was.owner in (None, act[3]), "somebody else's step was taken away"
        order = after


@given(stages())
def test_the_order_within_a_stage_does_not_matter(plan: list[list[str]]) -> None:
    ends = set()
    for shuffled in (plan, [list(reversed(stage)) for stage in plan]):
        order: Order | Refusal = machine.begun(plan)
        for code in (code for stage in shuffled for code in stage):
            assert isinstance(order, Order)
            order = machine.finish(order, code, "客服小明")
        assert isinstance(order, Order)
        assert order.state == "done"
        ends.add(order)
    assert len(ends) == 1


@given(stages(), st.integers(0, 12))
def test_the_turn_is_what_the_flow_question_answers(plan: list[list[str]], steps: int) -> None:
    order = machine.begun(plan)
    for code in [code for stage in plan for code in stage][:steps]:
        after = machine.finish(order, code, "客服小明")
        assert isinstance(after, Order)
        order = after
    flow: tuple[tuple[str, ...], ...] = tuple(map(tuple, plan))
    said = flow_state(flow=flow, done=tuple(s.code for s in order.steps if s.state == "done"))
    turn: Sequence[str] = (said.current,) if isinstance(said.current, str) else said.current or ()
    assert list(turn) == [step.code for step in order.steps if step.active]
    assert said.finished == (order.state == "done")


def test_a_later_step_sent_back_waits_until_the_earlier_one_is_done_again() -> None:
    order = machine.begun([["weigh", "ask"], ["file"], ["paid"]])
    for code in ("weigh", "ask"):
        order = _order(machine.finish(order, code, "仓库老李"))
    order = _order(machine.take(order, "file", "客服小明"))
    order = _order(machine.send_back(order, "file", "weigh"))
    assert [step.state for step in order.steps] == ["open", "done", "waiting", "waiting"]
    assert _refused(machine.finish(order, "file", "客服小明")) == "not_its_turn"
    assert _refused(machine.send_back(order, "weigh", "ask")) == "not_earlier"
    order = _order(machine.finish(order, "weigh", "仓库老李"))
    assert [step.state for step in order.steps] == ["done", "done", "open", "waiting"]


def test_what_another_took_is_theirs() -> None:
    order = _order(machine.take(machine.begun([["pay"]]), "pay", "财务小周"))
    assert _refused(machine.finish(order, "pay", "主管阿兰")) == "taken"
    assert _refused(machine.take(order, "pay", "主管阿兰")) == "taken"
    assert _order(machine.finish(_order(machine.give_back(order, "pay")), "pay", "主管阿兰")).state == "done"


def _order(found: Order | Refusal) -> Order:
    assert isinstance(found, Order), found
    return found


def _refused(found: Order | Refusal) -> str:
    assert isinstance(found, Refusal), found
    return found.code


AMOUNT = (Field("amount", "金额", "Amount", "fen", required=True),)
BAD_AMOUNTS = """
0 -1 -0.01 1e3 1E3 NaN Infinity inf 1.005 0.001 ١٢ １２ 0x10 1,000 1_000 ¥5 +5 5元 99999999999999999999 100000000.01 1.2.3 . -
"""


@pytest.mark.parametrize("written", [*BAD_AMOUNTS.split(), "", " ", "1 2", "null"])
def test_an_amount_that_is_none_is_refused(written: str) -> None:
    assert isinstance(filled(AMOUNT, {"amount": written}), Refusal)


def test_values_are_kept_in_their_own_kind() -> None:
    fields = (
        *AMOUNT,
        Field("at", "日", "Day", "date"),
        Field("n", "数", "Number", "number"),
        Field("no", "运单", "Waybill", "waybill"),
        Field("how", "怎样", "How", "choice", choices=(Choice("a", "甲", "A"),)),
    )
    given_ = {"amount": " 12.30 ", "at": "2026-11-11", "n": "7", "no": "SF1300000002", "how": "a"}
    assert filled(fields, given_) == {
        "amount": 1230,
        "at": "2026-11-11",
        "n": 7,
        "no": "SF1300000002",
        "how": "a",
    }
    for name, bad in (("at", "2026-02-30"), ("at", "20261111"), ("n", "1.5"), ("no", "<b>"), ("how", "b")):
        assert isinstance(filled(fields, {**given_, name: bad}), Refusal), (name, bad)


def test_a_work_order_that_a_rule_names_is_a_template_of_that_title() -> None:
    named = {
        str(getattr(then["work_order"], "value", None))
        for then in (rule.then for rule in books.book("refund").rules)
        if "work_order" in then
    }
    assert named <= set(templates())
    for code, (title, title_en) in books.titles()["work_order"].items():
        assert (templates()[code].title, templates()[code].title_en) == (title, title_en)


def test_every_department_has_steps_and_somebody_to_do_them() -> None:
    worked = {step.department for one in templates().values() for step in one.steps.values()}
    assert worked == set(departments())
    assert set(departments()) == {"cs", "warehouse", "courier", "finance", "operations", "design"}
    assert any(len(stage) > 1 for one in templates().values() for stage in one.stages)


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("department: finance, hours: 63", "department: treasury, hours: 63", "treasury"),
        ("hours: 63", "hours: 0", "1 到 720"),
        ("kind: fen, required: true, prefill", "kind: money, required: true, prefill", "money"),
        ("code: paid, title", "code: file, title", "两次"),
        ("prefill: item_value_fen", "prefill: buyer_phone", "buyer_phone"),
        ("title_en: Claim from the courier", "titel: x", "titel"),
    ],
)
def test_a_wrong_template_is_refused_with_its_place(was: str, now: str, said: str) -> None:
    text = books.text("work_order_templates.yaml")
    assert was in text
    with pytest.raises(RulebookError, match=said):
        parse(text.replace(was, now))
