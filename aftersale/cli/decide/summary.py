"""What a file came to, in figures."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import duckdb

from aftersale.cli.decide.verdicts import Silent, Tally, never_told, silent_rules, tallies
from aftersale.core.lowering import Lowered
from aftersale.core.rulebook import Book
from aftersale.intake.files.reading import Reading

OPEN_QUESTION = "rule_no = 0 OR then_queue = 'data_missing'"
AUTO = "then_queue IS NULL AND then_action <> 'none'"


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Open cases by the time left to the platform's deadline; `unknown`: the file gives none."""

    passed: Tally
    within_2_h: Tally
    within_24_h: Tally
    unknown: Tally


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts are of cases unless named otherwise; money in fen."""

    file: str
    layout: str
    rows: int
    repeated: int
    bad: int
    orders: int
    cases: Tally
    refunded: Tally
    refunded_full: int
    refunded_partial: int
    finished: int
    as_applied: bool
    auto: Tally
    done: Tally
    person: Tally
    by_queue: Sequence[Tally]
    by_rule: Sequence[Tally]
    undecided: Tally
    deadlines: Deadlines
    lacking: tuple[str, ...]
    silent: Sequence[Silent]
    book: str
    book_version: str

    def as_json(self, reading: Reading) -> dict[str, object]:
        """For machines; bad rows in full."""
        rows = [{"line": r.line, "column": r.column, "value": r.value, "why": r.why} for r in reading.bad]
        return {**asdict(self), "bad_rows": rows}


def summarize(
    conn: duckdb.DuckDBPyConnection,
    reading: Reading,
    book: Book,
    lowered: Lowered,
    *,
    orders: int,
    as_applied: bool,
) -> Summary:
    """Reads the tables that `decide_table` made."""
    lacking = never_told(conn, book)
    names = ["", *(rule.name for rule in book.rules)]
    by_rule = [
        Tally(names[int(t.name)], t.cases, t.amount_fen) for t in tallies(conn, "rule_no", "rule_no > 0")
    ]
    return Summary(
        file=reading.path.name,
        layout=reading.layout.title,
        rows=reading.rows,
        repeated=reading.repeated,
        bad=len(reading.bad),
        orders=orders,
        cases=_one(conn, "cases", "true"),
        refunded=_one(conn, "refunded", "refunded"),
        refunded_full=_one(conn, "full", "refunded_full").cases,
        refunded_partial=_one(conn, "partial", "NOT refunded_full").cases,
        finished=_one(conn, "finished", "finished").cases,
        as_applied=as_applied,
        auto=_one(conn, "auto", AUTO),
        done=_one(conn, "done", "then_queue IS NULL AND then_action = 'none'"),
        person=_one(conn, "person", "then_queue IS NOT NULL"),
        by_queue=tallies(conn, "then_queue", "then_queue IS NOT NULL"),
        by_rule=by_rule,
        undecided=_one(conn, "undecided", OPEN_QUESTION),
        deadlines=_deadlines(conn),
        lacking=lacking,
        silent=silent_rules(conn, book, lowered, lacking),
        book=book.name,
        book_version=book.version,
    )


def _one(conn: duckdb.DuckDBPyConnection, name: str, where: str) -> Tally:
    found = tallies(conn, f"'{name}'", where)
    return found[0] if found else Tally(name, 0, 0)


def _deadlines(conn: duckdb.DuckDBPyConnection) -> Deadlines:
    still = "finished IS NOT TRUE"
    left = "due_at - decided_at"
    return Deadlines(
        passed=_one(conn, "passed", f"{still} AND {left} < INTERVAL 0 HOUR"),
        within_2_h=_one(
            conn, "within_2_h", f"{still} AND {left} >= INTERVAL 0 HOUR AND {left} < INTERVAL 2 HOUR"
        ),
        within_24_h=_one(
            conn, "within_24_h", f"{still} AND {left} >= INTERVAL 2 HOUR AND {left} < INTERVAL 24 HOUR"
        ),
        unknown=_one(conn, "unknown", f"{still} AND due_at IS NULL"),
    )
