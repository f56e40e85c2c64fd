"""What a courier's trace says, as a question."""

from typing import Any

from aftersale.ask.questions import Unclear
from aftersale.core.records import BadInput
from aftersale.rulebooks.tracking import read


def read_trace(*, courier: str | None = None, events: tuple[Any, ...] | None) -> dict[str, Any]:
    """The state of the whole trace at its latest event, who signed, and whether a person should look (R-066)."""
    found = read(courier, list(events or ()))
    if isinstance(found, BadInput):
        raise Unclear(f"字段 {found.where}：{found.why}")
    signer = {"signed_by": found.signed_by} if found.signed_by else {}
    return {"state": found.state, **signer, "doubtful": found.doubtful, "why": found.why}
