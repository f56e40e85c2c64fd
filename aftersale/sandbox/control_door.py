"""/control/*: how tests and demos steer the sandbox. JSON in and out; (status, body) per call."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from aftersale.sandbox.faults import Script
from aftersale.sandbox.top.protocol import APP_KEY, session_of
from aftersale.sandbox.top.views import iso, refund_view

if TYPE_CHECKING:
    from aftersale.sandbox.run import Sandbox

PAGE = 1000
CATCH_UP_S_MAX = 120.0

Told = tuple[int, dict[str, Any]]


class ClockWish(msgspec.Struct, forbid_unknown_fields=True):
    """POST clock: what is absent stays. `at` is ISO 8601 with an offset and never goes back."""

    speed: Annotated[float, msgspec.Meta(ge=0, le=1_000_000)] | None = None
    at: datetime | None = None
    pause: bool | None = None


async def handle(sandbox: "Sandbox", method: str, name: str, fields: Mapping[str, str], body: bytes) -> Told:
    """Answer one call of the control door."""
    try:
        if method == "POST":
            return await _steer(sandbox, name, body)
        after = max(0, int(fields.get("after", "0")))
    except (msgspec.MsgspecError, ValueError) as error:
        return 400, {"error": str(error)}
    if name == "state":
        return 200, _state(sandbox)
    if name == "settled":
        await sandbox.caught_up(CATCH_UP_S_MAX, pushed=True)
        return 200, _state(sandbox)
    if name == "ledger":
        return 200, _ledger(sandbox, after)
    if name == "applications":
        return 200, _applications(sandbox, after)
    if name == "calls":
        return 200, {"calls": dict(sandbox.calls), "faults_fired": sandbox.faults.fired}
    return 404, {"error": f"no /control/{name}: state, settled, ledger, applications, calls, clock, faults"}


async def _steer(sandbox: "Sandbox", name: str, body: bytes) -> Told:
    if name == "clock":
        wish = msgspec.json.decode(body, type=ClockWish)
        if wish.at is not None and wish.at.tzinfo is None:
            return 400, {"error": "at needs a time offset"}
        if wish.pause is not None:
            sandbox.clock.pause(wish.pause)
        if wish.speed is not None:
            sandbox.clock.set_speed(wish.speed)
        if wish.at is not None:
            sandbox.clock.jump(int(wish.at.timestamp() * 1000))
            await sandbox.caught_up(CATCH_UP_S_MAX)
        return 200, _state(sandbox)
    if name == "faults":
        sandbox.faults.load(msgspec.json.decode(body, type=Script))
        return 200, {"rules": len(sandbox.faults.script.rules)}
    return 404, {"error": f"no POST /control/{name}: clock, faults"}


def _state(sandbox: "Sandbox") -> dict[str, Any]:
    market, clock, outbox = sandbox.market, sandbox.clock, sandbox.outbox
    return {
        "now": iso(clock.now_ms()),
        "speed": clock.speed,
        "paused": clock.paused,
        "behind": sandbox.behind(),
        "seed": market.seed,
        "applications": len(market.applications),
        "by_status": dict(Counter(refund.status for refund in market.applications)),
        "arrivals_left": market.awaited,
        "happenings": len(sandbox.agenda),
        "pushes_waiting": outbox.waiting if outbox else 0,
        "pushes_delivered": outbox.delivered if outbox else 0,
        "push_attempts_failed": outbox.attempts_failed if outbox else 0,
        "payments": len(sandbox.ledger.entries),
        "app_key": APP_KEY,
        "shops": [
            {
                "code": shop.code,
                "platform": "tmall" if shop.tmall else "taobao",
                "session": session_of(shop.code),
            }
            for shop in market.shops.values()
        ],
    }


def _ledger(sandbox: "Sandbox", after: int) -> dict[str, Any]:
    entries = sandbox.ledger.entries[after : after + PAGE]
    rows = [asdict(entry) | {"at": iso(entry.at_ms)} for entry in entries]
    return {
        "entries": rows,
        "next": after + len(rows),
        "more": after + len(rows) < len(sandbox.ledger.entries),
    }


def _applications(sandbox: "Sandbox", after: int) -> dict[str, Any]:
    everything = sandbox.market.applications
    rows = [refund_view(refund) | {"shop": refund.trade.shop} for refund in everything[after : after + PAGE]]
    return {"applications": rows, "next": after + len(rows), "more": after + len(rows) < len(everything)}
