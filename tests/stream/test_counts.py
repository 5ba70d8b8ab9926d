"""What published outcomes add to the metrics."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families

from service.observe.drift import DriftWindow
from service.observe.feed import Feed
from service.observe.metrics import Metrics
from service.records import Reason, Skipped, SkipReason, Unscored
from service.stream.counts import ALL_SKIPPED_MESSAGES, AllSkipped, OutcomeCounts
from tools.values import rejected, skipped, verdict

if TYPE_CHECKING:
    from service.records import Outcome

# Half a second after its poll, and two after its timestamp.
NOW, NOW_MONOTONIC = 1_700_000_002.0, 0.5


def counted(metrics: Metrics) -> dict[str, float]:
    """The value of each metric by name, summed over its labels."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(metrics.render()[0].decode()):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0) + sample.value
    return found


def counts(latency_budget_s: float = 1.0) -> OutcomeCounts:
    """The counts of a service with this budget."""
    return OutcomeCounts(Metrics(), DriftWindow(), latency_budget_s)


def test_a_verdict_counts_as_published_and_scored() -> None:
    """And not as a dead letter."""
    outcomes = counts()
    outcomes.published(verdict(), NOW, NOW_MONOTONIC)

    found = counted(outcomes.metrics)
    names = ("published", "scored", "dead_lettered")
    assert [1, 1, 0] == [found[f"sentiment_{name}_total"] for name in names]
    assert 2.0 == found["sentiment_end_to_end_seconds_sum"]


def test_unsure_verdicts_are_counted_by_label() -> None:
    """In addition to all scored ones; an unscored message counts as published alone."""
    outcomes = counts()
    for confident in (True, False, False):
        reading = replace(verdict().reading, confident=confident)
        outcomes.published(replace(verdict(), reading=reading), NOW, NOW_MONOTONIC)
    outcomes.published(Unscored(verdict().message, "fr"), NOW, NOW_MONOTONIC)

    found = counted(outcomes.metrics)
    names = ("published", "scored", "unsure")
    assert [4, 3, 2] == [found[f"sentiment_{name}_total"] for name in names]


def test_a_rejected_record_counts_as_a_dead_letter() -> None:
    """And not as scored or published."""
    outcomes = counts()
    outcomes.published(rejected(Reason.NOT_JSON), NOW, NOW_MONOTONIC)

    found = counted(outcomes.metrics)
    names = ("published", "dead_lettered")
    assert [0, 1] == [found[f"sentiment_{name}_total"] for name in names]


def test_a_skipped_record_counts_as_skipped_alone() -> None:
    """Nothing came out that could be late, drift, or be shown on the live page."""
    feed = Feed(100, include_text=True)
    outcomes = OutcomeCounts(Metrics(), DriftWindow(), 0.1, feed)
    before = counted(outcomes.metrics)
    outcomes.published(skipped(), NOW, NOW_MONOTONIC)

    after = counted(outcomes.metrics)
    changed = {name: after[name] for name in before if after[name] != before[name]}
    assert {"sentiment_skipped_total": 1} == {
        name: value for name, value in changed.items() if name.startswith("sentiment_")
    }
    assert {"messages": [], "letters": [], "seconds": []} == feed.take(NOW_MONOTONIC + 2)
    assert {"labels": {}, "letters": {}} == feed.totals()


def test_each_input_record_is_counted_once() -> None:
    """However many messages are in it, and whatever became of them: a backfill tells of them."""
    outcomes = counts()
    first = replace(skipped(), record=replace(skipped().record, index=0, is_last=False))
    for outcome in (first, verdict(), rejected(Reason.NOT_JSON), skipped()):
        outcomes.published(outcome, NOW, NOW_MONOTONIC)
    assert 3 == outcomes.records


def _reason(reason: SkipReason) -> Skipped:
    return replace(skipped(), reason=reason)


def test_it_is_told_once_that_all_of_the_first_are_skipped() -> None:
    """With the commonest reason: after the last of them, and never again."""
    first = AllSkipped(3)
    reasons = (SkipReason.VALUE, SkipReason.ABSENT, SkipReason.ABSENT, *[SkipReason.VALUE] * 6)
    warned = [first.add(_reason(reason)) for reason in reasons]
    assert [None, None, SkipReason.ABSENT, *[None] * 6] == warned


@pytest.mark.parametrize("other", [verdict(), rejected(Reason.NOT_JSON)])
def test_one_that_is_not_skipped_ends_the_count(other: Outcome) -> None:
    """A feed may well pass over all of what follows."""
    first = AllSkipped(3)
    outcomes = [skipped(), skipped(), other, *[skipped()] * 9]
    assert {None} == {first.add(outcome) for outcome in outcomes}


def test_the_log_says_that_all_are_skipped() -> None:
    """In one line, which names the settings."""
    outcomes = counts()
    with structlog.testing.capture_logs() as logs:
        for _ in range(2 * ALL_SKIPPED_MESSAGES):
            outcomes.published(_reason(SkipReason.OTHER_VALUE), NOW, NOW_MONOTONIC)
    [line] = logs
    assert ("warning", "other_value") == (line["log_level"], line["commonest_reason"])
    assert "SENTIMENT_KAFKA__FEED" in line["event"]


@pytest.mark.parametrize(("budget_s", "late"), [(0.4, 1), (0.5, 0)])
def test_a_lost_budget_is_counted(budget_s: float, late: int) -> None:
    """It begins with the poll; the budget itself is still in time."""
    outcomes = counts(budget_s)
    outcomes.published(verdict(), NOW, NOW_MONOTONIC)
    assert late == counted(outcomes.metrics)["sentiment_over_budget_total"]
