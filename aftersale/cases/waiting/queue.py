"""One page of the queue, whatever is filtered and sorted, at a cost that does not grow with the queue."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isqrt
from typing import Any

from aftersale.cases.rows import read, remembered
from aftersale.cases.waiting import everywhere
from aftersale.cases.waiting.everywhere import SORTED, Matches
from aftersale.cases.waiting.filters import UNCLAIMED, Count, Filter, Kind, Place
from aftersale.pg.sql import queries

SQL = queries("aftersale.cases.waiting", "waiting.sql")
PAGE_ROWS = 50
PAGES_MAX = 40
MATCHES_MAX = 1000
DEEP = {"scan": "p.no", "few": "-p.no"}
DENSE = 0.2  # where every fifth row matches, reading in order beats picking


@dataclass
class Found:
    """Where to read: whole places in order, kinds, or places by a range."""

    scan: list[Count] = field(default_factory=list)
    few: list[Kind] = field(default_factory=list)
    ranged: list[Count] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Number:
    cases: int


def counted(shop_ids: Collection[int]) -> list[Count]:
    """How many cases wait, by shop and queue."""
    return read(Count, SQL["counts"], {"shop_ids": list(shop_ids)})


def page_of(spots: Collection[Count], wanted: Filter, now: datetime) -> list[Place]:
    """The page's waiting cases among these places in order, and one more when there is a next page."""
    skip, rows = (min(max(wanted.page, 1), PAGES_MAX) - 1) * PAGE_ROWS, PAGE_ROWS + 1
    found = everywhere.page_of(spots, wanted, now, skip, rows, _matches(spots, wanted))
    return _cut(spots, wanted, now, skip, rows) if found is None else found


def _cut(spots: Collection[Count], wanted: Filter, now: datetime, skip: int, rows: int) -> list[Place]:
    """Few rows of each place, more of those that fill the page: the cut that makes both together the least."""
    top = skip + rows
    found, params = _where_to_read(spots, wanted, now, top), _params(spots, wanted, now)
    sql = _merged(SQL["merged"], found, wanted)
    cut = top // (isqrt(len(found.scan) + len(found.few)) or 1) + 1
    asked = {**params, **_arrays(found), "skip": skip, "rows": rows, "top": top, "cut": cut}
    return read(Place, sql, asked) if sql else []


def matching(
    spots: Collection[Count], wanted: Filter, now: datetime, since: datetime | None = None
) -> Matches:
    """How many cases match: exactly while the counters tell, else counted up to MATCHES_MAX; with `since` the later ones."""
    if not wanted.by_row and since is None:
        return Matches(_matches(spots, wanted))
    found = since is None and everywhere.matching(spots, wanted, now, MATCHES_MAX, _matches(spots, wanted))
    return found or _counted(spots, wanted, now, since)


def _counted(spots: Collection[Count], wanted: Filter, now: datetime, since: datetime | None) -> Matches:
    found, params = _where_to_read(spots, wanted, now, MATCHES_MAX), _params(spots, wanted, now)
    if since is not None:
        found = Found(ranged=list(spots))
    sql = _merged(SQL["matches"], found, wanted, since=since is not None)
    asked = {**params, **_arrays(found), "cut": MATCHES_MAX, "most": MATCHES_MAX, "since": since}
    cases = read(_Number, sql, asked)[0].cases if sql else 0
    return Matches(cases, cases == MATCHES_MAX)


def everything(spots: Collection[Count], wanted: Filter, now: datetime, most: int) -> list[Place]:
    """All matching cases in order, at most so many."""
    return _cut(spots, wanted, now, 0, most)


def _matches(spots: Collection[Count], wanted: Filter) -> int:
    """How many are of the filter's kind, whoever owns them."""
    return sum(one.cases for one in (_alike(spots, wanted) if wanted.of_kind else spots))


def _alike(spots: Collection[Count], wanted: Filter) -> list[Count]:
    """How many match in each of these places."""
    places = {(spot.shop_id, spot.queue) for spot in spots}
    asked = {"reason": wanted.reason, "action": wanted.action, "state": wanted.state}
    asked_for = {"shop_ids": sorted({shop_id for shop_id, _ in places}), **asked}
    found = remembered(("alike", *map(str, asked_for.values())), lambda: read(Count, SQL["alike"], asked_for))
    return [one for one in found if (one.shop_id, one.queue) in places]


def _kinds(places: Collection[tuple[int, str]], wanted: Filter) -> list[Kind]:
    """The kinds that match, in these places."""
    asked: dict[str, Any] = {"reason": wanted.reason, "action": wanted.action, "state": wanted.state}
    asked |= {"shop_ids": [shop_id for shop_id, _ in places], "queues": [queue for _, queue in places]}
    return read(Kind, SQL["kinds"], asked) if places else []


