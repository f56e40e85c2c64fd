"""Steps of a playbook, done or passed over."""

import json
from collections.abc import Mapping
from typing import Any

from psycopg import Connection

from aftersale.cases.casework.place import NO_CASE, SQL, Place, lock, tell
from aftersale.core.refusal import Refusal


def take_step(
    conn: Connection[Any],
    place: Place,
    step: str,
    outcome: str,
    facts: Mapping[str, object],
    why: str = "",
) -> Refusal | None:
    """`done`, `skipped` (with a reason) or `undone`; `facts` are what the book reads from now on."""
    said = why.strip()
    if outcome == "skipped" and not said:
        return Refusal("no_reason", "跳过一步要写明原因")
    if len(said) > 500:
        return Refusal("length", "原因最多 500 个字")
    with conn.transaction():
        if lock(conn, place) is None:
            return NO_CASE
        last = conn.execute(SQL["last_step"], place.values(step=step)).fetchone()
        if outcome == "undone" and (last is None or last[0] == "undone"):
            return Refusal("already", "这一步没有做过")
        values = place.values(step=step, outcome=outcome, why=said, facts=json.dumps(dict(facts)))
        conn.execute(SQL["step"], values)
        tell(conn, place, "step", {"step": step, "outcome": outcome, "why": said})
    return None
