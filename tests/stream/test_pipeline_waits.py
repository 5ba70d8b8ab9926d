"""Preparing that has to wait, as for a schema registry: nothing is lost or doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service.errors import BrokerError, RetriableError
from tools.pipeline_tools import Stream, assert_each_once_in_order, prepared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.records import Item, Record


class Waiting:
    """Prepares records once it is told that it can."""

    def __init__(self, stream: Stream) -> None:
        """Take the place of preparing in a stream."""
        self.error: Exception | None = None
        self.tries = 0
        stream.pipeline.prepare = self

    async def __call__(self, records: Sequence[Record]) -> list[Item]:
        """See `pipeline_tools.prepared`."""
        self.tries += 1
        if self.error is not None:
            raise self.error
        return await prepared(records)


async def test_what_was_prepared_is_published_and_the_rest_waits() -> None:
    """Without another poll of the same records, and without a new epoch."""
    stream = Stream(records_max=10)
    waiting = Waiting(stream)
    stream.scorer.hold()
    stream.produce(10)
    async with stream.running():
        await stream.scorer.busy.wait()
        waiting.error = RetriableError("the registry is away")
        stream.produce(20, first=10)
        stream.scorer.release()
        await stream.until(lambda: waiting.tries > 5)
        assert 10 == len(stream.events())
        assert 10 == sum(stream.committed.values())
        assert stream.clock.slept
        waiting.error = None
        await stream.settled()
    assert_each_once_in_order(stream, 30)
    assert 30 == stream.metric("sentiment_consumed_total", topic="in")
    assert 0 == stream.metric("sentiment_dropped_total")
    assert stream.metric("sentiment_retries_total", stage="prepare") > 1


async def test_partitions_that_are_lost_meanwhile() -> None:
    """The records are dropped, and polled again by whoever has the partitions then."""
    stream = Stream()
    waiting = Waiting(stream)
    waiting.error = RetriableError("the registry is away")
    stream.produce(30)
    async with stream.running():
        await stream.until(lambda: waiting.tries > 2)
        stream.session.rewind()
        await stream.until(lambda: stream.metric("sentiment_dropped_total") >= 30)
        waiting.error = None
        await stream.settled()
    assert_each_once_in_order(stream, 30)


async def test_brokers_that_are_away_too() -> None:
    """Staying in the group fails: the records are polled again."""
    stream = Stream()
    waiting = Waiting(stream)
    waiting.error = RetriableError("the registry is away")
    stream.session.fail("keep_alive", 2)
    stream.produce(30)
    async with stream.running():
        await stream.until(lambda: waiting.tries > 4)
        waiting.error = None
        await stream.settled()
    assert_each_once_in_order(stream, 30)


async def test_a_stop_while_it_waits() -> None:
    """Nothing is committed of what waits, and the pipeline ends."""
    stream = Stream()
    waiting = Waiting(stream)
    waiting.error = RetriableError("the registry is away")
    stream.produce(3)
    async with stream.running():
        await stream.until(lambda: waiting.tries > 2)
    assert {} == stream.committed


async def test_a_refusal_ends_the_pipeline() -> None:
    """As a broker's does: before anything is committed."""
    stream = Stream()
    waiting = Waiting(stream)
    waiting.error = BrokerError("wrong password")
    stream.produce(3)
    with pytest.raises(ExceptionGroup) as caught:
        async with stream.running():
            await stream.until(lambda: waiting.tries > 0)
    assert caught.group_contains(BrokerError, match="wrong password")
    assert {} == stream.committed
