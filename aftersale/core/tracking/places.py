"""Where a text says the parcel is, and where it is sent: enough to see the direction of a route."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from aftersale.core.tracking.lexicon import Gazetteer

_LEAD = re.compile(r"^[-/:,、\s]+")
_TAG = re.compile(r"[【\[]([一-龥]{2,8}?市|[一-龥]{2,3}(?<![店站柜点部场局巢]))[】\]]|([一-龥]{2,4})\|")
_BRACKET = re.compile(r"[【\[]([^】\]]{2,40})[】\]]")
_CITY = re.compile(r"([一-龥]{2,4}?)市")
_NOISE = re.compile(r"\(.*|[\d*,、/:()-]+.*$|[\"'“”·\s]")
_ENGLISH = re.compile(r"(?:in|at|to|from|facility|hub|cent(?:er|re)|depot),? +([a-z]{4,14})(?=$|[\s,.;])")
_PERSON = re.compile(r"签收人?[是为:]?$|(?:派件|派送|投递|扫描|收件|快递)员[是为:]?$|取件人[是为:]?$")
_PHONE = re.compile(r"/\d|\d{3}\*")
_NO_PLACE = re.compile(
    r"本人|客户|代收点|代理点|待取件|下一站|快件|包裹|邮件|途中|路上|目的地$|您|签收|代签|人$|寄件|发件|收件|商家|寄方"
    r"|驿站|丰巢|温馨|揽|^网点|派送|到达|更正|提醒"
)


@dataclass(frozen=True, slots=True)
class Place:
    """`name` is what remains of 河南省商丘市公司 (商丘); a hub's ends in #. `city` where it is known."""

    name: str
    city: str | None

    @property
    def hub(self) -> bool:
        return self.name.endswith("#")


@dataclass(frozen=True, slots=True)
class Places:
    """`at`: where the event happened; `to`: where the parcel was sent from there."""

    at: Place | None = None
    to: Place | None = None


def places_of(text: str, book: Gazetteer) -> Places:
    """Of one folded text."""
    tag = _TAG.match(text)
    town = place(tag[1] or tag[2], book) if tag else None
    body = text[tag.end() :] if tag and town else text
    to = _after(book.to, body, book)
    start = book.to.search(body)
    before = body[: start.start()] if start else body
    at = _bracketed(before, book) or _after(book.at, before, book) or _after(book.origin, body, book) or town
    if at is None and (city := book.cities.search(before)):
        at = Place(city[0], city[0])
    if at is None and (word := _ENGLISH.search(before)):
        at = Place(word[1], word[1])
    if town is not None and at is not None and at.city is None:
        at = Place(at.name, town.name)
    return Places(at, None if to == at else to)


def located(found: Iterable[Places], book: Gazetteer) -> dict[Places, Places]:
    """The places of one trace, their towns known from its own tags, hubs and cities."""
    every = list(dict.fromkeys(found))
    towns = set()
    for one in every:
        for spot in (one.at, one.to):
            if spot is not None:
                towns |= {spot.city} if spot.city else set()
                towns |= {spot.name[:-1]} if spot.hub and len(spot.name) <= 5 else set()
    longest = sorted((town for town in towns if town), key=len, reverse=True)
    return {one: Places(_in_town(one.at, longest), _in_town(one.to, longest)) for one in every}


def _in_town(spot: Place | None, towns: list[str]) -> Place | None:
    if spot is None or spot.city is not None:
        return spot
    town = next((town for town in towns if spot.name.startswith(town)), None)
    return replace(spot, city=town) if town else spot


def place(text: str, book: Gazetteer) -> Place | None:
    """None where the text names none."""
    bracket = _BRACKET.search(text)
    raw = _NOISE.sub("", _LEAD.sub("", bracket[1] if bracket else text))
    if len(raw) < 2 or _NO_PLACE.search(raw):
        return None
    city = _city(raw, book)
    bare = book.provinces.sub("", raw)
    hub = book.hubs.search(bare)
    name = bare[: hub.start()] if hub else bare
    if not hub:
        while (shorter := book.outlets.sub("", name)) != name and len(shorter) >= 2:
            name = shorter
    name = re.sub(r"(?<=[一-龥]{2})[省市]", "", name)
    return Place(name + ("#" if hub else ""), city) if name else None


def _city(raw: str, book: Gazetteer) -> str | None:
    bare = book.provinces.sub("", raw)
    known = book.cities.search(bare) or book.cities.search(raw)
    if known and known.start() <= 4:
        return known[0]
    named = _CITY.search(bare)
    return named[1] if named else None


def _bracketed(text: str, book: Gazetteer) -> Place | None:
    for match in _BRACKET.finditer(text):
        if (
            not _PERSON.search(text[: match.start()])
            and not _PHONE.search(match[1])
            and (found := place(match[1], book))
        ):
            return found
    return None


def _after(pattern: re.Pattern[str], text: str, book: Gazetteer) -> Place | None:
    match = pattern.search(text)
    named = next((group for group in match.groups() if group), None) if match else None
    return place(named, book) if named else None
