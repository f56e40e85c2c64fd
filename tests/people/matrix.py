"""Every address of the router with the values that stand for own, another's, deleted and unknown things."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

ROLES = ("agent", "lead", "finance", "warehouse", "owner", "helper")
# own: mine; crossed: my shop, another's thing; other: another's shop and thing; nowhere: no shop of that name.
PLACES = ("own", "crossed", "deleted", "random", "other", "nowhere")
THERE = ("own", "crossed", "deleted", "random")

NUMBERS = {"own": "1", "crossed": "2", "deleted": "77", "random": "99", "other": "2", "nowhere": "99"}
# What a name in an address stands for: one value for all places, or one a place.
SAMPLES: Mapping[str, str | Mapping[str, str]] = {
    "shop_code": {**dict.fromkeys(THERE, "tea"), "other": "wu", "nowhere": "nosuchshop"},
    "shop": {**dict.fromkeys(THERE, "tea"), "other": "wu", "nowhere": "nosuchshop"},
    **dict.fromkeys(
        (
            "approval_id",
            "bulk_id",
            "claim_id",
            "evidence_id",
            "job_id",
            "number",
            "order_id",
            "pk",
            "release_id",
            "scan_id",
            "session_id",
            "upload",
            "view_id",
            "file",
        ),
        NUMBERS,
    ),
    "user_id": {**NUMBERS, "crossed": "3", "other": "3"},
    "tracking_no": {
        "own": "SF1300000002",
        "crossed": "SF3300000000",
        "deleted": "SF0",
        "random": "SF1",
        "other": "SF3300000000",
        "nowhere": "SF1",
    },
    "token": "no-such-token-000000000000000",
    "kind": "note",
    "yes": "yes",
    "how": "again",
    "what": "buyer",
    "question": "register:x",
    "act": "note",
    "state": "asked",
    "name": "queue",
    "form": "csv",
    "sha256": "0" * 64,
}


@dataclass(frozen=True, slots=True)
class Route:
    """One address. `rights`: what the view declares to be read and written with."""

    path: str
    name: str
    names: tuple[str, ...]
    rights: Mapping[str, str] | None

    @property
    def scoped(self) -> bool:
        return "shop_code" in self.names

    @property
    def places(self) -> Iterable[str]:
        """Where there is nothing to point at, all places are one."""
        if self.scoped:
            return PLACES
        return THERE if any(not isinstance(SAMPLES[name], str) for name in self.names) else ("own",)

    def address(self, place: str, values: Mapping[str, Mapping[str, str] | str]) -> str:
        """With the names filled in; `values` over the samples."""
        found = self.path
        for name in self.names:
            value = values.get(name) or SAMPLES[name]
            found = re.sub(rf"<(?:\w+:)?{name}>", value if isinstance(value, str) else value[place], found)
        return f"/{found}"


def routes() -> list[Route]:
    """All of them, in the order of the router."""
    return list(_under(get_resolver().url_patterns, "", ""))


def _under(patterns: Iterable[URLPattern | URLResolver], path: str, namespace: str) -> Iterator[Route]:
    for one in patterns:
        whole = path + str(one.pattern)
        if isinstance(one, URLResolver):
            inner = f"{namespace}{one.namespace}:" if one.namespace else namespace
            yield from _under(one.url_patterns, whole, inner)
        else:
            names = tuple(re.findall(r"<(?:\w+:)?(\w+)>", whole))
            rights: Any = getattr(one.callback, "rights", None)
            yield Route(whole, f"{namespace}{one.name or ''}", names, rights)
