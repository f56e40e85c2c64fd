"""F39: platforms write their local time without a zone. It is Shanghai's, wherever we run and whatever clocks do there."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftersale.connectors.kuaidi100 import push as kuaidi100
from aftersale.connectors.taobao.mapping import moment, read_refund
from aftersale.connectors.taobao.shapes import Refund
from aftersale.core.records import Arrival, Parcel
from tests.connectors.test_taobao_mapping import REFUND

SHANGHAI = ZoneInfo("Asia/Shanghai")
ZONES = ("America/New_York", "Europe/London", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca",
         "America/Santiago", "Asia/Tehran", "Asia/Gaza", "Pacific/Chatham", "Pacific/Apia", "Asia/Shanghai")  # fmt: skip
FIRST, LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 12, 31, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECONDS = st.integers(0, int((LAST - FIRST).total_seconds()))


def transitions(zone: ZoneInfo) -> Iterator[datetime]:
    """The hours in which this zone's clocks change."""
    day = FIRST
    while day < LAST:
        after = day + timedelta(days=1)
        if day.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            hours = [day + n * HOUR for n in range(25)]
            yield next(
                h for h in hours[1:] if h.astimezone(zone).utcoffset() != day.astimezone(zone).utcoffset()
            )
        day = after


def ends() -> Iterator[datetime]:
    """Turns of months and years, leap days among them, as Shanghai sees them."""
    for year in range(2020, 2041):
        for month in range(1, 13):
            yield datetime(year, month, 1, tzinfo=SHANGHAI).astimezone(UTC)
        if year % 4 == 0:
            yield datetime(year, 2, 29, 12, tzinfo=SHANGHAI).astimezone(UTC)


def written(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


def trace_at(at: datetime) -> datetime:
    step = {"ftime": written(at), "context": "揽收", "statusCode": "103"}
    param = msgspec.json.encode({"lastResult": {"nu": "YT1", "state": "1", "data": [step]}})
    (arrival,) = kuaidi100.push(urlencode({"param": param}).encode())
    assert isinstance(arrival, Arrival)
    assert isinstance(arrival.record, Parcel)
    assert arrival.record.last_tracking_at is not None
    return arrival.record.last_tracking_at


@pytest.fixture(params=["UTC", "America/New_York", "Australia/Lord_Howe"])
def elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process runs in another zone."""
    with monkeypatch.context() as there:
        there.setitem(os.environ, "TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("elsewhere")
def test_every_change_of_clocks_and_every_turn_of_the_calendar() -> None:
    changes = [at for name in ZONES for at in transitions(ZoneInfo(name))]
    assert len(changes) > 250
    for at in [*changes, *ends()]:
        for near in (at - HOUR, at - timedelta(seconds=1), at, at + timedelta(seconds=1), at + HOUR):
            assert moment(written(near)) == near
    for at in changes[::25]:
        assert trace_at(at) == at


@given(SECONDS)
def test_any_second(second: int) -> None:
    at = (FIRST + timedelta(seconds=second)).astimezone(SHANGHAI)
    assert moment(written(at)) == at
    assert trace_at(at) == at


@given(SECONDS)
def test_a_deadline_is_the_moment_that_the_platform_wrote(second: int) -> None:
    at = (FIRST + timedelta(seconds=second)).astimezone(SHANGHAI)
    remind = {"exist_timeout": True, "timeout": written(at)}
    refund = REFUND | {"refund_remind_timeout": remind, "created": written(at)}
    told = read_refund(msgspec.convert(refund, Refund))
    assert told.due_at == told.applied_at == at
    assert told.applied_minute == at.hour * 60 + at.minute
