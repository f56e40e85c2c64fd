"""The judge of a fault run: our record against the marketplace's own ledger, whoever ran it and however.

`judge` looks at the end, when everything has come to rest. `unasked` looks at the calls in the order they were made.
Each finding names the promise of docs/safety.md that it breaks. Money is fen.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, NamedTuple

from psycopg import Connection

from aftersale.cases import ledger

QUESTIONS_MIN = 2


class Finding(NamedTuple):
    """A promise that was broken, and how."""

    promise: str
    what: str


class Paid(NamedTuple):
    """One payment in the marketplace's ledger."""

    refund_id: str
    amount_fen: int


class Applied(NamedTuple):
    """An application as the marketplace has it."""

    refund_id: str
    version: int
    ended: bool
    due_ms: int | None = None
    refusals: int | None = None


@dataclass(slots=True)
class Call:
    """A submit of money, or a question about it, when it was made; `heard`: what reached the caller's record.

    heard: 'restored' (the record was put back to before: since then one question is enough), 'nothing' (lost, unreadable, or the caller died), 'away' (turned away before anything was done),
    'refused', 'told' (any other readable answer). `version`: of the application, as it was sent or as the answer has it.
    """

    refund_id: str
    submit: bool
    heard: str = "nothing"
    version: int = 0


@dataclass(frozen=True, slots=True)
class Theirs:
    """What the marketplace says in the end."""

    payments: Sequence[Paid]
    applications: Sequence[Applied]


