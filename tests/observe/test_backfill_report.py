"""What a backfill tells while it runs, and what it says at its end."""

from __future__ import annotations

from structlog.testing import capture_logs

from service.observe.backfill import BackfillReport
from service.observe.metrics import Metrics
from service.progress import Reached
from service.terminal import PACE_EVERY_S, PACE_FIRST_S
from tools.pipeline_tools import FakeClock


def test_a_line_now_and_then() -> None:
    """With the records of this replica, and the share of all and the time left."""
    clock, records = FakeClock(), 0
    report = BackfillReport("g-backfill", Metrics(), lambda: records, clock)
    with capture_logs() as logs:
        for left in (1000, 900, 800, 700):
            report.tell(Reached(1000, left))
            clock.now += PACE_FIRST_S
            records += 500
        clock.now += PACE_EVERY_S
        report.tell(Reached(1000, 500))
    report.close()

    assert [
        "backfill: 500 records, 50/s, 10 %, 2 min left",
        "backfill: 2,000 records, 20/s, 50 %, 2 min left",
    ] == [entry["event"] for entry in logs]


def test_the_summary_is_of_this_replica() -> None:
    """Its seconds end with the work, not with what is closed afterwards."""
    metrics, clock = Metrics(), FakeClock()
    report = BackfillReport("g-backfill", metrics, lambda: 12, clock)
    metrics.published.inc(9)
    for reason in ("not_json", "text_empty"):
        metrics.dead_lettered.labels(reason).inc()
    metrics.skipped.labels("tombstone").inc(1)
    clock.now = 4.0
    report.close()
    clock.now = 9.0

    assert report.summary(is_done=True) == {
        "group": "g-backfill",
        "done": True,
        "records": 12,
        "events": 9,
        "dead_letters": 2,
        "skipped": 1,
        "seconds": 4.0,
        "records_per_second": 3.0,
    }
