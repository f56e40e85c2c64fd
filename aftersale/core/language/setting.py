"""A threshold or switch that a rulebook names and a shop may change: what it may be, and how a kept value counts."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from aftersale.core.expression import SECONDS, Kind, Type, Value
from aftersale.core.facts import FAR, items_misfit, value_misfit
from aftersale.core.language.saying import Saying

SETTING_KINDS: tuple[Kind, ...] = (
    "bool",
    "int",
    "fen",
    "decimal",
    "text",
    "enum",
    "list",
    *cast("Any", SECONDS),
)
NUMERIC = ("int", "fen", "decimal", *SECONDS)
WHOLE = re.compile(r"-?[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class Setting:
    """One `:name` a shop may change; `type.values` limits an enum, or a list compared with an enum.

    `by_platform`: other defaults of single platforms; `history`: what held until a moment (annex 0b).
    """

    name: str
    type: Type
    default: Value
    title: str
    title_en: str
    unit: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    by_platform: Mapping[str, Value] = field(default_factory=dict)
    history: tuple[tuple[datetime, Value], ...] = ()

    def usual(self, platform: str | None = None, at: datetime | None = None) -> Value:
        """The default of a platform at a moment; the shop's own value comes before it."""
        then = next((value for until, value in self.history if at is not None and at < until), None)
        return self.by_platform.get(platform or "", self.default) if then is None else then

    def fault(self, value: object) -> Saying | None:
        """Why the value is not allowed; None when it is."""
        return value_misfit(self.type, value, self.least, self.most) or items_misfit(self.default, value)

    @property
    def far(self) -> int | None:
        """As far from zero as anything of this kind may be, whatever the book says; None where nothing is counted."""
        return FAR.get(self.unit or "", FAR.get(self.type.kind)) if self.type.kind in NUMERIC else None

    @property
    def least(self) -> int | None:
        bounds = [bound for bound in (self.minimum, -self.far if self.far else None) if bound is not None]
        return max(bounds, default=None)

    @property
    def most(self) -> int | None:
        return min((bound for bound in (self.maximum, self.far) if bound is not None), default=None)

    @property
    def whole(self) -> bool:
        """A list of whole numbers."""
        return isinstance(self.default, tuple) and any(type(item) is int for item in self.default)

    def counted(self, value: Value) -> Value:
        """A value that was kept before it was refused: too far counts as `far`, numbers kept as texts as numbers."""
        if self.far is not None and isinstance(value, int) and not isinstance(value, bool):
            return max(-self.far, min(self.far, value))
        if self.far is not None and isinstance(value, Decimal) and value.is_finite():
            return max(Decimal(-self.far), min(Decimal(self.far), value))
        if self.whole and isinstance(value, tuple) and all(WHOLE.fullmatch(str(item)) for item in value):
            return tuple(map(int, value))
        return value


def setting_value(kind: Kind, value: object) -> Value:
    """As written in YAML or JSON: lists become tuples, a `decimal` is exact when it was quoted."""
    if kind == "decimal" and type(value) in (str, int, float):
        with suppress(InvalidOperation):
            return Decimal(str(value))
    return tuple(value) if isinstance(value, list) else cast("Value", value)
