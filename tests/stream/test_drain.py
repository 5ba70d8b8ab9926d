"""The predicted time for a lag: by what records hold, and by what batches have cost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.records import Outcome, Partition, Reason
from service.stream.batcher import Batcher, Limits
from service.stream.drain import RECORDS, Drain
from tools.values import rejected, skipped, verdict

LAG = {Partition("a", 0): 600, Partition("a", 1): 200, Partition("b", 0): 200}
TOKENS = verdict().document.tokens


def drain(tokens_max: int = 10_000, records_max: int = 100) -> Drain:
    """It knows no cost yet."""
    return Drain(Batcher(Limits(tokens_max, records_max, 0.1)))


def learned(model_s: float, publish_s: float, **limits: int) -> Drain:
    """It has seen batches of 100 texts that took so long, each stage."""
    found = drain(**limits)
    for _ in range(3):
        found.batcher.cost.observe(100, 100 * TOKENS, model_s)
        found.batcher.observe_publish(100, publish_s)
    return found


def published(found: Drain, *outcomes: Outcome, times: int = 1) -> None:
    """Let it learn."""
    for outcome in outcomes * times:
        found.published(outcome)


def test_nothing_is_said_before_a_cost_is_known() -> None:
    """But that nothing waits: then there is nothing to do, whatever it would cost."""
    found = drain()
    assert {} == found.seconds(LAG)
    assert {} == found.seconds({})
    assert {"a": 0.0, "b": 0.0} == found.seconds(dict.fromkeys(LAG, 0))


def test_the_time_is_that_of_full_batches_on_the_slower_stage() -> None:
    """1,000 records in batches of 100 texts; each topic has its share."""
    for model_s, publish_s in ((2.0, 0.5), (0.5, 2.0)):
        found = learned(model_s, publish_s)
        published(found, verdict(), times=50)
        assert found.seconds(LAG) == pytest.approx({"a": 16.0, "b": 4.0})


def test_a_batch_is_as_large_as_its_tokens_allow() -> None:
    """Its fixed cost counts for each: half as large batches are not half the time."""
    found = drain(tokens_max=50 * TOKENS)
    for texts in (10, 100, 30, 60):
        found.batcher.cost.observe(texts, texts * TOKENS, 1.0 + texts / 100)
    published(found, verdict(), times=50)
    assert sum(found.seconds(LAG).values()) == pytest.approx(20 * 1.5)
    # A few records are one batch.
    assert found.seconds({Partition("a", 0): 10})["a"] == pytest.approx(1.1)


def test_what_the_model_does_not_compute_costs_it_nothing() -> None:
    """Repeats, what is skipped, and dead letters, of which three in four are here."""
    found = learned(2.0, 0.0)
    repeat = replace(verdict(), repeated=True)
    published(found, verdict(), repeat, skipped(), rejected(Reason.NOT_JSON), times=500)
    assert sum(found.seconds(LAG).values()) == pytest.approx(5.0, rel=0.01)


def test_records_that_are_only_skipped_take_the_time_of_commits() -> None:
    """No text was ever scored, and yet the time is known."""
    found = drain()
    found.batcher.observe_publish(100, 0.1)
    published(found, skipped(), times=10)
    assert sum(found.seconds(LAG).values()) == pytest.approx(1.0)


def test_a_record_that_is_a_list_costs_all_of_its_elements() -> None:
    """The lag counts it once."""
    found = learned(2.0, 0.0)
    element = verdict()
    record = replace(element.document.message.record, is_last=False)
    message = replace(element.document.message, record=record)
    first = replace(element, document=replace(element.document, message=message))
    published(found, first, first, first, element, times=50)
    assert sum(found.seconds(LAG).values()) == pytest.approx(80.0, rel=0.01)


def test_it_follows_the_records() -> None:
    """Of a feed that has changed the old mean is soon forgotten."""
    found = learned(2.0, 0.0)
    published(found, skipped(), times=5 * RECORDS)
    published(found, verdict(), times=5 * RECORDS)
    assert sum(found.seconds(LAG).values()) == pytest.approx(20.0, rel=0.01)
