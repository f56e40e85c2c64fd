"""The budget of automatic money is a constraint: the exact refund that fits leaves, the next cannot, by whatever way."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.errors import CheckViolation, RaiseException

from aftersale.cases.settings import set_settings
from aftersale.clock import follow
from aftersale.pg.connect import opened
from tests.conftest import Database
from tests.flow.desk import NOON, Desk

_PLAN = """
INSERT INTO intent (shop_id, case_id, kind, platform_version, amount_fen, order_id, money, state, due_at, planned_by,
  approved_by, created_at, changed_at)
VALUES (1, %s, 'agree_refund', 1, %s, 'T1', true, 'approved', now(), 'rule:all', %s, now(), now())
"""
_CASE = """
WITH held AS (INSERT INTO order_money AS m (shop_id, order_id, paid_fen, held_fen) VALUES (1, 'T1', 100000000, %(fen)s)
  ON CONFLICT (shop_id, order_id) DO UPDATE SET held_fen = m.held_fen + excluded.held_fen)
INSERT INTO cases (shop_id, case_id, order_id, platform, application_version, state, amount_fen, first_seen_at)
VALUES (1, %(case_id)s, 'T1', 'tmall', 1, 'applied', 1, now())
"""
_SEND = "UPDATE intent SET state = 'sending' WHERE case_id = ANY (%s) AND state = 'approved'"
_ASK = "UPDATE intent SET nones = nones + 1, asked_at = clock_timestamp() WHERE state = 'unknown' AND case_id = ANY (%s)"
_GO = "UPDATE intent SET state = %s, outcome = 'later: x', asked_at = clock_timestamp() WHERE case_id = ANY (%s)"


def plan(desk: Desk, *cases: tuple[str, int], by: str = "rule:all") -> None:
    for case_id, amount_fen in cases:
        desk.conn.execute(_CASE, {"case_id": case_id, "fen": amount_fen})
        desk.conn.execute(_PLAN, (case_id, amount_fen, by))
    desk.conn.commit()


def limit(desk: Desk, **values: object) -> None:
    """The shop's own settings."""
    assert isinstance(set_settings(desk.conn, "ming", values, "店主", NOON), int)


def clock(desk: Desk, at: datetime) -> None:
    """The shop's time stands at this moment."""
    follow(desk.conn, at, 0.0)
    desk.conn.commit()


def send(desk: Desk, *case_ids: str) -> bool:
    """Do all of these begin to be sent?"""
    try:
        with desk.conn.transaction():
            return desk.conn.execute(_SEND, (list(case_ids),)).rowcount == len(case_ids)
    except CheckViolation as refused:
        if refused.diag.table_name != "money_window":
            raise
        return False


def go(desk: Desk, state: str, *case_ids: str, nones: int = 0) -> None:
    with desk.conn.transaction():
        for _ in range(nones):
            desk.conn.execute(_ASK, (list(case_ids),))
        desk.conn.execute(_GO, (state, list(case_ids)))


def windows(desk: Desk, span: str = "day") -> list[tuple[int, int]]:
    """(refunds, fen) of each window, the oldest first."""
    return desk.all("SELECT refunds, fen FROM money_window WHERE span = %s ORDER BY starts_at", span)


def left(desk: Desk) -> tuple[int, int]:
    refunds, fen = desk.one("SELECT refunds, fen FROM money_left(1)")
    return refunds, fen


