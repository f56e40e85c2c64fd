"""What was measured, what was asked for, and how both are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Asked:
    """A figure of the design: its row's title, unit, and the bound that it must keep, if any."""

    title: str
    unit: str
    bound: float | None = None
    better: Literal["more", "less"] = "more"


ASKED: Mapping[str, Asked] = {
    "online.anchor": Asked("anchor: pgbench simple-update, 8 clients", "tps"),
    "online.one": Asked("online, one worker", "cases/s"),
    "online.one_ratio": Asked("online, one worker ÷ anchor", "×", 4.0),
    "online.two": Asked("online, two workers", "cases/s"),
    "online.two_ratio": Asked("online, two workers ÷ anchor", "×", 6.0),
    "online.hundred_ratio": Asked("online from stored bodies of 100, one worker ÷ anchor", "×"),
    "online.hundred_two_ratio": Asked("online from stored bodies of 100, two workers ÷ anchor", "×"),
    "online.lone_ratio": Asked("online from stored single bodies, one worker ÷ anchor", "×"),
    "online.wal": Asked("online, WAL without page images", "B/event", 1100.0, "less"),
    "online.wal_images": Asked("online, page images in the WAL", "B/event"),
    "online.transaction": Asked("anchor: one event decided by itself, median", "ms"),
    "online.insert": Asked("anchor: one row inserted by itself, median", "ms"),
    "online.p50": Asked("online at half load, event → decision, median", "ms"),
    "online.p99": Asked("online at half load, event → decision, p99", "ms", 50.0, "less"),
    "online.p99_ratio": Asked("online, p99 ÷ one event decided by itself", "×", 5.0, "less"),
    "webhook.one": Asked("webhook, one event a post", "posts/s"),
    "webhook.one_ratio": Asked("webhook, one event a post ÷ anchor", "×", 1.5),
    "webhook.hundred": Asked("webhook, a hundred events a post", "events/s"),
    "webhook.hundred_ratio": Asked("webhook, a hundred events a post ÷ anchor", "×", 8.0),
    "webhook.p99": Asked("webhook, one event a post, p99", "ms"),
    "webhook.lost": Asked("webhook, answered 2xx but not stored", "posts", 0.0, "less"),
    "bulk.rows": Asked("bulk, the refund book over Parquet", "rows/s"),
    "bulk.scan": Asked("anchor: DuckDB sums the same columns", "rows/s"),
    "bulk.ratio": Asked("bulk ÷ anchor", "×", 0.75),
    "bulk.clustered": Asked("bulk ÷ anchor, both over history as exported", "×"),
    "bulk.memory": Asked("bulk, peak memory", "MB", 512.0, "less"),
    "bulk.python_ratio": Asked("bulk ÷ the book evaluated row by row in Python", "×"),
    "execution.refunds": Asked("execution, refunds sent", "refunds"),
    "execution.seconds": Asked("execution, for 10,000 refunds", "s", 60.0, "less"),
    "execution.twice": Asked("execution, refunds paid twice", "refunds", 0.0, "less"),
    "execution.wrong": Asked("execution, ledgers that differ", "refunds", 0.0, "less"),
    "claims.news_p50": Asked("claim of news beside a long transaction, median", "ms"),
    "claims.news_p99": Asked("claim of news beside a long transaction, p99", "ms", 20.0, "less"),
    "claims.looks_p50": Asked("claim of due cases beside a long transaction, median", "ms"),
    "claims.looks_p99": Asked("claim of due cases beside a long transaction, p99", "ms", 20.0, "less"),
    "claims.intents_p50": Asked("claim of intents beside a long transaction, median", "ms"),
    "claims.intents_p99": Asked("claim of intents beside a long transaction, p99", "ms", 20.0, "less"),
    "desk.queue_p50": Asked("queue page with any filter and sort, median", "ms"),
    "desk.queue_p95": Asked("queue page with any filter and sort, p95", "ms", 100.0, "less"),
    "desk.case_p50": Asked("case page, median", "ms"),
    "desk.case_p95": Asked("case page, p95", "ms", 100.0, "less"),
    "desk.search_p50": Asked("search by number, phone tail or words, median", "ms"),
    "desk.search_p95": Asked("search by number, phone tail or words, p95", "ms", 150.0, "less"),
    "desk.preview": Asked("bulk: preview of 5,000 cases", "ms", 2000.0, "less"),
    "desk.counters_wrong": Asked("counters of the queue that are not true", "counters", 0.0, "less"),
    "desk.people_p95": Asked("any page with 20 people at once, p95", "ms", 100.0, "less"),
    "start.cold": Asked("start, a new database server", "s", 10.0, "less"),
    "start.warm": Asked("start, an existing one", "s", 3.0, "less"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of ASKED with the value of each repetition."""

    key: str
    values: tuple[float, ...]

    @property
    def asked(self) -> Asked:
        return ASKED[self.key]

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the median keeps the bound; None when there is none."""
        bound = self.asked.bound
        if bound is None:
            return None
        return self.median >= bound if self.asked.better == "more" else self.median <= bound

    @property
    def verdict(self) -> str:
        """'met', 'short by 12 %' or nothing."""
        bound = self.asked.bound
        if bound is None or self.met is None:
            return ""
        if self.met:
            return "met"
        if not bound:
            return f"{self.median:g} too many"
        word = "short by" if self.asked.better == "more" else "over by"
        return f"{word} {abs(self.median / bound - 1):.0%}".replace("%", " %")

    def cells(self) -> tuple[str, ...]:
        """Title, median, spread, bound, verdict."""
        low, high = min(self.values), max(self.values)
        spread = f"{number(low)} … {number(high)}" if len(self.values) > 1 else ""
        bound = self.asked.bound
        sign = "≥" if self.asked.better == "more" else "≤"
        told = "" if bound is None else f"{sign} {number(bound)}"
        return (self.asked.title, f"{number(self.median)} {self.asked.unit}", spread, told, self.verdict)


def number(value: float) -> str:
    """Three digits that mean something."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


HEAD = ("what", "median", "min … max", "asked", "")


def table(figures: Sequence[Figure]) -> Table:
    """For the terminal."""
    shown = Table(*HEAD)
    for figure in figures:
        style = "red" if figure.met is False else None
        shown.add_row(*figure.cells(), style=style)
    return shown


def markdown(figures: Sequence[Figure]) -> str:
    """For docs/performance.md."""
    rows = [HEAD, ("---",) * len(HEAD), *(figure.cells() for figure in figures)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def plain(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """For JSON."""
    return [
        {
            "key": figure.key,
            "title": figure.asked.title,
            "unit": figure.asked.unit,
            "median": figure.median,
            "min": min(figure.values),
            "max": max(figure.values),
            "values": list(figure.values),
            "bound": figure.asked.bound,
            "better": figure.asked.better,
            "met": figure.met,
        }
        for figure in figures
    ]
