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
from aftersale.core.tracking.trace import TEXT_MAX, Event
from aftersale.rulebooks.tracking import reader

SHANGHAI = timezone(timedelta(hours=8))
SCHEME = "kuaidi100"


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
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return BadInput("kuaidi100 push", str(error), raw)
    where = f"kuaidi100 push {result.nu[:64]}"
    if not is_id(result.nu):
        return BadInput(where, "nu is no waybill number", raw)
    if not events:
        return BadInput(where, "a push without a trace line has no moment", raw)
    if result.state not in reader().lexicon.codes[SCHEME]:
        return BadInput(where, f"state {result.state!r} is unknown", raw)
    events.sort(key=lambda event: event.at)
    record = _parcel(result, events)
    return Arrival(record, f"parcel:{record.tracking_no}:{record.version}:{result.state}", events[-1].at, raw)


def _parcel(result: Result, events: Sequence[TrackingEvent]) -> Parcel:
    """What the whole trace says, read as docs/tracking.md tells; the courier's own codes are a hint."""
    last = events[-1]
    told = [Event(no, one.at, one.text[:TEXT_MAX], one.code or None) for no, one in enumerate(events)]
    told[-1] = Event(len(told) - 1, last.at, last.text[:TEXT_MAX], last.code or result.state)
    reading = reader().read_events(result.com, told, SCHEME)
    received = reading.state in ("signed", "returned")
    at = (reading.evidence.at if reading.evidence else None) or last.at
    return Parcel(
        tracking_no=result.nu,
        version=int(last.at.timestamp()) * 1_000_000,
        courier=plain(result.com),
        tracking_state=reading.state,
        tracking_events=len(events),
        last_tracking_at=last.at,
        signed_at=at if received else None,
        signed_by=reading.signed_by,
        tracking_doubt=reading.why if reading.doubtful else None,
        events=tuple(events),
    )


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if not 2000 <= at.year <= 2100:
        raise ValueError(f"{text!r} lies outside the years 2000 to 2100")
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)
