"""The queue over all shops at once: along the index of its sort, or by the rarest of what is asked.

Place by place a page costs rows of every place; whoever sees many places reads fewer this way. What a way will cost is
estimated as if what matches were spread evenly; where it is not, a walk falls short and the places are read after all.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil, isqrt
from typing import Any

from aftersale.cases.rows import expected, read
from aftersale.cases.waiting.filters import UNCLAIMED, Count, Filter, Place
from aftersale.pg.sql import queries

SQL = queries("aftersale.cases.waiting", "everywhere.sql")
STEPS_MAX = 20_000
TRIES = 2
LONGER = 10  # times, where a walk found nothing
RARE_MAX = 60_000
COUNTED_MAX = 4000  # rows that a number beside the page may cost
SPARE = 1.5  # what matches is not spread evenly
PLACE_ROWS = 10  # what it costs to turn to a place, in rows
ENDLESS = 10**9

# The sort's number, ascending, and the order in which an index over all shops gives it.
SORTED: Mapping[str, tuple[str, str]] = {
    "due": ("coalesce(extract(epoch FROM i.due_at)::float8, 'infinity'::float8)", "i.due_at"),
    "amount": ("-coalesce(i.asked_fen, -1)::float8", "i.asked_fen DESC NULLS LAST"),
    "oldest": ("extract(epoch FROM i.since)::float8", "i.since"),
    "newest": ("-extract(epoch FROM i.since)::float8", "i.since DESC"),
}


@dataclass(frozen=True, slots=True)
class Matches:
    """`more`: there may be more than were counted."""

    cases: int
    more: bool = False


@dataclass(frozen=True, slots=True)
class _Seen:
    """How many match of all that were looked at."""

    cases: int
    all: int


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question and what is known of it before it is asked. `alike`: how many in `spots` are of the filter's kind;
    `ranged`: how many of all the planner expects in each range."""

    spots: Collection[Count]
    wanted: Filter
    now: datetime
    alike: int
    waiting: int
    ranged: Mapping[str, int]

    @property
    def rarest(self) -> str:
        return min(self.ranged, key=lambda name: self.ranged[name], default="")

    def share(self, within: str) -> float:
        """What share of all that fall into the range `within` ('': of all) matches, if all is spread evenly."""
        share = self.alike / self.waiting
        for name, cases in self.ranged.items():
            share *= 1 if name == within else min(cases / self.waiting, 1)
        return share

    def by_places(self, top: int) -> int:
        """Rows that are read place by place for the first `top`."""
        here, turned = sum(spot.cases for spot in self.spots), len(self.spots) * PLACE_ROWS
        matches = max(self.share(_own(self.wanted)) * self.waiting, 1)
        rows = min(2 * top * (isqrt(len(self.spots)) + 1) * here / matches, here)
        if self.rarest not in ("", _own(self.wanted)):
            rows += len(self.spots) * isqrt(top * here // len(self.spots))
        return ceil(min(rows, self.alike) if self.wanted.of_kind else rows) + turned


def page_of(
    spots: Collection[Count], wanted: Filter, now: datetime, skip: int, rows: int, alike: int
) -> list[Place] | None:
    """The page's cases; None where place by place is cheaper. `alike`: how many in `spots` are of the filter's kind."""
    asked = _asked(spots, wanted, now, alike)
    if asked is None:
        return None
    places, rare = asked.by_places(skip + rows), asked.ranged.get(asked.rarest, ENDLESS)
    page = {**_params(asked), "skip": skip, "rows": rows}
    steps = _rows(SPARE * (skip + rows), asked.share(_own(wanted)))
    most = min(rare, places, STEPS_MAX)
    for _ in range(TRIES):
        if steps >= most:
            break
        walk = {**page, "steps": steps, "most": most}
        found = read(Place, _sql("walk", wanted, _own(wanted)), walk)
        if len(found) == rows:
            return found
        steps = _rows(SPARE * steps * (skip + rows), skip + len(found)) if found else LONGER * steps
    if rare < min(places, RARE_MAX):
        return read(Place, _sql("rare", wanted, asked.rarest), page)
    return None


def matching(
    spots: Collection[Count], wanted: Filter, now: datetime, most: int, alike: int
) -> Matches | None:
    """How many match, up to `most` and as far as COUNTED_MAX rows tell; None where the places tell it cheaper."""
    asked = _asked(spots, wanted, now, alike)
    if asked is None:
        return None
    steps = min(_rows(SPARE * most, asked.share(asked.rarest)), COUNTED_MAX)
    if min(steps, asked.ranged.get(asked.rarest, ENDLESS)) >= asked.by_places(most):
        return None
    sql = _sql("matches", wanted, asked.rarest)
    seen = read(_Seen, sql, {**_params(asked), "steps": steps})[0]
    return Matches(min(seen.cases, most), seen.cases >= most or seen.all >= steps)


def _asked(spots: Collection[Count], wanted: Filter, now: datetime, alike: int) -> _Asked | None:
    """None when nothing can match, or a person's own are asked for: these are few."""
    if not alike or wanted.owner not in ("", UNCLAIMED):
        return None
    waiting = max(
        expected(SQL["expected"].replace("/*range*/", "true"), {}), sum(spot.cases for spot in spots)
    )
    asked = _Asked(spots, wanted, now, alike, waiting, {})
    names = ["amount"] * wanted.by_amount + ["left"] * (wanted.left_h is not None)
    return replace(asked, ranged={name: _ranged(asked, name) for name in names})


def _ranged(asked: _Asked, name: str) -> int:
    return expected(SQL["expected"].replace("/*range*/", _range(name, asked.wanted)), _params(asked))


def _own(wanted: Filter) -> str:
    """The range along which the sort goes."""
    return {"due": "left", "amount": "amount"}.get(wanted.sort, "")


def _rows(top: float, share: float) -> int:
    return ceil(min(top / share, ENDLESS)) if share else ENDLESS


def _range(name: str, wanted: Filter) -> str:
    """What of the index is read; `name` '': all of it."""
    if name == "left" and wanted.left_h is not None:
        return "i.due_at < %(due_before)s"
    if name == "amount" and wanted.by_amount:
        low, high = wanted.low_fen is not None, wanted.high_fen is not None
        return " AND ".join(["i.asked_fen >= %(low_fen)s"] * low + ["i.asked_fen < %(high_fen)s"] * high)
    return "i.due_at IS NOT NULL" if name == "left" else "true"


def _sql(way: str, wanted: Filter, within: str) -> str:
    first, along = SORTED.get(wanted.sort, SORTED["due"])
    kinds = [f"i.{name} = %({name})s" for name in ("reason", "action", "state") if getattr(wanted, name)]
    ranges = [_range("left", wanted)] * (wanted.left_h is not None)
    ranges += [_range("amount", wanted)] * wanted.by_amount
    owner = ["i.owner IS NULL"] * (wanted.owner == UNCLAIMED)
    sql = (
        SQL[way]
        .replace("/*columns*/", SQL["columns"])
        .replace("/*where*/", " AND ".join([SQL["places"], *kinds, *ranges, *owner]))
    )
    return (
        sql.replace("/*range*/", _range(within, wanted))
        .replace("/*along*/", along)
        .replace("/*first*/", first)
    )


def _params(asked: _Asked) -> dict[str, Any]:
    wanted = asked.wanted
    return {
        "shop_ids": [spot.shop_id for spot in asked.spots],
        "queues": [spot.queue for spot in asked.spots],
        "due_before": None if wanted.left_h is None else asked.now + timedelta(hours=wanted.left_h),
        "low_fen": wanted.low_fen,
        "high_fen": wanted.high_fen,
        "reason": wanted.reason,
        "action": wanted.action,
        "state": wanted.state,
    }