ORDER_MONEY: LiteralString = """
SELECT m.order_id, m.held_fen, least(m.paid_fen, coalesce(l.fen, 0) + coalesce(i.fen, 0)) FROM order_money m
LEFT JOIN (SELECT shop_id, order_id, sum(amount_fen) AS fen FROM ledger GROUP BY 1, 2) l USING (shop_id, order_id)
LEFT JOIN (SELECT shop_id, order_id, sum(amount_fen) AS fen FROM intent
  WHERE money AND state IN ('planned', 'approved', 'sending', 'unknown', 'with_person') GROUP BY 1, 2) i USING (shop_id, order_id)
WHERE m.held_fen <> least(m.paid_fen, coalesce(l.fen, 0) + coalesce(i.fen, 0))
"""
NOT_AT_REST: LiteralString = """
SELECT i.case_id, i.kind, i.state FROM intent i WHERE i.state IN ('approved', 'sending', 'unknown')
  AND NOT (i.state = 'approved' AND EXISTS (SELECT FROM switch s WHERE s.stopped AND s.shop_id IN (0, i.shop_id))
    AND EXISTS (SELECT FROM queue_item q WHERE q.shop_id = i.shop_id AND q.case_id = i.case_id))
"""
# Refused or left to a person, at the version that counts, of a case that is open, with nobody who has it. What is no
# money is over when the case was decided anew since.
UNOWNED: LiteralString = """
SELECT i.case_id, i.kind, i.state FROM intent i JOIN cases c ON c.shop_id = i.shop_id AND c.case_id = i.case_id
WHERE i.state IN ('refused', 'with_person', 'planned') AND i.platform_version = c.application_version
  AND i.kind IN ('agree_refund', 'agree_return', 'cancel_shipment', 'refuse')
  AND (c.state IN ('refunded', 'closed')) IS NOT TRUE
  AND NOT EXISTS (SELECT FROM queue_item q WHERE q.shop_id = c.shop_id AND q.case_id = c.case_id)
  AND (i.money OR NOT EXISTS (SELECT FROM handling h WHERE h.shop_id = c.shop_id AND h.case_id = c.case_id
    AND h.decided_at >= i.changed_at))
  AND NOT EXISTS (SELECT FROM intent d WHERE d.shop_id = c.shop_id AND d.case_id = c.case_id AND d.kind = i.kind
    AND d.platform_version = i.platform_version AND d.state = 'done')
  AND NOT (i.state = 'planned' AND EXISTS (SELECT FROM approval a WHERE a.shop_id = i.shop_id AND a.case_id = i.case_id
    AND a.state = 'requested'))
"""
# What a person may not have sent alone: the yes of another, to exactly this.
UNAPPROVED: LiteralString = """
SELECT i.case_id, i.amount_fen, i.approved_by FROM intent i
CROSS JOIN LATERAL person_permitted(i.shop_id, i.approved_by, i.kind, i.amount_fen, i.channel, i.order_id, i.case_id) p
WHERE i.money AND i.state IN ('sending', 'unknown', 'done') AND i.sends > 0 AND i.approved_by NOT LIKE 'rule:%%'
  AND p.allowed IS NOT TRUE AND NOT EXISTS (SELECT FROM approval a WHERE a.state = 'approved'
    AND (a.shop_id, a.case_id, a.kind, a.platform_version, a.amount_fen)
      = (i.shop_id, i.case_id, i.kind, i.platform_version, i.amount_fen)
    AND a.decided_by <> a.requested_by AND a.decided_by <> i.approved_by)
"""
OVER_BUDGET: LiteralString = """
SELECT i.shop_id, date_trunc('hour', i.spent_at), count(*), sum(i.amount_fen) FROM intent i
WHERE i.money AND i.sends > 0 AND i.approved_by LIKE 'rule:%%' AND i.state IN ('sending', 'unknown', 'done')
GROUP BY 1, 2 HAVING count(*) > setting_of(i.shop_id, 'auto_refund_hour_count_max')::int
  OR sum(i.amount_fen) > setting_of(i.shop_id, 'auto_refund_hour_max')::bigint
"""
# The book or a person wants the money back to the buyer, and no intent for it lives.
FORGOTTEN: LiteralString = """
SELECT c.case_id, h.rule, h.action FROM cases c JOIN handling h ON h.shop_id = c.shop_id AND h.case_id = c.case_id
WHERE (c.state IN ('refunded', 'closed')) IS NOT TRUE AND h.queue IS NULL
  AND h.action IN ('auto_refund', 'refund_now', 'refund_first', 'refund_first_then_intercept')
  AND NOT EXISTS (SELECT FROM queue_item q WHERE q.shop_id = c.shop_id AND q.case_id = c.case_id)
  AND NOT EXISTS (SELECT FROM intent i WHERE i.shop_id = c.shop_id AND i.case_id = c.case_id AND i.money
    AND i.state IN ('planned', 'approved', 'sending', 'unknown', 'done'))
"""
TWO_LIVE: LiteralString = """
SELECT case_id, count(*) FROM intent WHERE money
  AND state IN ('planned', 'approved', 'sending', 'unknown', 'done', 'with_person') GROUP BY shop_id, case_id HAVING count(*) > 1
"""
UNDECIDED: LiteralString = """
SELECT c.case_id FROM cases c LEFT JOIN handling h ON h.shop_id = c.shop_id AND h.case_id = c.case_id
WHERE (h.decided_version = c.application_version) IS NOT TRUE
"""
SELF_APPROVED: LiteralString = """
SELECT a.case_id FROM approval a WHERE a.state = 'approved' AND (a.decided_by <> a.requested_by) IS NOT TRUE
"""
# Nothing waits to leave, nor for a person, in a case that is over.
LEFT_OVER: LiteralString = """
SELECT i.case_id, i.kind, i.state FROM intent i JOIN cases c ON c.shop_id = i.shop_id AND c.case_id = i.case_id
WHERE i.money AND i.state IN ('planned', 'approved', 'with_person') AND c.state IN ('refunded', 'closed')
"""
DONE_UNPAID: LiteralString = """
SELECT i.case_id FROM intent i WHERE i.money AND i.state = 'done' AND NOT EXISTS (
  SELECT FROM ledger l WHERE l.shop_id = i.shop_id AND l.case_id = i.case_id)
"""
# The worker then gives the case to people, so that nobody else waits, and nothing else would show what it had planned.
NOT_DECIDED: LiteralString = "SELECT case_id FROM decision WHERE rule = 'not_decided'"
RESTS: tuple[tuple[str, LiteralString, str], ...] = (
    ("P1", TWO_LIVE, "more than one live payment for one case"),
    ("P2", NOT_AT_REST, "an intent did not come to rest"),
    ("P2", UNOWNED, "refused or left to a person, and nobody has it"),
    ("P2", FORGOTTEN, "decided to be paid, and nothing pays it"),
    ("P3", ORDER_MONEY, "an order's held money is not what is open and paid"),
    ("P3", DONE_UNPAID, "an intent is done and the ledger does not know"),
    ("P7", "SELECT arrival_id FROM arrival_todo", "a body was accepted and never read"),
    ("P11", UNDECIDED, "no decision at the version that counts"),
    (
        "P19",
        NOT_DECIDED,
        "our own decider gave it up: a guard of the database refused it, or it could not be reckoned",
    ),
    ("P12", LEFT_OVER, "the case is over and its money still waits"),
    ("P13", UNAPPROVED, "sent by a person above their limit without another's yes"),
    ("P18", OVER_BUDGET, "more automatic money in an hour than allowed"),
    ("P14", SELF_APPROVED, "approved by the one who asked"),
)


