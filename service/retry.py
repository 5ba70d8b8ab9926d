"""How long to wait after a failure. Pure but for chance; knows nothing of what failed."""

from __future__ import annotations

import random

BACKOFF_FIRST_S = 0.1
# A broker that is back is noticed within this time, and not asked more often when it stays away.
BACKOFF_MAX_S = 15.0


def backoff_s(failures: int) -> float:
    """Seconds to wait after so many failures in a row: exponential, bounded, with equal jitter.

    Jitter keeps replicas that failed together from coming back together; half of the time is kept,
    so that none comes back at once. See "Exponential Backoff And Jitter", AWS Architecture Blog,
    2015.
    """
    ceiling = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(failures, 20))
    return round(random.uniform(ceiling / 2, ceiling), 3)  # noqa: S311 - spread, not secrecy
