"""The platform's reasons for refusing an application, asked for when somebody wants to refuse it."""

from collections.abc import Iterator

from aftersale.cases.casework.refusing import Reason, told
from aftersale.connectors import pace
from aftersale.connectors.outcome import Answer, Ok, Rejected
from aftersale.connectors.taobao import refunds
from aftersale.intake.pull import Puller
from aftersale.pg.sql import queries

_SQL = queries("aftersale.intake", "reasons.sql")
REASONS_MAX = 100
TEXT_MAX = 200
NONE_TOLD = "平台没有给出可以选的理由"


def ask(puller: Puller) -> int:
    """One round; how many were asked for. A question that gets no answer is put again ten seconds later."""
    with puller.conn.transaction():
        wanted = puller.conn.execute(_SQL["lease"]).fetchall()
    for shop_id, case_id, version, phase in wanted:
        client = puller.client(shop_id)
        if client is None or not pace.wait_turn(puller.conn, puller.key(shop_id), puller.limits.calls_per_s):
            continue
        answer = refunds.refuse_reasons(client, case_id, phase or "aftersale")
        if isinstance(answer, Ok | Rejected):
            found = tuple(_reasons(answer))
            fault = answer.message if isinstance(answer, Rejected) else "" if found else NONE_TOLD
            told(puller.conn, shop_id, case_id, version, found, fault or "")
    return len(wanted)


def _reasons(answer: Answer) -> Iterator[Reason]:
    if not isinstance(answer, Ok):
        return
    for row in refunds.rows_of(answer.body, "reasons", "reason")[:REASONS_MAX]:
        number, text = str(row.get("reason_id") or ""), str(row.get("reason_text") or "").strip()
        if number.isascii() and number.isdigit() and len(number) < 19 and text:
            yield Reason(int(number), text[:TEXT_MAX], str(row.get("reason_tips") or "").strip()[:TEXT_MAX])
