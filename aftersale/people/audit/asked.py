"""What of the audit log is asked for, as its address says it."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EVERY_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Mark:
    """A row's place in the log: by moment, then the table it stands in, then its number there."""

    at: datetime
    source: int
    id: int

    def __str__(self) -> str:
        return f"{(self.at - EPOCH) // timedelta(microseconds=1)}-{self.source}-{self.id}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None for what is no mark."""
        found = re.fullmatch(r"([0-9]{1,17})-([01])-([0-9]{1,18})", text)
        if found is None:
            return None
        return cls(EPOCH + timedelta(microseconds=int(found[1])), int(found[2]), int(found[3]))


@dataclass(frozen=True, slots=True)
class Asked:
    """Empty = all. `before`: only what stands below this row."""

    shop: str = ""
    who: str = ""
    what: str = ""
    case: str = ""
    since: date | None = None
    until: date | None = None
    before: Mark | None = None

    def address(self, **changes: str) -> str:
        given = {"shop": self.shop, "who": self.who, "what": self.what, "case": self.case}
        days = {"since": str(self.since or ""), "until": str(self.until or "")}
        return "?" + urlencode({name: value for name, value in {**given, **days, **changes}.items() if value})

    def span(self, source: int) -> dict[str, datetime | int | None]:
        """From when, and below which moment and number, rows of this table are asked for; days are the pages' zone's."""
        until, below = _midnight(self.until and self.until + timedelta(days=1)), 0
        if self.before is not None and (until is None or self.before.at < until):
            until = self.before.at
            below = (
                self.before.id if source == self.before.source else EVERY_ID * (source < self.before.source)
            )
        return {"since": _midnight(self.since), "until": until, "below": below}


def asked_of(given: QueryDict) -> Asked:
    """What the address names wrongly counts as not named."""
    return Asked(
        given.get("shop", ""),
        _text(given.get("who", "")),
        given.get("what", "").replace("\0", ""),
        _text(given.get("case", "")),
        _day(given.get("since", "")),
        _day(given.get("until", "")),
        Mark.read(given.get("before", "")),
    )


def _text(given: str) -> str:
    return given.strip()[:150].replace("\0", "")


def _day(text: str) -> date | None:
    try:
        found = parse_date(text)
    except ValueError:
        return None
    return found if found and 2000 <= found.year < 2200 else None


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), timezone.get_current_timezone())