def _where_to_read(spots: Collection[Count], wanted: Filter, now: datetime, top: int) -> Found:
    """For each place the way that reads the fewest rows."""
    if wanted.owner not in ("", UNCLAIMED):
        return Found()
    left = {(spot.shop_id, spot.queue): spot for spot in spots}
    found = Found()
    if wanted.of_kind:
        alike = {(one.shop_id, one.queue): one.cases for one in _alike(spots, wanted)}
        left = {place: spot for place, spot in left.items() if place in alike}
        few = [
            place
            for place, matches in alike.items()
            if (wanted.sort == "due" or matches <= isqrt(top * left[place].cases))
            and matches < DENSE * left[place].cases
        ]
        found.few = _kinds(few, wanted)
        for place in few:
            del left[place]
    if left and (wanted.by_amount or (wanted.left_h is not None and wanted.sort != "due")):
        for spot, some in _ranged(list(left.values()), wanted, now, top):
            if some:
                found.ranged.append(spot)
                del left[spot.shop_id, spot.queue]
    found.scan = list(left.values())
    return found


def _ranged(spots: list[Count], wanted: Filter, now: datetime, top: int) -> list[tuple[Count, bool]]:
    """Each place, and whether so few fall into the range that they are sorted rather than searched for."""
    most = [isqrt(top * spot.cases) + 1 for spot in spots]
    asked = {**_params(spots, wanted, now), **_arrays(Found(scan=spots)), "most": most}
    sql = SQL["ranged"].replace("/*range*/", _range(wanted))
    found = {(one.shop_id, one.queue): one.cases for one in read(Count, sql, asked)}
    return [(spot, found[spot.shop_id, spot.queue] < limit) for spot, limit in zip(spots, most, strict=True)]


def _range(wanted: Filter) -> str:
    """The range that an index serves."""
    if wanted.by_amount:
        low = "AND i.asked_fen >= %(low_fen)s " if wanted.low_fen is not None else ""
        return low + ("AND i.asked_fen < %(high_fen)s " if wanted.high_fen is not None else "")
    return "AND i.due_at < %(due_before)s " if wanted.left_h is not None else ""


def _merged(sql: str, found: Found, wanted: Filter, *, since: bool = False) -> str:
    """The statement over the ways that are used; empty when there is nothing to read."""
    used = [name for name in ("scan", "few") if getattr(found, name)]
    used += ["in_range"] if found.ranged else []
    used += ["owned"] if wanted.owner not in ("", UNCLAIMED) else []
    first, along = SORTED.get(wanted.sort, SORTED["due"])
    where = _range(wanted)
    if wanted.left_h is not None and wanted.by_amount:
        where += "AND i.due_at < %(due_before)s "
    if wanted.owner:
        where += "AND i.owner IS NULL " if wanted.owner == UNCLAIMED else "AND i.owner = %(owner)s "
    where += "AND i.since > %(since)s " if since else ""
    if wanted.of_kind and "scan" in used:
        kinds = "".join(
            f"AND i.{name} = %({name})s " for name in ("reason", "action", "state") if getattr(wanted, name)
        )
    else:
        kinds = ""
    read_from = {
        name: SQL[name].replace("/*where*/", where + (kinds if name == "scan" else "")) for name in used
    }
    cuts = " UNION ALL ".join(f"({one}\n)" for one in read_from.values())
    deeper = "".join(
        f"UNION ALL SELECT shop_id, case_id, first FROM ({one.replace('%(cut)s', '%(top)s')}\n"
        f"  WHERE {DEEP[name]} = ANY (ARRAY(SELECT place FROM deep))) AS {name}\n"
        for name, one in read_from.items()
        if name in DEEP
    )
    sql = sql.replace("/*cuts*/", cuts).replace("/*deeper*/", deeper)
    return sql.replace("/*first*/", first).replace("/*order*/", f"{along}, i.case_id") if cuts else ""


def _params(spots: Collection[Count], wanted: Filter, now: datetime) -> dict[str, Any]:
    return {
        "all_shop_ids": sorted({spot.shop_id for spot in spots}),
        "all_queues": sorted({spot.queue for spot in spots}),
        "due_before": None if wanted.left_h is None else now + timedelta(hours=wanted.left_h),
        "low_fen": wanted.low_fen,
        "high_fen": wanted.high_fen,
        "reason": wanted.reason,
        "action": wanted.action,
        "state": wanted.state,
        "owner": wanted.owner,
    }


def _arrays(found: Found) -> dict[str, Any]:
    return {
        "shop_ids": [spot.shop_id for spot in found.scan],
        "queues": [spot.queue for spot in found.scan],
        "k_shop_ids": [kind.shop_id for kind in found.few],
        "k_queues": [kind.queue for kind in found.few],
        "k_reasons": [kind.reason for kind in found.few],
        "k_actions": [kind.action for kind in found.few],
        "k_states": [kind.state for kind in found.few],
        "r_shop_ids": [spot.shop_id for spot in found.ranged],
        "r_queues": [spot.queue for spot in found.ranged],
    }
