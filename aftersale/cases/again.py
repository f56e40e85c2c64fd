"""Repeating a transaction that met another one (F17). Only for pure database work: a call must never be repeated so."""

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from psycopg.errors import DeadlockDetected, LockNotAvailable, SerializationFailure

log = logging.getLogger(__name__)
T = TypeVar("T")
MET = (DeadlockDetected, SerializationFailure, LockNotAvailable)
TRIES_MAX, PAUSE_S = 5, 0.01


def again(work: Callable[[], T], *, tries_max: int = TRIES_MAX, pause_s: float = PAUSE_S) -> T:
    """`work` is one whole transaction; it is repeated after a pause of up to `pause_s`, doubled each time.

    Raises what the last try raised.
    """
    for tries in range(1, tries_max):
        try:
            return work()
        except MET as error:
            log.info("two workers met (%s); try %s of %s follows", type(error).__name__, tries + 1, tries_max)
            time.sleep(random.uniform(0, pause_s * 2**tries))
    return work()
