"""A decision can be explained from its row alone, and the smallest change named really changes it."""

from aftersale.core.explain import explain
from aftersale.core.look import decide
from aftersale.core.record_text import facts_of
from aftersale.core.rulebook import resolve_settings
from aftersale.rulebooks import books
from tests.conftest import Database
from tests.flow.desk import Desk
from tests.flow.varied import tell_all

ROWS = """SELECT d.case_id, d.rule, d.action, d.queue, d.amount_fen, d.facts, d.settings, d.decided_at, b.reads
FROM decision d JOIN book_version b ON b.version = d.book_version ORDER BY d.shop_id, d.case_id"""


def test_the_trace_of_200_decisions_says_what_was_decided_and_what_would_change_it(
    embedded_database: Database,
) -> None:
    desk, book = Desk(embedded_database), books.book()
    desk.conn.execute("""UPDATE shop SET settings = '{"small_amount_max": 600, "no_number_way": "reject",
      "auto_return_reasons": ["dislike"], "unshipped_auto_refund": false}'""")
    desk.conn.commit()
    tell_all(desk, 200)
    rows = desk.all(ROWS)
    assert len(rows) == 200
    flips = 0
    for case_id, rule, action, queue, amount_fen, text, own, at, reads in rows:
        facts = facts_of(text, reads, book.catalogue.facts)
        settings = resolve_settings(book, own)
        trace = explain(book, facts, settings, at)
        outcome = trace.verdict.outcome
        assert (trace.verdict.rule or "otherwise", outcome["action"], outcome.get("queue")) == (
            rule,
            action,
            queue,
        ), case_id
        assert outcome.get("amount") == amount_fen, case_id
        assert [one.truth for one in trace.rules[: trace.verdict.rule_no]].count(True) == (
            trace.verdict.rule is not None
        )
        for flip in trace.flips:
            changes = {change.fact: change.after for change in flip.changes}
            after = decide(book, {**facts, **changes}, settings, at)
            assert (after.rule, after.rule != trace.verdict.rule) == (flip.rule, True), (case_id, flip.text)
            flips += 1
    assert flips > 200
    assert len({row[1] for row in rows}) >= 25
    desk.close()