def judge(conn: Connection[Any], theirs: Theirs) -> list[Finding]:
    """Everything that is wrong once all has come to rest and both sides have heard of each other."""
    found = [
        Finding(promise, f"{why}: {' '.join(map(str, row))}")
        for promise, query, why in RESTS
        for row in conn.execute(query)
    ]
    found += [
        Finding("P15", f"the ledger of shop {shop_id}: {one}")
        for (shop_id,) in conn.execute("SELECT id FROM shop ORDER BY id").fetchall()
        for one in ledger.verify(conn, shop_id)
    ]
    return found + _money(conn, theirs.payments) + _known(conn, theirs.applications)


def _money(conn: Connection[Any], payments: Sequence[Paid]) -> list[Finding]:
    times = Counter(one.refund_id for one in payments)
    found = [Finding("P1", f"{refund_id} was paid {n} times") for refund_id, n in times.items() if n > 1]
    paid: dict[str, int] = defaultdict(int)
    for one in payments:
        paid[one.refund_id] += one.amount_fen
    rows = conn.execute("SELECT case_id, sum(amount_fen)::bigint FROM ledger GROUP BY shop_id, case_id")
    ours = {case_id: fen for case_id, fen in rows if fen}
    return found + [
        Finding("P3", f"{one}: our ledger says {ours.get(one, 0)} fen, theirs {paid.get(one, 0)}")
        for one in sorted(ours.keys() | paid.keys())
        if ours.get(one, 0) != paid.get(one, 0)
    ]


def refusals(conn: Connection[Any], applications: Sequence[Applied]) -> list[Finding]:
    """What we hold to be refused, and how often the marketplace was told so (P4). Where Taobao is told late, an
    application that has changed since is refused as well: for schedules in which nothing is late."""
    rows = conn.execute(
        "SELECT case_id, count(*) FROM intent WHERE kind = 'refuse' AND state = 'done' GROUP BY 1"
    )
    ours = dict(rows.fetchall())
    return [
        Finding(
            "P4", f"{one.refund_id} was refused {one.refusals} times, and here {ours.get(one.refund_id, 0)}"
        )
        for one in applications
        if one.refusals is not None and one.refusals != ours.get(one.refund_id, 0)
    ]


def _known(conn: Connection[Any], applications: Sequence[Applied]) -> list[Finding]:
    rows = conn.execute(
        "SELECT case_id, application_version, state IN ('refunded', 'closed'),"
        " (extract(epoch FROM due_at) * 1000)::bigint FROM cases"
    )
    ours = {row[0]: row[1:] for row in rows}
    found = []
    for one in applications:
        version, ended, due_ms = ours.get(one.refund_id, (None, None, None))
        if version != one.version or bool(ended) != one.ended:
            found.append(
                Finding(
                    "P7", f"{one.refund_id} is known at version {version}, ended {ended}, and has {one[1:3]}"
                )
            )
        elif one.due_ms is not None and not one.ended and (due_ms or 0) // 1000 != one.due_ms // 1000:
            found.append(Finding("P6", f"{one.refund_id} is due at {one.due_ms}, and here at {due_ms}"))
    return found


def unasked(calls: Iterable[Call], questions_min: int = QUESTIONS_MIN) -> list[Finding]:
    """Submits of what may have happened already, without enough answered questions in between (P4).

    One is enough once the application has another version: the platform lets nothing through that was sent before.
    """
    found = []
    last: dict[str, str] = {}
    versions: dict[str, int] = {}
    questions: Counter[str] = Counter()
    enough: dict[str, int] = defaultdict(lambda: questions_min)
    for call in calls:
        if call.heard == "restored":
            enough[call.refund_id], questions[call.refund_id] = 1, 0
            if last.get(call.refund_id) == "refused":
                last[call.refund_id] = "told"
            continue
        if not call.submit:
            questions[call.refund_id] += call.heard == "told"
            if call.heard == "told" and call.version != versions.get(call.refund_id, call.version):
                enough[call.refund_id] = 1
            continue
        if versions.get(call.refund_id, call.version) != call.version:
            enough[call.refund_id] = 1
        before, versions[call.refund_id] = last.get(call.refund_id, "away"), call.version
        if before not in ("away", "refused") and questions[call.refund_id] < enough[call.refund_id]:
            asked = questions[call.refund_id]
            found.append(Finding("P4", f"{call.refund_id} was sent again after {asked} questions"))
        last[call.refund_id] = call.heard
        enough.pop(call.refund_id, None)
        questions[call.refund_id] = 0
    return found
