"""Where the open entries of a queue begin, so that a claim need not walk over what is finished.

While some transaction stays open nothing that was deleted since can be removed from an index, and a claim that starts at
the left end visits it all (P30). A worker therefore starts where the lowest open entry was when it last saw one. What
comes in below (a claim that was undone, an insert that committed late) is found within the slack, or by a look at
everything, which is taken as often as it costs a hundredth of the time, at the latest once a minute.
"""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
T = TypeVar("T")
SHARE, PAUSE_MAX_S = 100.0, 60.0


class Floor(Generic[K]):
    """One worker's floor of one queue, `at`. `lowest` is below every key, `slack` steps back from a key."""

    def __init__(self, lowest: K, slack: Callable[[K], K]) -> None:
        self._lowest, self._slack = lowest, slack
        self.at = lowest
        self._whole_at = float("-inf")

    def claim(self, run: Callable[[K], tuple[T, K]]) -> T:
        """What `run(floor)` claims; it also tells the lowest key it claimed, or up to which key nothing was open."""
        began = time.monotonic()
        whole = began >= self._whole_at
        claimed, reached = run(self._lowest if whole else self.at)
        if whole:
            ended = time.monotonic()
            self._whole_at = ended + min(PAUSE_MAX_S, SHARE * (ended - began))
        self.at = self._slack(reached)
        return claimed
