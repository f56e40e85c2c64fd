"""What somebody who leaves had to do goes back to everybody, or to their department; what they decided is not sent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from aftersale.cases.people import undo
from aftersale.pg.sql import queries

_SQL = queries("aftersale.cases.leave", "leave.sql")
HELPERS = "agent"
"""Helpers come from elsewhere to do the agents' work."""


@dataclass(frozen=True, slots=True)
class Back:
    """How many cases, steps of work orders and open promises; `unsent`: decisions taken back before they were sent."""

    cases: int
    steps: int
    promises: int
    unsent: int


def hand_back(
    conn: Connection[Any], shop_id: int, owner: str, department: str, by: str, now: datetime
) -> Back:
    """Nothing of the shop stays with `owner`, whose role was `department`; each case says so on its timeline."""
    values = {"shop_id": shop_id, "owner": owner, "by": by, "now": now}
    values["department"] = HELPERS if department == "helper" else department
    with conn.transaction():
        decided = conn.execute(_SQL["unsent"], values).fetchall()
        taken_back = [undo(conn, shop_id, case_id, kind, by, now) is None for case_id, kind in decided]
        cases = conn.execute(_SQL["hand_back"], values).rowcount
        conn.execute(_SQL["lock_orders"], values)
        steps = conn.execute(_SQL["steps_back"], values).rowcount
        promised = conn.execute(_SQL["promises_back"], values).fetchone()
        conn.execute(_SQL["handovers_back"], values)
    return Back(cases, steps, promised[0] if promised else 0, sum(taken_back))
