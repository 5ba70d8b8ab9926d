"""The stages of the stream, on a fake Kafka and a scripted model."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tools.pipeline_tools import (
    Stream,
    assert_each_once_in_order,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.records import Item, Record


async def test_messages_are_published_once_and_in_order() -> None:
    """All are published and committed, with the fields that the producer sent."""
    stream = Stream(records_max=7)
    stream.produce(100)

    async with stream.running():
        await stream.settled()

    assert_each_once_in_order(stream, 100)
    assert [] == stream.cluster.records("dead")
    assert 100 == stream.metric("sentiment_consumed_total", topic="in")
    assert 100 == stream.metric("sentiment_published_total")
    assert 100 == stream.metric("sentiment_scored_total", label="positive")
    assert 0 == stream.metric("sentiment_dropped_total")


async def test_dead_letters_are_in_the_same_commit() -> None:
    """When offsets are committed, their dead letters are published."""
    stream = Stream()
    for number in range(30):
        stream.put(b'{"text": "fine"}' if number % 3 else b"bad", number)
    seen: list[tuple[int, int, int]] = []

    def look() -> None:
        sizes = [len(stream.cluster.records(topic)) for topic in ("out", "dead")]
        seen.append((sizes[0], sizes[1], len(stream.committed)))

    stream.session.before("commit", look)
    async with stream.running():
        await stream.settled()

    assert [(20, 10, 0)] == seen
    assert 10 == stream.metric("sentiment_dead_lettered_total", reason="not_json")
    assert [b"bad"] * 10 == [record.value for record in stream.cluster.records("dead")]


async def test_a_batch_without_a_good_message_needs_no_model() -> None:
    """Dead letters alone are published without waiting for the model."""
    stream = Stream()
    stream.scorer.hold()
    for number in range(5):
        stream.put(b"bad", number)

    async with stream.running():
        await stream.settled()

    assert [] == stream.scorer.batches
    assert 5 == len(stream.cluster.records("dead"))


async def test_skipped_records_are_committed_in_order_and_give_nothing() -> None:
    """The offset of a skipped record waits for the records before it, and moves with them."""
    stream = Stream(records_max=6)
    for number in range(30):
        stream.put(None if number // 3 % 2 else b'{"id": %d, "text": "fine"}' % number, number)
    stream.scorer.hold()

    async with stream.running():
        await stream.scorer.busy.wait()
        assert {} == stream.committed
        stream.scorer.release()
        await stream.settled()

    assert [n for n in range(30) if n // 3 % 2 == 0] == sorted(
        event["source_id"] for event in stream.events()
    )
    assert [] == stream.cluster.records("dead")
    assert 15 == stream.metric("sentiment_skipped_total", reason="tombstone")
    assert 15 == stream.metric("sentiment_published_total")


async def test_a_batch_of_skipped_records_needs_no_model() -> None:
    """Its offsets are committed without anything to publish, and the breaker does not see it."""
    stream = Stream(breaker_share=0.1)
    stream.scorer.hold()
    for number in range(1000):
        stream.put(None, number)

    async with stream.running():
        await stream.settled()

    assert [] == stream.scorer.batches
    assert [] == stream.cluster.records("out") + stream.cluster.records("dead")
    assert 1000 == stream.metric("sentiment_skipped_total", reason="tombstone")


@pytest.mark.parametrize("step", ["poll", "publish"])
async def test_a_passing_failure_loses_and_repeats_nothing(step: Any) -> None:
    """Three failures in a row, twice: all is published once, after growing delays."""
    stream = Stream(records_max=5)
    stream.session.fail(step, 3)
    stream.produce(20)

    async with stream.running():
        await stream.settled()
        stream.session.fail(step, 3)
        stream.produce(20, first=20)
        await stream.settled()

    assert_each_once_in_order(stream, 40)
    assert 6 == stream.metric("sentiment_retries_total", stage=step)
    first, second = stream.clock.slept[:3], stream.clock.slept[3:]
    assert sorted(first) == first
    assert sorted(second) == second
    # A success between them resets the delay.
    assert second[0] < first[2]


async def test_a_failed_commit_repeats_but_loses_nothing() -> None:
    """Events are sent again under the same ids."""
    stream = Stream(records_max=5)
    stream.session.fail("commit", 2)
    stream.produce(20)

    async with stream.running():
        await stream.settled()

    events = stream.events()
    assert set(range(20)) == {event["source_id"] for event in events}
    assert len({event["id"] for event in events}) == 20
    assert max(Counter(event["id"] for event in events).values()) == 3


async def test_a_rebalance_drops_unpublished_records() -> None:
    """A batch on the model is dropped when its partitions are revoked, and polled again."""
    stream = Stream()
    stream.scorer.hold()
    stream.produce(10)

    async with stream.running():
        await stream.scorer.busy.wait()
        stream.produce(10, first=10)
        await stream.until(lambda: len(stream.batcher) == 10)
        stream.cluster.rebalance("group")
        stream.scorer.release()
        await stream.settled()

    assert_each_once_in_order(stream, 20)
    assert 20 == stream.metric("sentiment_dropped_total")
    # Records that had not reached the model are not scored before they are polled again.
    assert 10 + 20 == sum(map(len, stream.scorer.batches))


@pytest.mark.parametrize("half", ["publish", "commit"])
async def test_a_rebalance_in_the_middle_of_a_publication(half: Any) -> None:
    """Before sending, nothing is repeated; before the commit, nothing is lost."""
    stream = Stream(records_max=5)
    stream.session.before(half, lambda: stream.cluster.rebalance("group"))
    stream.produce(20)

    async with stream.running():
        await stream.settled()

    ids = [event["source_id"] for event in stream.events()]
    assert set(range(20)) == set(ids)
    assert half == "commit" or len(ids) == 20


async def test_records_prepared_during_a_rebalance() -> None:
    """They are dropped, and not scored."""
    stream = Stream()
    prepare = stream.pipeline.prepare

    async def meanwhile(records: Sequence[Record]) -> list[Item]:
        stream.pipeline.prepare = prepare
        items = await prepare(records)
        stream.cluster.rebalance("group")
        return items

    stream.pipeline.prepare = meanwhile
    stream.produce(9)
    async with stream.running():
        await stream.settled()

    assert_each_once_in_order(stream, 9)
    assert 9 == sum(map(len, stream.scorer.batches))
    assert 9 == stream.metric("sentiment_dropped_total")


async def test_a_second_replica_takes_its_share() -> None:
    """It joins while the first has a batch on the model; both publish, and each event once."""
    first = Stream()
    second = Stream(first.cluster)
    first.scorer.hold()
    first.produce(30)

    async with first.running():
        await first.scorer.busy.wait()
        async with second.running():
            first.scorer.release()
            await first.settled()
            first.produce(30, first=30)
            await first.settled()
        first.produce(30, first=60)
        await first.settled()

    assert_each_once_in_order(first, 90)
    assert 0 < second.metric("sentiment_published_total") < 60
    assert 2 < first.session.rebalances
