"""A reading judged by a book: what the command prints and what the page of an upload shows."""

from collections.abc import Mapping
from pathlib import Path

import duckdb

from aftersale.cli.decide.sentences import lines
from aftersale.cli.decide.summary import Summary, summarize
from aftersale.cli.decide.verdicts import Options, decide_table, decisions, write_facts
from aftersale.core.expression import Value
from aftersale.core.rulebook import Book
from aftersale.intake.files.reading import Reading
from aftersale.rulebooks import books

COLUMNS = {
    "case_id": "售后单号",
    "order_id": "订单号",
    "line": "行",
    "title": "商品",
    "amount_fen": "申请金额（元）",
    "then_action": "动作",
    "then_queue": "队列",
    "then_amount": "退款金额（元）",
    "rule": "规则",
    "due_at": "平台截止时间",
    "finished": "已完结",
}


def judge(
    reading: Reading,
    book: Book,
    settings: Mapping[str, Value],
    options: Options,
    folder: Path,
    out: Path | None,
) -> Summary:
    """Reads the file through; `folder` holds the facts meanwhile, `out` becomes a workbook of all decisions.

    Raises `UnusableFile`, and OSError where `out` cannot be written.
    """
    facts = folder / "facts.csv"
    orders = write_facts(facts, reading.entries(), book, options)
    with duckdb.connect() as conn:
        lowered = decide_table(conn, facts, book, settings)
        found = summarize(conn, reading, book, lowered, orders=orders, as_applied=options.as_applied)
        if out is not None:
            full = lines(found, book, queue_titles(), options.now, shown=len(book.rules))
            _save(out, conn, reading, book, full)
    return found


def queue_titles() -> dict[str, str]:
    """Code → title of every queue."""
    return {code: queue.title for code, queue in books.queues().items()}


def _save(out: Path, conn: duckdb.DuckDBPyConnection, reading: Reading, book: Book, text: list[str]) -> None:
    from aftersale.cli.decide.workbook import write_workbook  # 0.2 s, seldom needed

    arms = " ".join(f"WHEN {no} THEN '{rule.name}'" for no, rule in enumerate(book.rules, 1))
    made = {"rule": f"CASE rule_no {arms} END", "due_at": "strftime(due_at, '%Y-%m-%d %H:%M:%S')"}
    keys = [made.get(name, name) for name in COLUMNS]
    write_workbook(out, list(COLUMNS.values()), decisions(conn, keys), reading.bad, text)
