"""A typed client of /control/* for tests, demos and measurements."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any

import httpx2
import msgspec


class ShopState(msgspec.Struct, frozen=True):
    """One shop of the sandbox."""

    code: str
    platform: str
    session: str


class State(msgspec.Struct, frozen=True):
    """GET /control/state."""

    now: datetime
    speed: float
    paused: bool
    behind: bool
    seed: int
    applications: int
    by_status: Mapping[str, int]
    arrivals_left: int
    happenings: int
    pushes_waiting: int
    pushes_delivered: int
    push_attempts_failed: int
    payments: int
    app_key: str
    shops: tuple[ShopState, ...]


class Payment(msgspec.Struct, frozen=True):
    """One entry of the sandbox's ledger."""

    seq: int
    shop: str
    refund_id: str
    order_id: str
    amount_fen: int
    at: datetime
    by: str
    request_id: str


class Control:
    """Steers one sandbox. A refused wish is a RuntimeError with the sandbox's words."""

    def __init__(self, url: str, timeout_s: float = 150.0) -> None:
        kept = httpx2.Limits(keepalive_expiry=2.0)  # the sandbox ends what was idle for five seconds
        self._http = httpx2.Client(base_url=url, timeout=timeout_s, trust_env=False, limits=kept)

    def __enter__(self) -> "Control":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def state(self) -> State:
        """Counts, clock and shops."""
        return msgspec.convert(self._get("state"), State, strict=False)

    def settled(self) -> State:
        """Wait (two minutes at most) until everything due has happened and every push is accepted."""
        return msgspec.convert(self._get("settled"), State, strict=False)

    def jump(self, at: datetime) -> State:
        """Go forward to `at` and let everything until then happen."""
        return self._clock({"at": at})

    def speed(self, speed: float) -> State:
        """Change the clock's speed."""
        return self._clock({"speed": speed})

    def pause(self, paused: bool) -> State:
        """Stop the clock, or let it go on."""
        return self._clock({"pause": paused})

    def faults(self, script: Mapping[str, Any]) -> None:
        """Start a fault script; {} ends all trouble."""
        self._post("faults", script)

    def calls(self) -> Mapping[str, int]:
        """'method outcome' → how often."""
        calls: Mapping[str, int] = self._get("calls")["calls"]
        return calls

    def faults_fired(self) -> int:
        """How often a fault script struck."""
        return int(self._get("calls")["faults_fired"])

    def ledger(self, after: int = 0) -> list[Payment]:
        """Everything paid after entry `after`, oldest first."""
        rows = [row for page in self._pages("ledger", after) for row in page["entries"]]
        return msgspec.convert(rows, list[Payment], strict=False)

    def applications(self, after: int = 0) -> list[dict[str, Any]]:
        """Every application as TOP's Refund object with its `shop`, oldest first."""
        return [row for page in self._pages("applications", after) for row in page["applications"]]

    def _pages(self, name: str, after: int) -> Iterator[dict[str, Any]]:
        more = True
        while more:
            page = self._get(name, after=after)
            after, more = page["next"], page["more"]
            yield page

    def _clock(self, wish: Mapping[str, object]) -> State:
        return msgspec.convert(self._post("clock", wish), State, strict=False)

    def _get(self, name: str, **params: int) -> dict[str, Any]:
        return _body(self._http.get(f"/control/{name}", params=params))

    def _post(self, name: str, wish: Mapping[str, object]) -> dict[str, Any]:
        return _body(self._http.post(f"/control/{name}", content=msgspec.json.encode(wish)))


def _body(answer: httpx2.Response) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.json.decode(answer.content)
    if not answer.is_success:
        raise RuntimeError(told.get("error", f"HTTP {answer.status_code}"))
    return told
