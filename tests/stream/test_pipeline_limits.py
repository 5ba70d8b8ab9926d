"""Where the pipeline stops, waits, gathers or gives up, on a fake Kafka."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from service.errors import BreakerError, BrokerError, ModelError, RetriableError, ServiceError
from tools.pipeline_tools import (
    Stream,
    assert_each_once_in_order,
    within_bounds,
)

if TYPE_CHECKING:
    from service.records import Record


async def test_a_full_batcher_stops_the_polling_and_keeps_the_membership() -> None:
    """While the model is stuck, no more is read than fits, and the session is kept alive."""
    stream = Stream(records_max=4)
    stream.scorer.hold()
    stream.produce(100)

    async with stream.running():
        await stream.until(lambda: stream.session.kept_alive)
        polls, kept_alive = stream.session.polls, stream.session.kept_alive
        await stream.until(lambda: stream.session.kept_alive > kept_alive + 3)
        assert polls == stream.session.polls
        assert stream.batcher.full
        # One batch on the model, two waiting, and up to one more from the poll that filled it.
        assert stream.metric("sentiment_consumed_total", topic="in") <= 4 * 4
        stream.scorer.release()
        await stream.settled()

    assert_each_once_in_order(stream, 100)


async def test_keeping_alive_may_fail_in_a_way_that_passes() -> None:
    """It is tried again, as a poll is."""
    stream = Stream(records_max=4)
    stream.scorer.hold()
    stream.produce(40)

    async with stream.running():
        await stream.until(lambda: stream.session.kept_alive)
        stream.session.fail("poll", 2)
        await stream.until(lambda: stream.clock.slept)
        stream.scorer.release()
        await stream.settled()

    assert_each_once_in_order(stream, 40)
    assert 2 == stream.metric("sentiment_retries_total", stage="poll")


async def test_stop_drains() -> None:
    """What was read is published, nothing more is read, and the run ends."""
    stream = Stream(records_max=10)
    stream.scorer.hold()
    stream.produce(1)

    async with stream.running():
        await stream.scorer.busy.wait()
        stream.produce(12, first=1)
        await stream.until(lambda: len(stream.batcher) == 12)
        stream.pipeline.stop()
        stream.produce(7, first=13)
    polls = stream.session.polls

    assert_each_once_in_order(stream, 13)
    assert 13 == sum(stream.committed.values())
    assert 13 == stream.metric("sentiment_consumed_total", topic="in")
    assert polls == stream.session.polls


@pytest.mark.parametrize("turns", range(6))
async def test_stop_at_once(turns: int) -> None:
    """However early it comes, the run ends."""
    stream = Stream()
    await stream.session.start()
    running = asyncio.create_task(stream.pipeline.run())
    for _ in range(turns):
        await asyncio.sleep(0)
    if not turns:
        # Before its first step a run cannot know of it; the service never does this.
        await asyncio.sleep(0)

    stream.pipeline.stop()

    await within_bounds(running)
    await stream.session.stop()


async def test_a_broken_model_ends_the_run() -> None:
    """With the error that says so; nothing of the batch is committed."""
    stream = Stream()
    stream.scorer.error = ModelError("the model has stopped working")
    await stream.session.start()
    stream.produce(5)

    with pytest.raises(ExceptionGroup) as raised:
        await within_bounds(asyncio.create_task(stream.pipeline.run()))

    assert [stream.scorer.error] == list(raised.value.exceptions)
    assert {} == stream.committed
    await stream.session.stop()


@pytest.mark.parametrize("step", ["poll", "publish"])
async def test_an_error_that_waiting_does_not_mend_ends_the_run(step: Any) -> None:
    """Whichever stage meets it."""
    stream = Stream()
    await stream.session.start()
    stream.produce(5)

    def refuse() -> None:
        raise BrokerError("no permission")

    stream.session.before(step, refuse)
    with pytest.raises(ExceptionGroup) as raised:
        await within_bounds(asyncio.create_task(stream.pipeline.run()))

    assert raised.value.subgroup(ServiceError)
    assert {} == stream.committed
    await stream.session.stop()


class SlowPublisher(Stream):
    """A stream whose first publication is held, and may fail then, with room behind it."""

    def __init__(self, *, failing: bool = False) -> None:
        """Hold it."""
        super().__init__(records_max=1)
        self.gate = asyncio.Event()
        self.pipeline._scored = asyncio.Queue(16)

        async def hold() -> None:
            await self.gate.wait()
            if failing:
                raise RetriableError("asked to fail")

        self.session.before("publish", hold)


async def test_what_waits_for_publishing_goes_out_together() -> None:
    """In fewer publications than batches, and in order."""
    stream = SlowPublisher()
    commits: list[int] = []
    for _ in range(9):
        stream.session.before("commit", lambda: commits.append(1))
    stream.produce(9)

    async with stream.running():
        await stream.until(lambda: len(stream.scorer.batches) == 9)
        stream.gate.set()
        await stream.settled()

    assert_each_once_in_order(stream, 9)
    assert len(commits) < 9


async def test_batches_of_two_epochs_are_not_published_together() -> None:
    """Those from before a failure are dropped, and the newer ones behind them are not."""
    stream = SlowPublisher(failing=True)
    stream.clock.awake.clear()
    stream.produce(6)

    async with stream.running():
        await stream.until(lambda: len(stream.scorer.batches) == 6)
        stream.gate.set()
        # While the publisher backs off, the same six come again behind five of the first ones.
        await stream.until(lambda: len(stream.scorer.batches) == 12)
        stream.clock.awake.set()
        await stream.settled()

    assert_each_once_in_order(stream, 6)
    assert 6 == stream.metric("sentiment_dropped_total")


async def test_what_waits_for_publishing_at_a_stop_is_published() -> None:
    """All of it, and then the run ends."""
    stream = SlowPublisher()
    stream.produce(5)

    async with stream.running():
        await stream.until(lambda: len(stream.scorer.batches) == 5)
        stream.pipeline.stop()
        stream.gate.set()

    assert_each_once_in_order(stream, 5)


async def test_a_silent_model_shows() -> None:
    """How long one batch is on the model is told, and nothing while there is none."""
    stream = Stream()
    stream.scorer.hold()

    async with stream.running():
        assert 0 == stream.pipeline.busy_s()
        stream.clock.now = 100.0
        stream.produce(1)
        await stream.scorer.busy.wait()
        stream.clock.now = 107.5
        assert 7.5 == stream.pipeline.busy_s()
        stream.scorer.release()
        await stream.settled()
        assert 0 == stream.pipeline.busy_s()


async def test_a_hanging_model_ends_the_run() -> None:
    """A batch without an answer within the bound ends the run; nothing of it is committed."""
    stream = Stream(stall_timeout_s=0.001)
    stream.scorer.hold()
    await stream.session.start()
    stream.produce(5)

    with pytest.raises(ExceptionGroup) as raised:
        await within_bounds(asyncio.create_task(stream.pipeline.run()))

    assert raised.value.subgroup(ModelError)
    assert {} == stream.committed
    await stream.session.stop()


async def test_a_flood_of_dead_letters_ends_the_run() -> None:
    """What trips the breaker is neither published nor committed."""
    stream = Stream(records_max=600, breaker_share=0.5)
    await stream.session.start()
    for number in range(600):
        stream.put(b"bad", number)

    with pytest.raises(ExceptionGroup) as raised:
        await within_bounds(asyncio.create_task(stream.pipeline.run()))

    assert raised.value.subgroup(BreakerError)
    assert [] == stream.cluster.records("dead")
    assert {} == stream.committed
    await stream.session.stop()


async def test_latency_counts_from_the_poll() -> None:
    """The event says how long it took, the metrics how long each stage did."""
    stream = Stream()
    stream.scorer.hold()
    poll = stream.session.poll

    async def stamped() -> list[Record]:
        return [replace(r, polled_at=stream.clock.now) for r in await poll()]

    stream.session.poll = stamped  # type: ignore[method-assign] # the fake stamps by the loop's clock
    stream.produce(1)
    async with stream.running():
        await stream.scorer.busy.wait()
        stream.clock.now = 0.25
        stream.scorer.release()
        await stream.settled()

    assert [250.0] == [event["latency_ms"] for event in stream.events()]
    assert 0.25 == stream.metric("sentiment_latency_seconds_sum")
    assert 0.25 == stream.metric("sentiment_stage_seconds_sum", stage="score")
