"""Any history of the ledger holds, any touch of it is found, and what is older than the chain is sealed."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aftersale.cases import ledger
from aftersale.cases.ledger import Theirs, Window
from tests.conftest import Database, fresh
from tests.flow.desk import NOON, Desk
from tests.flow.test_ledger import ENTRY, ROW, tampering
from tests.pg.cluster import Urls

SHOP_IDS = count(100)


@pytest.fixture(scope="module")
def lasting(embedded_server: Urls) -> Iterator[Desk]:
    """One database for all examples; each uses a shop of its own."""
    for database in fresh(embedded_server):
        desk = Desk(database)
        yield desk
        desk.close()


HISTORIES = st.lists(
    st.tuples(
        st.sampled_from(["R1", "R2", "R3"]),
        st.integers(1, 10**9),
        st.sampled_from(["pay", "reverse", "undone"]),
    ),
    min_size=1,
    max_size=12,
)
TOUCHES = ("amount_fen = amount_fen * 2", "order_id = order_id || ' '", "origin = 'person'", "at = at - interval '1 s'",
           "recorded_at = recorded_at + interval '1 s'")  # fmt: skip


@given(steps=HISTORIES, touch=st.sampled_from(TOUCHES), place=st.integers(0, 100))
@settings(max_examples=150, deadline=None)
def test_any_history_holds_and_any_touch_of_it_is_found(
    lasting: Desk, steps: list[tuple[str, int, str]], touch: str, place: int
) -> None:
    shop_id = next(SHOP_IDS)
    paid: dict[str, list[int]] = {}
    for case_id, fen, step in steps:
        entries = paid.setdefault(case_id, [])
        if (step == "reverse") == (len(entries) % 2 == 0):
            continue
        row = (shop_id, case_id, len(entries) + 1, -entries[-1] if step == "reverse" else fen, NOON)
        lasting.conn.execute(ENTRY.replace("(1, %s", "(%s, %s"), row)
        if step == "undone":
            lasting.conn.rollback()
        else:
            lasting.conn.commit()
            entries.append(row[3])
    rows = sum(map(len, paid.values()))
    assert ledger.verify(lasting.conn, shop_id) == []
    newest = ledger.head(lasting.conn, shop_id)
    assert (newest.seq if newest else 0) == rows
    summed = "SELECT coalesce(sum(amount_fen), 0)::bigint FROM ledger WHERE shop_id = %s"
    assert lasting.one(summed, shop_id) == sum(sum(one) for one in paid.values())
    if not rows:
        return
    seq = place % rows + 1
    with tampering(lasting) as admin:
        admin.execute(
            f"UPDATE ledger l SET {touch} FROM ledger_seal s WHERE (s.shop_id, s.seq) = (%s, %s)"
            " AND (l.shop_id, l.case_id, l.entry) = (s.shop_id, s.case_id, s.entry)",
            (shop_id, seq),
        )
    lasting.conn.commit()
    assert [one.seq for one in ledger.verify(lasting.conn, shop_id)] == [seq]


SIDES = st.dictionaries(
    st.integers(1, 30).map(str), st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=15
)


@given(sides=SIDES)
@settings(max_examples=150, deadline=None)
def test_a_comparison_finds_what_differs_and_nothing_else(
    lasting: Desk, sides: dict[str, tuple[int, int]]
) -> None:
    """`sides`: by case what we and what the platform paid, in fen."""
    shop_id = next(SHOP_IDS)
    for case_id, (ours, _) in sides.items():
        if ours:
            lasting.conn.execute(ROW, (shop_id, case_id, ours, NOON))
    lasting.conn.commit()
    told = [Theirs(case_id, theirs, NOON) for case_id, (_, theirs) in sides.items()]
    window = Window(NOON - timedelta(days=1), NOON)
    for new in (True, False):
        done = ledger.compare(lasting.conn, shop_id, window, told, NOON, "客服小明", NOON)
        found = {one.case_id: (one.ours_fen, one.theirs_fen, one.new) for one in done.differences}
        assert found == {case: (*both, new) for case, both in sides.items() if both[0] != both[1]}
        assert done.ours_fen == sum(ours for ours, _ in sides.values())
        assert done.theirs_fen == sum(theirs for _, theirs in sides.values())
        lasting.conn.execute("DELETE FROM to_fetch")
        lasting.conn.commit()
    agreed = [Theirs(case_id, ours, NOON) for case_id, (ours, _) in sides.items()]
    done = ledger.compare(lasting.conn, shop_id, window, agreed, NOON, "客服小明", NOON)
    assert (done.differences, done.agreed_again) == (
        (),
        sum(ours != theirs for ours, theirs in sides.values()),
    )


def test_what_was_written_before_the_chain_is_sealed_by_the_migration(embedded_database: Database) -> None:
    """Back to the schema before and forward again, with rows that the code of that time wrote."""
    before, now = "0008_windows", "0009_ledger_chain"
    migrated(embedded_database, before)
    with psycopg.connect(embedded_database.app) as conn:
        for number in range(1, 4):
            conn.execute(ROW, (1 + number % 2, f"R{number}", 100 * number, NOON))
    with psycopg.connect(embedded_database.admin) as admin:
        assert admin.execute("SELECT to_regclass('ledger_seal'), to_regclass('difference')").fetchone() == (
            None,
            None,
        )
    migrated(embedded_database, now)
    with psycopg.connect(embedded_database.app) as conn:
        seals = conn.execute("SELECT shop_id, seq, case_id FROM ledger_seal ORDER BY 1, 2").fetchall()
        assert seals == [(1, 1, "R2"), (2, 1, "R1"), (2, 2, "R3")]
        conn.execute(ROW, (2, "R4", 400, NOON))
        conn.commit()
        assert [ledger.verify(conn, shop_id) for shop_id in (1, 2)] == [[], []]
        found = ledger.head(conn, 2)
        assert found is not None
        assert found.seq == 3
        conn.commit()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("DELETE FROM ledger")


def migrated(database: Database, name: str) -> None:
    """The tables of the record as of one migration."""
    environment = {
        **database.environment(), "AFTERSALE_ROLE": "owner", "DJANGO_SETTINGS_MODULE": "aftersale.config.settings",
    }  # fmt: skip
    words = [sys.executable, "-m", "django", "migrate", "cases", name, "-v0"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
