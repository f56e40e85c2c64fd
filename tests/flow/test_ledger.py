"""The ledger is a chain that the application cannot change and whose every change is found."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from aftersale.cases import ledger
from aftersale.cases.ledger import Break, Head
from aftersale.cli.ledger import command
from tests.conftest import Database
from tests.flow.desk import NOON, Desk

ROW = "INSERT INTO ledger (shop_id, case_id, order_id, amount_fen, origin, at) VALUES (%s, %s, 'T1', %s, 'automatic', %s)"
ENTRY = """INSERT INTO ledger (shop_id, case_id, order_id, entry, amount_fen, origin, at)
  VALUES (1, %s, 'T1', %s, %s, 'platform', %s)"""


def pay(desk: Desk, *case_ids: str, shop_id: int = 1, fen: int = 2_950) -> None:
    """Money left, as the code before the chain wrote it: without the column `entry`."""
    with desk.conn.transaction():
        for case_id in case_ids:
            desk.conn.execute(ROW, (shop_id, case_id, fen, NOON))


def entries(desk: Desk, *rows: tuple[str, int, int]) -> None:
    with desk.conn.transaction():
        for row in rows:
            desk.conn.execute(ENTRY, (*row, NOON))


def broken(desk: Desk, *known: Head, last: int = 0) -> list[tuple[int | None, str | None, str]]:
    desk.conn.commit()
    return [(one.seq, one.case_id, one.kind) for one in ledger.verify(desk.conn, 1, known, last=last)]


@contextmanager
def tampering(desk: Desk) -> Iterator[psycopg.Connection[Any]]:
    """A superuser for whom no trigger speaks."""
    with psycopg.connect(desk.database.admin) as admin:
        admin.execute("SET session_replication_role = replica")
        yield admin


def head(desk: Desk) -> Head:
    desk.conn.commit()
    found = ledger.head(desk.conn, 1)
    assert found is not None
    return found


def test_every_row_is_sealed_over_the_one_before_in_its_shop(desk: Desk) -> None:
    assert ledger.head(desk.conn, 1) is None
    assert broken(desk) == []
    pay(desk, "R1")
    pay(desk, "R2", "R3")
    pay(desk, "R1", shop_id=2)
    seals = desk.all("SELECT shop_id, seq, case_id, entry FROM ledger_seal ORDER BY shop_id, seq")
    assert seals == [(1, 1, "R1", 1), (1, 2, "R2", 1), (1, 3, "R3", 1), (2, 1, "R1", 1)]
    linked = "SELECT count(*) FROM ledger_seal a JOIN ledger_seal b USING (shop_id) WHERE b.seq = a.seq + 1 AND b.prev_hash = a.hash"
    assert desk.one(linked) == 2
    assert desk.one("SELECT count(DISTINCT hash) FROM ledger_seal") == 4
    assert broken(desk) == []
    assert head(desk).seq == 3


def test_a_row_written_twice_is_sealed_once(desk: Desk) -> None:
    pay(desk, "R1")
    with desk.conn.transaction():
        desk.conn.execute(f"{ROW} ON CONFLICT DO NOTHING", (1, "R1", 9_999, NOON))
    assert desk.all("SELECT case_id, entry, amount_fen FROM ledger") == [("R1", 1, 2_950)]
    assert desk.one("SELECT count(*) FROM ledger_seal") == 1


def test_what_is_rolled_back_leaves_no_gap(desk: Desk) -> None:
    pay(desk, "R1")
    desk.conn.execute(ROW, (1, "R2", 100, NOON))
    desk.conn.rollback()
    pay(desk, "R3")
    assert desk.all("SELECT seq, case_id FROM ledger_seal ORDER BY seq") == [(1, "R1"), (2, "R3")]
    assert broken(desk) == []


def test_two_commits_at_once_wait_for_one_another(desk: Desk) -> None:
    pay(desk, "R1")
    with psycopg.connect(desk.database.app) as other:
        other.execute(ROW, (1, "R2", 200, NOON))
        other.execute("SET CONSTRAINTS ledger_sealed IMMEDIATE")
        desk.conn.execute("SET LOCAL lock_timeout = '50ms'")
        desk.conn.execute(ROW, (1, "R3", 300, NOON))
        with pytest.raises(psycopg.errors.LockNotAvailable):
            desk.conn.commit()
        desk.conn.rollback()
        other.commit()
    pay(desk, "R3")
    assert desk.all("SELECT seq, case_id FROM ledger_seal ORDER BY seq") == [(1, "R1"), (2, "R2"), (3, "R3")]
    assert broken(desk) == []


WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sealer' AND wait_event_type = 'Lock'"
)


def test_shops_are_sealed_in_their_order_whatever_was_written_first(embedded_database: Database) -> None:
    """So two commits that write to the same shops never wait for one another in a circle."""
    desk = Desk(embedded_database)
    pay(desk, "R1")
    pay(desk, "R1", shop_id=2)
    held = "SELECT FROM ledger_lock WHERE shop_id = %s FOR UPDATE NOWAIT"
    with (
        psycopg.connect(embedded_database.owner) as owner,
        psycopg.connect(embedded_database.app, application_name="sealer") as sealer,
        ThreadPoolExecutor(1) as thread,
    ):
        owner.execute(held, (1,))
        for shop_id in (2, 1):
            sealer.execute(ROW, (shop_id, "R2", 100, NOON))
        done = thread.submit(sealer.commit)
        while not desk.one(WAITING):
            assert not done.done()
        assert owner.execute(held, (2,)).rowcount == 1
        owner.rollback()
        done.result(10)
    assert desk.all("SELECT shop_id, seq FROM ledger_seal ORDER BY 1, 2") == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert broken(desk) == []
    desk.close()


def test_a_reversal_takes_back_exactly_what_was_paid(desk: Desk) -> None:
    entries(desk, ("R1", 1, 5_000), ("R1", 2, -5_000), ("R1", 3, 4_000))
    assert desk.one("SELECT sum(amount_fen)::bigint FROM ledger WHERE case_id = 'R1'") == 4_000
    assert broken(desk) == []


WRONG: tuple[tuple[tuple[tuple[str, int, int], ...], str], ...] = (
    ((("R9", 1, -100),), "ledger_sign"),
    ((("R9", 1, 0),), "ledger_sign"),
    ((("R9", 0, -100),), "ledger_sign"),
    ((("R9", 2, 100),), "ledger_sign"),
    ((("R9", 2, -100),), "does not follow"),
    ((("R9", 3, 100),), "does not follow"),
    ((("R9", 1, 100), ("R9", 2, -99)), "does not follow"),
    ((("R9", 1, 100), ("R9", 3, 100)), "does not follow"),
)


def test_entries_that_do_not_follow_are_refused(desk: Desk) -> None:
    pay(desk, "R1")
    for rows, words in WRONG:
        with pytest.raises(psycopg.Error, match=words):
            entries(desk, *rows)
        desk.conn.rollback()
    assert desk.all("SELECT case_id FROM ledger") == ["R1"]
    assert desk.all("SELECT case_id FROM ledger_seal") == ["R1"]


READ_ONLY = ("ledger", "ledger_seal", "happening", "decision", "switch_log", "setting_log", "reconciliation")


def refused(desk: Desk, statement: str) -> str:
    with pytest.raises(psycopg.Error) as error:
        desk.all(statement)
    desk.conn.rollback()
    return str(error.value)


def test_the_application_changes_nothing_that_was_written(desk: Desk) -> None:
    pay(desk, "R1")
    for table in READ_ONLY:
        for statement in (f"UPDATE {table} SET shop_id = 2", f"DELETE FROM {table}", f"TRUNCATE {table}"):
            assert "permission denied" in refused(desk, statement), statement
    for statement in (
        "INSERT INTO ledger_seal SELECT shop_id, 2, 'R2', entry, hash, hash FROM ledger_seal",
        "INSERT INTO ledger_lock VALUES (7)",
        "DELETE FROM ledger_lock",
        "SELECT ledger_seal_row(l) FROM ledger l",
        "ALTER TABLE ledger DISABLE TRIGGER ledger_sealed",
        "DROP TRIGGER ledger_sealed ON ledger",
    ):
        assert "permission denied" in refused(desk, statement) or "must be owner" in refused(desk, statement)
    assert "permission denied" in refused(desk, "SET session_replication_role = replica")
    assert desk.all("SELECT shop_id, case_id, amount_fen FROM ledger") == [(1, "R1", 2_950)]
    assert broken(desk) == []


def test_the_owner_is_stopped_by_the_triggers(desk: Desk) -> None:
    pay(desk, "R1")
    with psycopg.connect(desk.database.owner) as owner:
        for table in ("ledger", "ledger_seal"):
            for statement in (f"UPDATE {table} SET shop_id = 2", f"DELETE FROM {table}", f"TRUNCATE {table}"):
                with pytest.raises(psycopg.errors.RaiseException, match="append-only"), owner.transaction():
                    owner.execute(statement)
    assert broken(desk) == []


SWAP = """UPDATE ledger l SET amount_fen = o.amount_fen FROM ledger o
  WHERE (l.case_id, o.case_id) IN (('R2', 'R3'), ('R3', 'R2'))"""
TAMPERED: tuple[tuple[tuple[str, ...], list[tuple[int | None, str | None, str]]], ...] = (
    (("UPDATE ledger SET amount_fen = 1 WHERE case_id = 'R2'",), [(2, "R2", "changed")]),
    (("UPDATE ledger SET origin = 'person' WHERE case_id = 'R1'",), [(1, "R1", "changed")]),
    (("UPDATE ledger SET at = at + interval '1 microsecond' WHERE case_id = 'R4'",), [(4, "R4", "changed")]),
    (("UPDATE ledger SET order_id = 'T2' WHERE case_id = 'R4'",), [(4, "R4", "changed")]),
    ((SWAP,), [(2, "R2", "changed"), (3, "R3", "changed")]),
    (("DELETE FROM ledger WHERE case_id = 'R2'",), [(2, "R2", "missing")]),
    (
        ("DELETE FROM ledger WHERE case_id = 'R2'", "DELETE FROM ledger_seal WHERE case_id = 'R2'"),
        [(2, None, "gap")],
    ),
    (
        (
            "DELETE FROM ledger WHERE case_id = 'R2'",
            "DELETE FROM ledger_seal WHERE case_id = 'R2'",
            "UPDATE ledger_seal SET seq = seq - 1 WHERE seq = 3",
            "UPDATE ledger_seal SET seq = seq - 1 WHERE seq = 4",
        ),
        [(2, "R3", "link"), (2, "R3", "changed"), (3, "R4", "changed"), (4, None, "cut")],
    ),
    (("UPDATE ledger_seal SET hash = prev_hash WHERE seq = 2",), [(2, "R2", "changed"), (3, "R3", "link")]),
    (
        ("INSERT INTO ledger VALUES (1, 'R9', 'T9', 1, 'person', now())",),
        [(None, "R9", "unsealed")],
    ),
    (
        ("DELETE FROM ledger WHERE case_id = 'R4'", "DELETE FROM ledger_seal WHERE case_id = 'R4'"),
        [(4, None, "cut")],
    ),
)


@pytest.mark.parametrize(("statements", "breaks"), TAMPERED, ids=lambda one: str(one)[:60])
def test_what_a_superuser_changes_is_found(
    embedded_database: Database, statements: tuple[str, ...], breaks: list[tuple[int | None, str | None, str]]
) -> None:
    desk = Desk(embedded_database)
    for number, case_id in enumerate(("R1", "R2", "R3", "R4"), 1):
        pay(desk, case_id, fen=1_000 * number)
    known = head(desk)
    with tampering(desk) as admin:
        for statement in statements:
            admin.execute(statement)
    assert broken(desk, known) == breaks
    desk.close()


def test_only_a_head_kept_outside_tells_that_the_tail_is_gone(embedded_database: Database) -> None:
    desk = Desk(embedded_database)
    pay(desk, "R1", "R2")
    known = head(desk)
    with tampering(desk) as admin:
        admin.execute("DELETE FROM ledger WHERE case_id = 'R2'")
        admin.execute("DELETE FROM ledger_seal WHERE case_id = 'R2'")
    assert broken(desk) == []
    pay(desk, "R3")
    assert broken(desk) == []
    assert broken(desk, known) == [(2, None, "rewritten")]
    desk.close()


def test_the_newest_rows_can_be_looked_at_alone(embedded_database: Database) -> None:
    desk = Desk(embedded_database)
    pay(desk, *(f"R{n}" for n in range(10)))
    with tampering(desk) as admin:
        admin.execute("UPDATE ledger SET amount_fen = 1 WHERE case_id = 'R2'")
    assert broken(desk, last=5) == []
    assert broken(desk, last=8) == [(3, "R2", "changed")]
    assert broken(desk) == [(3, "R2", "changed")]
    desk.close()


def test_breaks_say_what_is_wrong(embedded_database: Database) -> None:
    desk = Desk(embedded_database)
    pay(desk, "R1")
    with tampering(desk) as admin:
        admin.execute("UPDATE ledger SET amount_fen = 1")
    desk.conn.commit()
    assert ledger.verify(desk.conn, 1) == [Break(1, 1, "R1", "changed", "这一笔和封存时不一样，被改过")]
    desk.close()


@pytest.fixture
def at_desk(embedded_database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    for name, value in embedded_database.environment().items():
        monkeypatch.setenv(name, value)
    desk = Desk(embedded_database)
    yield desk
    desk.close()


def run(*words: str) -> Result:
    return CliRunner().invoke(command, words)


def test_the_command_prints_heads_that_prove_the_tail_later(at_desk: Desk) -> None:
    empty = run("verify")
    assert (empty.exit_code, empty.output) == (0, "ming  账本完整  链头 （还没有账）\n")
    pay(at_desk, "R1", "R2")
    printed = str(head(at_desk))
    whole = run("verify", "--shop", "ming", "--head", printed)
    assert (whole.exit_code, whole.output) == (0, f"ming  账本完整  链头 {printed}\n")
    with tampering(at_desk) as admin:
        admin.execute("DELETE FROM ledger WHERE case_id = 'R2'")
        admin.execute("DELETE FROM ledger_seal WHERE case_id = 'R2'")
    cut = run("verify", "--shop", "ming", "--head", printed)
    assert (cut.exit_code, "曾经有 2 笔，现在只剩 1 笔，尾部被截掉了" in cut.output) == (1, True)
    told = json.loads(run("verify", "--shop", "ming", "--head", printed, "--json").output)
    assert [(one["shop"], one["head"], [found["kind"] for found in one["breaks"]]) for one in told] == [
        ("ming", str(head(at_desk)), ["cut"])
    ]


REFUSED = (
    (("verify", "--shop", "tea"), "没有代码为 tea 的店铺"),
    (("verify", "--head", "1:00"), "--head 是一家店的：请同时写 --shop"),
    (("verify", "--shop", "ming", "--head", "1:00"), "--head '1:00' 不是链头"),
    (("verify", "--shop", "ming", "--head", "x"), "--head 'x' 不是链头"),
    (("reconcile",), "没有接上平台的店铺，没有可以核对的账"),
    (("reconcile", "--shop", "tea"), "没有代码为 tea 的店铺"),
    (("reconcile", "--shop", "ming"), "ming  没有核对：这家店没有平台授权"),
)


@pytest.mark.parametrize(("words", "why"), REFUSED)
def test_what_cannot_be_done_is_one_line(at_desk: Desk, words: tuple[str, ...], why: str) -> None:
    found = run(*words)
    assert (found.exit_code, why in found.output, found.output.count("\n")) == (1, True, 1)
