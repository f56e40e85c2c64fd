"""What goes wrong on purpose: rules per call, and troubles of the push, all from the script's seed.

A rule matches by method, by a refund id anywhere in the parameters, and by `nth` (the n-th matching
call, from 1) or `p` (a share of them). The first rule that fires acts.
"""

from random import Random
from typing import Annotated

import msgspec

RULES_MAX = 1000
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=600)]


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which calls; what is absent matches everything."""

    method: str | None = None
    nth: int | tuple[int, ...] | None = None
    p: Share | None = None
    refund_id: str | None = None


class PlainError(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An error_response; nothing is done."""

    code: int
    sub_code: str = ""
    sub_msg: str = ""


class Do(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The trouble: exactly one is meant, `delay_s` may go with any."""

    delay_s: Seconds = 0
    drop_before: bool = False
    drop_after: bool = False
    http_500: bool = False
    garbage: bool = False
    slow: Seconds = 0
    error: PlainError | None = None


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When → what."""

    match: Match
    do: Do


class PushTrouble(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shares of pushed messages that come twice, late, or never; and a delay before each delivery."""

    duplicate_p: Share = 0
    reorder_p: Share = 0
    drop_p: Share = 0
    delay_s: Seconds = 0


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole script; an empty one ends all trouble."""

    seed: int = 0
    rules: Annotated[tuple[Rule, ...], msgspec.Meta(max_length=RULES_MAX)] = ()
    push: PushTrouble = PushTrouble()


NOTHING = Do()
NO_TROUBLE = Script()


class Faults:
    """The running script."""

    def __init__(self, script: Script = NO_TROUBLE) -> None:
        self.fired = 0
        self.load(script)

    def load(self, script: Script) -> None:
        """Start a script from its beginning."""
        self.script = script
        self._seen = [0] * len(script.rules)
        self._chance = [Random(f"{script.seed}/{place}") for place in range(len(script.rules))]
        self.push_chance = Random(f"{script.seed}/push")

    def trouble(self, method: str, parameters: str) -> Do:
        """What shall go wrong with this call; NOTHING for most."""
        for place, rule in enumerate(self.script.rules):
            if self._fires(place, rule.match, method, parameters):
                self.fired += 1
                return rule.do
        return NOTHING

    def _fires(self, place: int, match: Match, method: str, parameters: str) -> bool:
        if match.method not in (None, method):
            return False
        if match.refund_id is not None and match.refund_id not in parameters:
            return False
        self._seen[place] += 1
        if match.nth is not None:
            wanted = match.nth if isinstance(match.nth, tuple) else (match.nth,)
            return self._seen[place] in wanted
        return match.p is None or self._chance[place].random() < match.p
