"""What the log says of skipped messages that have nothing of their feed."""

from __future__ import annotations

from dataclasses import replace

import structlog

from service.observe.drift import DriftWindow
from service.observe.metrics import Metrics
from service.stream.counts import OutcomeCounts
from service.stream.foreign import LOG_EVERY_S, POINTERS_MAX, ForeignShapes
from tools.values import skipped

FOREIGN = replace(skipped(), foreign_fields=("unrelated", "n"))


def _counts() -> OutcomeCounts:
    foreign = ForeignShapes("x-v2", ["/data/text", "/data/text", *map(str, range(32))])
    return OutcomeCounts(Metrics(), DriftWindow(), 1.0, foreign=foreign)


def test_the_first_is_logged_at_once_and_then_some() -> None:
    """With the number of those since, so that none is ignored."""
    counts = _counts()
    times = [0.0, 1.0, LOG_EVERY_S - 1, LOG_EVERY_S, LOG_EVERY_S + 1, 3 * LOG_EVERY_S]
    with structlog.testing.capture_logs() as logs:
        for now in times:
            counts.published(FOREIGN, 0.0, now)
    assert [1, 3, 2] == [line["messages"] for line in logs]
    first = logs[0]
    assert ("warning", "x-v2", ["unrelated", "n"]) == (
        first["log_level"], first["feed"], first["fields"],
    )  # fmt: skip
    assert ["/data/text", "0"] == first["looked_for"][:2]
    assert POINTERS_MAX == len(first["looked_for"])
    assert "SENTIMENT_KAFKA__FEED" in first["event"]
    topic, partition = FOREIGN.record.partition
    assert f"{topic}/{partition}/{FOREIGN.record.offset}" == first["last"]


def test_messages_of_the_feed_are_not_told() -> None:
    """They are skipped as the feed says."""
    with structlog.testing.capture_logs() as logs:
        for _ in range(10):
            _counts().published(skipped(), 0.0, 0.0)
    assert [] == logs
