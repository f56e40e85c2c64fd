"""What is known before a row is read is settled here: settings, the moment, the fact a branch is about."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

from aftersale.core.expression import (
    FALSE,
    TRUE,
    UNKNOWN,
    After,
    Age,
    Arith,
    Call,
    Case,
    Compare,
    In,
    IsNull,
    IsTruth,
    Knob,
    Lit,
    Logic,
    Node,
    Not,
    Ref,
    Shift,
    Value,
    both,
    conjuncts,
    walk,
)
from aftersale.core.look import Env, evaluate

_NOTHING = Env({}, {}, {}, datetime(1970, 1, 1, tzinfo=UTC))
_PARTS: dict[type, tuple[str, ...]] = {
    Not: ("item",), IsNull: ("item",), IsTruth: ("item",),
    Compare: ("left", "right"), Arith: ("left", "right"),
}  # fmt: skip

SPLIT_MIN = 4
SHORT = 2
"""An arm of so few rules is worth its test wherever a batch pays for every expression it meets."""
"""Fewer rules are not worth a branch."""
SHARE_MAX = 0.7
"""Branches pay when they hold at most this share of the rules on average."""
TRIED = 3

Rules = tuple[tuple[int, Node], ...]


@dataclass(frozen=True)
class Folder:
    """`known`: settings; `assumed`: facts with their value; `others`: facts known but none of these."""

    known: Mapping[str, Value]
    now: datetime | None
    assumed: Mapping[str, Lit] = field(default_factory=dict)
    others: Mapping[str, frozenset[Value | None]] = field(default_factory=dict)

    def fold(self, node: Node) -> Node:
        """The same condition with less in it; unknown and TRUE stay apart."""
        match node:
            case Knob(name) if name in self.known and not isinstance(self.known[name], tuple):
                return Lit(self.known[name])
            case Ref(name):
                return self.assumed.get(name, node)
            case Logic(op, items):
                return _logic(op, tuple(map(self.fold, items)))
            case Not(item):
                return _settled(Not(self.fold(item)))
            case Compare(_, left, right) | Arith(_, left, right):
                return self._elsewhere(_settled(replace(node, left=self.fold(left), right=self.fold(right))))
            case IsTruth(item) | IsNull(item):
                return self._elsewhere(_settled(replace(node, item=self.fold(item))))
            case In(item, options):
                return self._elsewhere(self._in(self.fold(item), options))
            case _:
                return self._fold_values(node)

    def _fold_values(self, node: Node) -> Node:
        match node:
            case Age(_, _, bound):
                return replace(node, bound=self.fold(bound))
            case After(at) if self.now is not None:
                return Lit(self.now >= at)
            case Case(branches, otherwise):
                arms = tuple((self.fold(when), self.fold(value)) for when, value in branches)
                return _case(arms, self.fold(otherwise))
            case Call(name, items):
                return _settled(Call(name, tuple(map(self.fold, items))))
            case Shift():
                return replace(node, moment=self.fold(node.moment), count=self.fold(node.count))
        return node

    def _in(self, item: Node, options: tuple[Lit, ...] | Knob) -> Node:
        values = self.known.get(options.name) if isinstance(options, Knob) else None
        if isinstance(values, tuple):
            options = tuple(map(Lit, values))
        if options == ():
            return FALSE
        if not isinstance(options, Knob) and isinstance(item, Lit):
            return Lit(evaluate(In(item, options), _NOTHING))
        return In(item, options)

    def _elsewhere(self, node: Node) -> Node:
        """In the branch of all other values, a comparison with a value that has its own branch is settled."""
        tested = literal_test(node)
        if tested is None or tested[0] not in self.others or not tested[1] <= self.others[tested[0]]:
            return node
        return Lit(isinstance(node, Compare) and node.op == "<>")


def fact_test(node: Node) -> tuple[str, frozenset[Value | None]] | None:
    """A test of one fact alone: against literals, or of a boolean itself."""
    bare = node.item if isinstance(node, Not) else node
    return (bare.name, frozenset()) if isinstance(bare, Ref) else literal_test(bare)


def literal_test(node: Node) -> tuple[str, frozenset[Value | None]] | None:
    """The fact and the literals that a test compares for equality; of `is null` none."""
    match node:
        case Compare("=" | "<>", Ref(name), Lit(value)) | Compare("=" | "<>", Lit(value), Ref(name)):
            return name, frozenset({value})
        case In(Ref(name), options) if isinstance(options, tuple):
            return name, frozenset(option.value for option in options)
        case IsNull(Ref(name)):
            return name, frozenset()
    return None


def _settled(node: Node) -> Node:
    """A node over constants only is a constant."""
    parts = node.items if isinstance(node, Call) else [getattr(node, name) for name in _PARTS[type(node)]]
    return Lit(evaluate(node, _NOTHING)) if all(isinstance(part, Lit) for part in parts) else node


def _logic(op: Literal["and", "or"], items: tuple[Node, ...]) -> Node:
    stop, neutral = (FALSE, TRUE) if op == "and" else (TRUE, FALSE)
    if stop in items:
        return stop
    left = tuple(dict.fromkeys(item for item in items if item != neutral))
    return both(op, left) if left else neutral


def _case(branches: tuple[tuple[Node, Node], ...], otherwise: Node) -> Node:
    left: list[tuple[Node, Node]] = []
    for when, value in branches:
        if when == TRUE:
            otherwise = value
            break
        if when not in (FALSE, UNKNOWN):
            left.append((when, value))
    return Case(tuple(left), otherwise) if left else otherwise


def acting(node: Node) -> Node:
    """A condition of which only TRUE matters: what can never be TRUE is FALSE."""
    if node == UNKNOWN:
        return FALSE
    if isinstance(node, Logic):
        return _logic(node.op, tuple(map(acting, node.items)))
    return node


@dataclass(frozen=True)
class Branches:
    """`first match` over one fact's values: each arm's test with the rules left to try in it, in order; a TRUE
    rule ends them. `otherwise` takes every other row."""

    arms: tuple[tuple[Node, Rules], ...]
    otherwise: Rules


def branched(rules: Rules, facts: Mapping[str, tuple[Value, ...]], *, few: bool = False) -> Branches:
    """Split on the fact that most rules test, so that a row meets few of them; deeper trees proved slower.
    `facts`: those that may be split on, with their values. The rules are folded already. `few`: only the longest
    arm and the short ones, for an engine that computes by batches of rows and pays for the length of the text."""
    left = _acting_rules(rules)
    tested = [{test[0] for test in map(fact_test, conjuncts(node)) if test} for _, node in left]
    often = Counter(name for names in tested for name in names if name in facts).most_common(TRIED)
    arms = min((_arms(left, name, facts[name]) for name, _ in often), key=_size, default=[])
    if not arms or _size(arms) > SHARE_MAX * len(left) or len(left) < SPLIT_MIN:
        return Branches((), left)
    *tests_and_rules, (_, rest) = _fewer(arms, left) if few else arms
    groups: dict[Rules, list[Node]] = {}
    for test, inside in tests_and_rules:
        if inside != rest:
            groups.setdefault(inside, []).append(test)
    return Branches(tuple((_any(alike), inside) for inside, alike in groups.items()), rest)


def _fewer(arms: list[tuple[Node, Rules]], left: Rules) -> list[tuple[Node, Rules]]:
    """The other arms as one: every rule that speaks in any of them, with its tests."""
    *tests_and_rules, last = arms
    longest = max(tests_and_rules, key=lambda arm: len(arm[1]))
    kept = [arm for arm in tests_and_rules if arm is longest or len(arm[1]) <= SHORT]
    told = {no for arm in arms if arm not in kept for no, _ in arm[1]}
    return [*kept, (last[0], tuple((no, node) for no, node in left if no in told))]


def _acting_rules(rules: Rules) -> Rules:
    found: list[tuple[int, Node]] = []
    for no, condition in rules:
        node = acting(condition)
        if node != FALSE:
            found.append((no, node))
        if node == TRUE:
            break
    return tuple(found)


def _size(arms: list[tuple[Node, Rules]]) -> float:
    return sum(len(rest) for _, rest in arms) / len(arms)


def _arms(rules: Rules, name: str, values: tuple[Value, ...]) -> list[tuple[Node, Rules]]:
    """Per value that rules name, for unknown, and last, for an enum, for every other value."""
    fact, found = Ref(name), list[tuple[Node, Folder]]()
    if values == (True, False):
        found += [(fact, _assuming(name, True)), (Not(fact), _assuming(name, False))]
    named = {value for _, node in rules for value in _named(node, name)}
    if values != (True, False):
        found += [(Compare("=", fact, Lit(v)), _assuming(name, v)) for v in values if v in named]
    found.append((IsNull(fact), _assuming(name, None)))
    if values != (True, False):
        others = frozenset(named & set(values))
        found.append((Not(IsNull(fact)), Folder({}, None, {}, {name: others})))
    return [(test, _acting_rules(tuple((no, by.fold(node)) for no, node in rules))) for test, by in found]


def _assuming(name: str, value: Value | None) -> Folder:
    return Folder({}, None, {name: Lit(value)})


def _named(node: Node, name: str) -> Iterator[Value | None]:
    for part in walk(node):
        tested = literal_test(part)
        if tested is not None and tested[0] == name:
            yield from tested[1]


def _any(tests: list[Node]) -> Node:
    """One test for several values."""
    values = [test.right for test in tests if isinstance(test, Compare)]
    if len(values) == len(tests) > 1 and isinstance(tests[0], Compare):
        return In(tests[0].left, tuple(value for value in values if isinstance(value, Lit)))
    return both("or", tuple(tests))