@pytest.mark.parametrize(
    ("own", "sent", "fits"),
    [
        ({"auto_refund_day_max": 100_00}, [60_00, 40_00], True),
        ({"auto_refund_day_max": 100_00}, [60_00, 40_01], False),
        ({"auto_refund_hour_max": 100_00}, [60_00, 40_00], True),
        ({"auto_refund_hour_max": 100_00}, [60_00, 40_01], False),
        ({"auto_refund_hour_count_max": 2}, [1, 1], True),
        ({"auto_refund_hour_count_max": 1}, [1, 1], False),
        ({"auto_refund_day_count_max": 2}, [1, 1], True),
        ({"auto_refund_day_count_max": 1}, [1, 1], False),
        ({"auto_refund_day_max": 0}, [1], False),
        ({"auto_refund_hour_count_max": 0}, [1], False),
        ({"auto_refund_day_max": 50_00, "auto_refund_raised_days": ["2026-11-11"], "auto_refund_raised_times": 2},
         [60_00, 40_00], True),
        ({"auto_refund_day_max": 50_00, "auto_refund_raised_days": ["2026-11-12"], "auto_refund_raised_times": 2},
         [60_00], False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("together", [True, False])
def test_the_last_refund_that_fits(
    desk: Desk, own: dict[str, object], sent: Sequence[int], fits: bool, together: bool
) -> None:
    clock(desk, NOON)
    limit(desk, **own)
    names = [f"R{n}" for n in range(len(sent))]
    plan(desk, *zip(names, sent, strict=True))
    if not together:
        assert all(send(desk, name) for name in names[:-1])
        names = names[-1:]
    assert send(desk, *names) is fits
    out = desk.one("SELECT coalesce(sum(amount_fen), 0)::bigint FROM intent WHERE state = 'sending'")
    assert out == (sum(sent) if fits else 0 if together else sum(sent[:-1]))
    assert sum(fen for _, fen in windows(desk)) == sum(fen for _, fen in windows(desk, "hour")) == out


def test_what_a_person_approved_costs_no_budget(desk: Desk) -> None:
    limit(desk, auto_refund_day_max=0)
    plan(desk, ("R1", 50_00), by="主管阿兰")
    assert send(desk, "R1")
    assert windows(desk) == []


@pytest.mark.parametrize(
    ("ends", "kept"),
    [
        (["done"], 1),
        (["unknown"], 1),
        (["unknown", "done"], 1),
        (["unknown", "with_person"], 1),  # it may have left
        (["refused"], 0),
        (["approved"], 0),
        (["with_person"], 0),  # the platform wants a code first
        (["unknown", "refused"], 0),
        (["unknown", "cancelled"], 0),
    ],
)
def test_what_did_not_happen_is_given_back(desk: Desk, ends: list[str], kept: int) -> None:
    clock(desk, NOON)
    limit(desk, auto_refund_day_max=100_00)
    plan(desk, ("R1", 70_00), ("R2", 70_00))
    assert send(desk, "R1")
    assert not send(desk, "R2")
    for state in ends:
        go(desk, state, "R1")
    assert windows(desk) == windows(desk, "hour") == [(kept, kept * 70_00)]
    assert send(desk, "R2") is (kept == 0)


def test_the_hour_and_the_day_roll_in_the_zone_of_the_shop(desk: Desk) -> None:
    limit(desk, auto_refund_hour_max=10_00, auto_refund_day_max=25_00)
    plan(desk, *[(f"R{n}", 10_00) for n in range(5)])
    last_hour = datetime(2026, 11, 11, 15, 59, 59, tzinfo=UTC)  # 23:59:59 in Shanghai
    clock(desk, last_hour)
    assert left(desk) == (300, 10_00)
    assert [send(desk, "R0"), send(desk, "R1")] == [True, False]
    clock(desk, last_hour - timedelta(hours=1))
    assert [send(desk, "R1"), send(desk, "R2")] == [True, False]
    clock(desk, last_hour - timedelta(hours=2))
    assert left(desk) == (300, 5_00)
    assert not send(desk, "R2")
    clock(desk, last_hour + timedelta(seconds=1))
    assert [send(desk, "R2"), send(desk, "R3")] == [True, False]
    assert windows(desk) == [(2, 20_00), (1, 10_00)]
    go(desk, "refused", "R0")  # given back to the day it was taken from
    assert windows(desk) == [(1, 10_00), (1, 10_00)]


def test_a_limit_that_is_lowered_stops_and_breaks_nothing(desk: Desk) -> None:
    clock(desk, NOON)
    plan(desk, ("R1", 50_00), ("R2", 50_00), ("R3", 1))
    assert send(desk, "R1", "R2")
    limit(desk, auto_refund_day_max=60_00)
    assert left(desk)[1] == 0
    assert not send(desk, "R3")
    go(desk, "refused", "R1")
    assert windows(desk) == [(1, 50_00)]
    assert left(desk)[1] == 10_00
    assert send(desk, "R3")
    assert desk.one("SELECT fen_max FROM money_window WHERE span = 'day'") == 60_00


def test_without_a_published_limit_nothing_leaves(desk: Desk) -> None:
    plan(desk, ("R1", 1))
    with psycopg.connect(desk.database.owner) as owner:
        owner.execute("DELETE FROM setting_default WHERE name = 'auto_refund_day_max'")
    assert not send(desk, "R1")
    assert left(desk) == (300, 0)


@pytest.mark.parametrize(
    "forged",
    [
        "UPDATE money_window SET fen = 0",
        "DELETE FROM money_window",
        "INSERT INTO money_window VALUES (1, 'day', '2020-01-01+8', 0, 0, 1, 1)",
        "UPDATE intent SET approved_by = '外人老吴' WHERE case_id = 'R1'",
        "UPDATE intent SET spent_at = spent_at - interval '1 day' WHERE case_id = 'R1'",
        "INSERT INTO intent SELECT (jsonb_populate_record(i, '{\"case_id\": \"R9\"}')).* FROM intent i WHERE case_id = 'R1'",
    ],
)
def test_the_application_cannot_forge_it(desk: Desk, forged: str) -> None:
    clock(desk, NOON)
    plan(desk, ("R1", 70_00))
    assert send(desk, "R1")
    with pytest.raises((RaiseException, psycopg.errors.InsufficientPrivilege)), desk.conn.transaction():
        desk.conn.execute(forged)
    assert windows(desk) == [(1, 70_00)]


def test_nothing_is_sent_in_somebody_elses_name(desk: Desk) -> None:
    plan(desk, ("R1", 1))
    with pytest.raises(RaiseException, match="who approved it stays"), desk.conn.transaction():
        desk.conn.execute(
            "UPDATE intent SET state = 'sending', approved_by = '主管阿兰' WHERE case_id = 'R1'"
        )
    assert desk.one("SELECT state FROM intent") == "approved"


DAY_MAX = {"lower": 50, "raise": 200}
STEPS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["sending", "done", "refused", "approved", "unknown", "with_person", "hour", "lower", "raise"]),
    ),
    max_size=25,
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amounts=st.lists(st.integers(1, 60), min_size=6, max_size=6), steps=STEPS)
def test_whatever_happens_the_windows_say_what_is_out(
    desk: Desk, amounts: list[int], steps: list[tuple[int, str]]
) -> None:
    """Any order of sends, answers, hours and changes of the limit: the windows are the sum of what is out."""
    round_no = desk.one("SELECT count(*) FROM intent") // 6
    day = NOON + timedelta(days=int(round_no))
    fen = {f"P{round_no}-{n}": amount for n, amount in enumerate(amounts)}
    names, states, hours, day_max = list(fen), dict.fromkeys(fen, "approved"), 0, 100
    out: set[str] = set()
    limit(desk, auto_refund_day_max=day_max, auto_refund_hour_max=70, auto_refund_hour_count_max=3)
    plan(desk, *fen.items())
    clock(desk, day)
    for n, step in steps:
        name = names[n]
        if step == "hour":
            hours = min(hours + 1, 11)
            clock(desk, day + timedelta(hours=hours))
        elif step in DAY_MAX:
            day_max = DAY_MAX[step]
            limit(desk, auto_refund_day_max=day_max)
        elif step == "sending":
            if states[name] == "approved" and send(desk, name):
                out.add(name)
                states[name] = step
                assert sum(fen[one] for one in out) <= day_max
        elif states[name] in ("sending", "unknown") and step != states[name]:
            if step in ("refused", "approved") or (states[name], step) == ("sending", "with_person"):
                out.discard(name)
            go(desk, step, name, nones=2)
            states[name] = step
    query = "SELECT refunds, fen FROM money_window WHERE span = %s AND starts_at >= %s AND refunds + fen > 0"
    for span in ("day", "hour"):
        rows = desk.all(query, span, day - timedelta(hours=12))
        counted = (sum(row[0] for row in rows), sum(row[1] for row in rows))
        assert counted == (len(out), sum(fen[one] for one in out))


