"""Work orders between the desk, the warehouse, couriers and finance (R-312)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["incomplete", "open", "overdue", "done"]


@dataclass(frozen=True, slots=True)
class WorkOrderState:
    """`missing`: of type, order, due and owner, without which nobody works on it."""

    state: State
    missing: tuple[str, ...]


def work_order_state(
    *,
    type: str | None = None,
    order: str | int | None = None,
    due: datetime | None = None,
    owner: str | None = None,
    result: str | None = None,
    now: datetime,
) -> WorkOrderState:
    """As the case shows it: done with a result, overdue after its due moment, which itself is still in time."""
    named = {"type": type, "order": order, "due": due, "owner": owner}
    missing = tuple(name for name, value in named.items() if value in (None, ""))
    if (result or "").strip():
        return WorkOrderState("done", missing)
    if due is not None and now > due:
        return WorkOrderState("overdue", missing)
    return WorkOrderState("incomplete" if missing else "open", missing)
