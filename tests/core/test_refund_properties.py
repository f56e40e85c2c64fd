"""Random orders, random sequences of refunds: every fen stays accounted for.

`REFUND_ORDERS=50000 .venv/bin/pytest tests/core/test_refund_properties.py` tries that many orders and sequences.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random
from typing import cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aftersale.core.refunds import (
    FREIGHT,
    Amount,
    Everything,
    Freight,
    Funder,
    Gift,
    Line,
    OverCeiling,
    Part,
    Policy,
    Purchase,
    Quantity,
    Refund,
    Source,
    Split,
    Unit,
    Units,
    Want,
    freeze,
    given_back,
    refund,
    standing,
)

ORDERS = int(os.environ.get("REFUND_ORDERS", "1000"))
THOROUGH = settings(max_examples=ORDERS, deadline=None, suppress_health_check=list(HealthCheck))
BRIEF = settings(THOROUGH, max_examples=max(ORDERS // 10, 100))
POLICIES: tuple[Policy, ...] = ("keep", "claw_back")
PAYMENTS: tuple[Funder, ...] = ("points", "deposit", "balance", "gift_card", "voucher", "unpaid")
fen = st.one_of(st.integers(0, 9), st.integers(0, 30000))
percent = st.integers(0, 100)


@st.composite
def splits(draw: st.DrawFn, policies: tuple[Policy, ...] = POLICIES) -> Split:
    """One to four lines, some kits, perhaps a gift; up to three discounts and three payments."""
    lines = [_line(draw, name) for name in "ABC"[: draw(st.integers(1, 3))]]
    if draw(st.booleans()):
        gift = Gift(("A",), draw(fen), draw(st.sampled_from(policies)))
        lines.append(Line("G", 0, draw(st.integers(1, 3)), gift=gift))
    freight, surcharge = draw(fen), draw(st.integers(0, 3))
    open_fen = sum(line.value_fen for line in lines) + surcharge
    sources: list[Source] = []
    for number in range(draw(st.integers(0, 3))):
        amount = open_fen * draw(percent) // 100
        open_fen -= amount
        funder = draw(st.sampled_from(("shop", "platform", "other")))
        minimum, policy = draw(st.integers(0, 60000)), draw(st.sampled_from(policies))
        sources.append(Source(f"off{number}", cast("Funder", funder), amount, None, "", minimum, policy))
    if draw(st.booleans()):
        free = freight * draw(percent) // 100
        sources.append(
            Source("post", "platform", free, ("freight",), "", 5000, draw(st.sampled_from(policies)))
        )
        freight_open = freight - free
    else:
        freight_open = freight
    rest = open_fen + freight_open
    for number, funder in enumerate(draw(st.lists(st.sampled_from(PAYMENTS), max_size=2))):
        amount = rest * draw(percent) // 100
        rest -= amount
        sources.append(Source(f"pay{number}", funder, amount))
    split = freeze(Purchase(tuple(lines), (*sources, Source("rest", "cash", rest)), freight, surcharge))
    assert isinstance(split, Split), split
    return split


def _line(draw: st.DrawFn, name: str) -> Line:
    parts = tuple(Part(f"p{number}", draw(fen)) for number in range(draw(st.sampled_from((0, 0, 0, 2, 3)))))
    return Line(name, draw(fen), draw(st.integers(1, 4)), parts=parts)


@dataclass(frozen=True)
class Wish:
    """A want before it is known what is left: which kind, which piece, how much of what is open (percent)."""

    kind: int
    place: int
    percent: int


wishes = st.lists(st.builds(Wish, st.integers(0, 7), st.integers(0, 11), st.integers(1, 110)), max_size=8)


def want(split: Split, history: Sequence[Refund], wish: Wish) -> Want:
    goods = split.goods()
    unit = goods[wish.place % len(goods)]
    now = standing(split, history)
    of_unit = max(now.refundable_fen((unit,)) * wish.percent // 100, 1)
    of_all = max(now.refundable_fen() * wish.percent // 100, 1)
    kinds: tuple[Want, ...] = (
        Units((unit,)),
        Units(tuple(sorted({unit, goods[wish.percent % len(goods)]}))),
        Quantity(unit.line_id, 1 + wish.percent % 3),
        Amount(of_unit, unit=unit),
        Amount(of_unit, line_id=unit.line_id),
        Amount(of_all),
        Amount(of_unit, payment=split.purchase.sources[wish.place % len(split.purchase.sources)].source_id),
        Freight(None if wish.place % 2 else max(now.refundable_fen((FREIGHT,)) * wish.percent // 100, 1)),
    )
    return kinds[wish.kind]


def accounted(split: Split, history: Sequence[Refund]) -> None:
    """Refunded + left = paid in every cell, piece and payment, and nobody has more than their part."""
    back: Counter[tuple[Unit, str]] = Counter()
    for one in history:
        for entry in one.entries:
            assert entry.amount_fen > 0
            back[entry.unit, entry.source_id] += entry.amount_fen
    now = standing(split, history)
    for unit, cells in split.shares.items():
        for place, source in enumerate(split.purchase.sources):
            left = now.left[unit][place]
            assert left >= 0
            assert back[unit, source.source_id] + left == cells[place]
    paid_fen = sum(split.paid_fen(unit) for unit in split.shares)
    assert sum(given_back(split, history).values()) + now.refundable_fen() == paid_fen


def subsidies_follow(split: Split, history: Sequence[Refund]) -> None:
    """A discount goes back with its piece, and never faster than the price."""
    now = standing(split, history)
    payments = split.payments()
    for unit in now.kept():
        for place in set(range(len(now.left[unit]))).difference(payments):
            returned = split.shares[unit][place] - now.left[unit][place]
            bought_back = split.paid_fen(unit) - now.refundable_fen((unit,))
            assert returned * split.paid_fen(unit) <= split.shares[unit][place] * bought_back
    for unit in now.gone:
        assert all(
            now.left[unit][place] == 0 for place in range(len(now.left[unit])) if place not in payments
        )


@given(splits(), wishes)
@THOROUGH
def test_any_sequence_sums_to_what_was_paid(split: Split, sequence: list[Wish]) -> None:
    history: list[Refund] = []
    for number, wish in enumerate(sequence):
        wanted = want(split, history, wish)
        got = refund(split, history, str(number), wanted)
        if isinstance(got, OverCeiling):
            asks_the_rest(split, history, wanted, got)
        if isinstance(got, Refund):
            if not isinstance(wanted, Amount | Freight):
                assert got.withheld_fen <= sum(claim.amount_fen for claim in got.claims)
            if isinstance(wanted, Amount):
                assert sum(given_back(split, [got]).values()) == wanted.amount_fen
            history.append(got)
            accounted(split, history)
            subsidies_follow(split, history)
    last = refund(split, history, "last", Everything())
    if isinstance(last, Refund):
        history.append(last)
    else:
        assert last.code == "nothing_left"
    accounted(split, history)
    every: Counter[str] = Counter()
    for entry in (entry for one in history for entry in one.entries):
        every[entry.source_id] += entry.amount_fen
    assert {source.source_id: every[source.source_id] for source in split.purchase.sources} == {
        source.source_id: source.amount_fen for source in split.purchase.sources
    }
    assert standing(split, history).refundable_fen() == 0
    assert standing(split, history[::-1]) == standing(split, history)


def asks_the_rest(split: Split, history: Sequence[Refund], wanted: Want, told: OverCeiling) -> None:
    """What a refusal says is still refundable is given, and one more is refused with the same figure."""
    if isinstance(wanted, Amount | Freight) and wanted.amount_fen is not None:
        if told.refundable > 0:
            rest = refund(split, history, "rest", replace(wanted, amount_fen=told.refundable))
            assert isinstance(rest, Refund)
            assert sum(given_back(split, [rest]).values()) == told.refundable
        more = refund(split, history, "more", replace(wanted, amount_fen=told.refundable + 1))
        assert isinstance(more, OverCeiling)
        assert (more.code, more.refundable) == (told.code, told.refundable)
    elif isinstance(wanted, Quantity) and told.refundable > 0:
        assert isinstance(refund(split, history, "rest", replace(wanted, quantity=told.refundable)), Refund)


@given(splits(policies=("keep",)), st.randoms(use_true_random=False))
@BRIEF
def test_whole_pieces_give_the_same_in_any_order(split: Split, chance: Random) -> None:
    """One by one, shuffled, or together; each piece what the buyer paid for it."""
    goods = list(split.goods())
    together = refund(split, [], "all", Units(tuple(goods)))
    assert isinstance(together, Refund)
    chance.shuffle(goods)
    history: list[Refund] = []
    for unit in goods:
        one = refund(split, history, str(unit), Units((unit,)))
        assert isinstance(one, Refund)
        assert sum(given_back(split, [one]).values()) == split.paid_fen(unit)
        history.append(one)
    entries = [entry for one in history for entry in one.entries]
    assert sorted(entries, key=str) == sorted(together.entries, key=str)
    assert all(one.withheld_fen == 0 for one in history)


@given(splits(), wishes, st.data())
@BRIEF
def test_what_is_cancelled_leaves_no_trace(split: Split, sequence: list[Wish], data: st.DataObject) -> None:
    """A refund that never happened: what remains is what the others left, and it still ends at what was paid."""
    history: list[Refund] = []
    for number, wish in enumerate(sequence):
        got = refund(split, history, str(number), want(split, history, wish))
        if isinstance(got, Refund):
            history.append(got)
    kept = [one for one in history if data.draw(st.booleans())]
    accounted(split, kept)
    for unit in sorted(standing(split, kept).gone):
        again = refund(split, kept, str(unit), Units((unit,)))
        if isinstance(again, Refund):
            assert again.left == ()
            assert sum(given_back(split, [again]).values()) > 0
            kept.append(again)
    accounted(split, kept)
    now = standing(split, kept)
    assert now.withheld_fen() <= now.clawed_fen()
    last = refund(split, kept, "last", Everything())
    assert isinstance(last, Refund) or last.code == "nothing_left"
    assert standing(split, [*kept, *([last] if isinstance(last, Refund) else [])]).refundable_fen() == 0


@given(splits(), st.lists(st.integers(0, 20), min_size=1, max_size=6))
@BRIEF
def test_a_policy_withholds_no_more_than_it_names(split: Split, places: list[int]) -> None:
    """Goods only: what is withheld is what the claims say, as far as the money of the goods gone reaches."""
    history: list[Refund] = []
    goods = split.goods()
    for place in places:
        unit = goods[place % len(goods)]
        got = refund(split, history, str(len(history)), Units((unit,)))
        if isinstance(got, Refund):
            history.append(got)
            now = standing(split, history)
            clawed_fen = sum(one.amount_fen for one in got.claims if one.policy == "claw_back")
            assert got.withheld_fen == now.withheld_fen() <= clawed_fen
            reachable_fen = sum(split.paid_fen(one) for one in now.gone)
            assert got.withheld_fen <= min(clawed_fen, reachable_fen)
    if set(standing(split, history).gone) == set(goods):
        assert standing(split, history).withheld_fen() == 0


@given(splits(), st.integers(0, 11), st.lists(st.integers(1, 30000), min_size=2, max_size=6))
@BRIEF
def test_a_larger_amount_gives_nobody_less(split: Split, place: int, amounts: list[int]) -> None:
    """Of one piece: discounts never less, payments at most the fen of the rounding less; of the order: each piece."""
    goods = split.goods()
    unit = goods[place % len(goods)]
    payments = {split.purchase.sources[number].source_id for number in split.payments()}
    for smaller, larger in pairwise(_by_source(split, [Amount(fen, unit=unit) for fen in sorted(amounts)])):
        for source_id, fen_before in smaller.items():
            assert larger[source_id] >= fen_before - (source_id in payments)
    for less, more in pairwise(_by_unit(split, [Amount(fen) for fen in sorted(amounts)])):
        assert all(more[piece] >= fen_before - 1 for piece, fen_before in less.items())


def _by_source(split: Split, wants: list[Want]) -> Iterator[Counter[str]]:
    for one in (refund(split, [], "k", wanted) for wanted in wants):
        if isinstance(one, Refund):
            found: Counter[str] = Counter()
            for entry in one.entries:
                found[entry.source_id] += entry.amount_fen
            yield found


def _by_unit(split: Split, wants: list[Want]) -> Iterator[Counter[Unit]]:
    payments = {split.purchase.sources[number].source_id for number in split.payments()}
    for one in (refund(split, [], "k", wanted) for wanted in wants):
        if isinstance(one, Refund):
            found: Counter[Unit] = Counter()
            for entry in one.entries:
                found[entry.unit] += entry.amount_fen * (entry.source_id in payments)
            yield found