def claim(database: Database, names: list[str]) -> int:
    """Send one after the other what `money_left` says that fits; how much money that was."""
    sent_fen = 0
    with opened(database.app) as conn:
        for name in names:
            with conn.transaction():
                (refunds, fen) = conn.execute("SELECT refunds, fen FROM money_left(1)").fetchone() or (0, 0)
                query = "SELECT amount_fen FROM intent WHERE case_id = %s AND state = 'approved' FOR UPDATE SKIP LOCKED"
                row = conn.execute(query, (name,)).fetchone()
                if row and refunds and row[0] <= fen:
                    sent_fen += row[0] * conn.execute(_SEND, ([name],)).rowcount
    return sent_fen


def test_eight_at_once_take_what_fits_and_none_is_turned_away(desk: Desk) -> None:
    clock(desk, NOON)
    limit(desk, auto_refund_day_max=1_000_00, auto_refund_hour_count_max=500)
    names = [f"R{n}" for n in range(120)]
    plan(desk, *[(name, 13_37) for name in names])
    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(lambda n: claim(desk.database, names[n:] + names[:n]), range(0, 120, 15)))
    assert sum(sent) == 74 * 13_37  # 75 would be 1,002.75
    assert windows(desk) == windows(desk, "hour") == [(74, 74 * 13_37)]
