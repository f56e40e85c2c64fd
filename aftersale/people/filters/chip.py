"""One filter of a list: its name, what counts now, and the addresses of the other values."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Self

from django.utils.translation import gettext as _

from aftersale.cases.access import Shop


@dataclass(frozen=True, slots=True)
class Chip:
    """`value`: what the address names, '' is all; `text`: the same in words, '' for what nobody knows; `none`: the address
    without it. `narrows`: whether less is shown with it, which an order of rows does not."""

    title: str
    value: str
    text: str
    none: str
    options: tuple[tuple[str, str], ...]
    narrows: bool = True

    @classmethod
    def of(
        cls,
        title: str,
        value: str,
        options: Mapping[str, str],
        address: Callable[[str], str],
        narrows: bool = True,
    ) -> Self:
        """`options`: every value in words; `address`: that of the page with this value."""
        listed = tuple((text, address(code)) for code, text in options.items())
        return cls(title, value, options.get(value, ""), address(""), listed, narrows)


def of_shops(shops: Collection[Shop], code: str, address: Callable[[str], str]) -> Chip | None:
    """None for whoever has a single shop."""
    return (
        Chip.of(_("店铺"), code, {shop.code: shop.name for shop in shops}, address)
        if len(shops) > 1
        else None
    )
