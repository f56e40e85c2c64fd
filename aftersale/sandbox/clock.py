"""Virtual time at any speed, and the agenda of what is due in it. Moments are milliseconds since 1970."""

import heapq
import time
from collections.abc import Callable

Happening = Callable[[int], None]


class Clock:
    """virtual = anchor + elapsed × speed; it never goes back."""

    def __init__(self, start_ms: int, speed: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._anchor_ms, self._since = start_ms, monotonic()
        self.speed = speed
        self.paused = False

    def now_ms(self) -> int:
        if self.paused:
            return self._anchor_ms
        return self._anchor_ms + int((self._monotonic() - self._since) * self.speed * 1000)

    def set_speed(self, speed: float) -> None:
        self._anchor()
        self.speed = speed

    def pause(self, paused: bool) -> None:
        self._anchor()
        self.paused = paused

    def jump(self, at_ms: int) -> None:
        """Go forward to `at_ms`; a moment in the past changes nothing."""
        self._anchor()
        self._anchor_ms = max(self._anchor_ms, at_ms)

    def _anchor(self) -> None:
        self._anchor_ms, self._since = self.now_ms(), self._monotonic()


class Agenda:
    """Happenings in virtual order; ties are broken by the key of their subject, never by luck."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, Happening]] = []
        self._numbers = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, due_ms: int, key: int, happening: Happening) -> None:
        """`happening` is called with its due moment, once."""
        self._numbers += 1
        heapq.heappush(self._heap, (due_ms, key, self._numbers, happening))

    def next_ms(self) -> int | None:
        return self._heap[0][0] if self._heap else None

    def run(self, until_ms: int, most: int) -> int:
        """Let at most `most` happenings due by `until_ms` happen; how many did."""
        done = 0
        while done < most and self._heap and self._heap[0][0] <= until_ms:
            due_ms, _, _, happening = heapq.heappop(self._heap)
            happening(due_ms)
            done += 1
        return done
