"""Backing off after failures: delays, metrics and logs."""

from __future__ import annotations

import structlog
from hypothesis import given
from hypothesis import strategies as st

from service.errors import RetriableError
from service.observe.metrics import Metrics
from service.retry import BACKOFF_FIRST_S, BACKOFF_MAX_S, Retry, backoff_s
from tools.pipeline_tools import FakeClock


@given(st.integers(1, 10_000))
def test_backing_off_is_bounded(failures: int) -> None:
    """Delays grow with each failure, up to a bound, so that a recovered broker is noticed."""
    assert 0 < backoff_s(failures) <= BACKOFF_MAX_S
    assert backoff_s(failures) <= 2 * backoff_s(failures + 1) + 0.01


async def test_each_failure_is_counted_logged_and_waited_for() -> None:
    """The delays grow; after a success the next failure is the first again."""
    metrics, clock = Metrics(), FakeClock()
    retry = Retry("poll", metrics, clock)

    with structlog.testing.capture_logs() as logged:
        for _ in range(8):
            await retry.wait(RetriableError("the broker is away"))
        retry.reset()
        await retry.wait(RetriableError("away again"))

    assert [*range(1, 9), 1] == [line["failures"] for line in logged]
    assert clock.slept == [line["delay_s"] for line in logged]
    # Each from half of a ceiling to all of it, which doubles up to the seventh.
    assert sorted(clock.slept[:7]) == clock.slept[:7]
    assert clock.slept[8] <= 2 * BACKOFF_FIRST_S
    assert logged[8] == {
        "event": "retrying",
        "log_level": "warning",
        "stage": "poll",
        "error": "away again",
        "failures": 1,
        "delay_s": clock.slept[8],
    }
    counted = metrics.registry.get_sample_value
    assert counted("sentiment_retries_total", {"stage": "poll"}) == 9
    assert counted("sentiment_retries_total", {"stage": "start"}) == 0
