"""Kuaidi100's trace push: form field `param` holds {status, lastResult{com, nu, state, data}}.

A relay may put an array of at most 1000 such objects into `param`, signed the same way.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import msgspec

from aftersale.connectors.batch import messages
from aftersale.connectors.kuaidi100.verify import form
from aftersale.connectors.plain import is_id, plain
from aftersale.core.records import Arrival, BadInput, Parcel, TrackingEvent

SHANGHAI = timezone(timedelta(hours=8))

STATES = {
    "0": "in_transit", "1": "picked_up", "2": "delivery_failed", "3": "signed", "4": "returned",
    "5": "out_for_delivery", "6": "returning", "7": "forwarded", "8": "customs", "10": "customs",
    "11": "customs", "12": "customs", "13": "customs", "14": "refused",
}  # fmt: skip
# sub-states that say more than their state; those not named mean what their state means
SUB_STATES = {
    "101": "no_tracking", "102": "no_tracking", "103": "picked_up",
    "201": "in_transit", "202": "in_transit", "203": "refused", "204": "delivery_failed",
    "205": "waiting_pickup", "206": "delivery_failed", "207": "out_of_area", "208": "held",
    "209": "damaged", "210": "no_tracking",
    "304": "signed", "501": "waiting_pickup",
}  # fmt: skip
SIGNED_BY = {"301": "self", "302": "self", "303": "other", "304": "station"}


class Step(msgspec.Struct, gc=False):
    """One line of the trace."""

    ftime: str
    context: str
    statusCode: str | None = None


class Result(msgspec.Struct, gc=False):
    """The whole trace, newest line first."""

    nu: str
    state: str
    com: str | None = None
    data: list[Step] = []


class Push(msgspec.Struct, gc=False):
    """One push; `status` is polling, shutdown, abort or updateall."""

    lastResult: Result
    status: str = "polling"


_decoder = msgspec.json.Decoder(Push)


def push(body: bytes) -> list[Arrival | BadInput]:
    """One result per pushed parcel."""
    param = form(body).get("param", "").encode()
    if not param:
        return [BadInput("kuaidi100 push", "the form has no param", body)]
    parts = messages(param, "kuaidi100 push")
    return [parts] if isinstance(parts, BadInput) else [_arrival(part) for part in parts]


def _arrival(raw: bytes) -> Arrival | BadInput:
    try:
        result = _decoder.decode(raw).lastResult
        events = [
            TrackingEvent(_moment(step.ftime), plain(step.context) or "", step.statusCode)
            for step in result.data
        ]
    except (msgspec.MsgspecError, ValueError) as error:
        return BadInput("kuaidi100 push", str(error), raw)
    where = f"kuaidi100 push {result.nu[:64]}"
    if not is_id(result.nu):
        return BadInput(where, "nu is no waybill number", raw)
    if not events:
        return BadInput(where, "a push without a trace line has no moment", raw)
    if result.state not in STATES and result.state not in SUB_STATES:
        return BadInput(where, f"state {result.state!r} is unknown", raw)
    events.sort(key=lambda event: event.at)
    record = _parcel(result, events)
    return Arrival(record, f"parcel:{record.tracking_no}:{record.version}:{result.state}", events[-1].at, raw)


def _parcel(result: Result, events: Sequence[TrackingEvent]) -> Parcel:
    """The newest line's code is finer than `state`, but only when both speak of the same thing."""
    last = events[-1]
    state = SUB_STATES.get(result.state) or STATES[result.state]
    if last.code and (last.code[0] == result.state or result.state == "2"):
        state = SUB_STATES.get(last.code, state)
    signed = state == "signed"
    return Parcel(
        tracking_no=result.nu,
        version=int(last.at.timestamp()) * 1_000_000,
        courier=plain(result.com),
        tracking_state=state,
        tracking_events=len(events),
        last_tracking_at=last.at,
        signed_at=last.at if signed else None,
        signed_by=SIGNED_BY.get(last.code or "", "self") if signed else None,
        events=tuple(events),
    )


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if not 2000 <= at.year <= 2100:
        raise ValueError(f"{text!r} lies outside the years 2000 to 2100")
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)
