"""Splitting fen so that nothing is lost: by largest remainder, and evenly over equal units."""

from collections.abc import Sequence


def spread(amount_fen: int, weights: Sequence[int]) -> tuple[int, ...]:
    """`amount_fen` in proportion to the weights by largest remainder; equal remainders serve the first ones.

    No part exceeds its weight while the amount does not exceed their sum. Weights that are all 0 count as equal.
    """
    assert amount_fen >= 0, "only what is there can be spread"
    assert weights or amount_fen == 0, "nothing to spread over"
    whole = sum(weights)
    if whole == 0:
        return even(amount_fen, len(weights))
    exact = [amount_fen * weight for weight in weights]
    parts = [one // whole for one in exact]
    by_remainder = sorted(range(len(exact)), key=lambda place: -(exact[place] % whole))
    for place in by_remainder[: amount_fen - sum(parts)]:
        parts[place] += 1
    return tuple(parts)


def even(amount_fen: int, count: int) -> tuple[int, ...]:
    """`amount_fen` over equal units by largest remainder: the first ones carry the rest.

    A part never shrinks as the amount grows, so the difference of two such splits is never negative.
    """
    return tuple((amount_fen + count - number) // count for number in range(1, count + 1))
