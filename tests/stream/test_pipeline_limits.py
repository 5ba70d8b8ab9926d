"""Where the pipeline stops, waits, merges or fails, on a fake Kafka."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from service.errors import BreakerError, BrokerError, ModelError, RetriableError, ServiceError
from tools.pipeline_tools import (
    Stream,
    assert_each_once_in_order,
    within_bounds,
)


async def test_a_full_batcher_stops_the_polling_and_keeps_the_membership() -> None:
    """While the model is stuck, polling stops, and the session is kept alive."""
    stream = Stream(records_max=4)
    stream.scorer.hold()
    stream.produce(100)

    async with stream.running():
        await stream.until(lambda: stream.session.kept_alive)
        polls, kept_alive = stream.session.polls, stream.session.kept_alive
        await stream.until(lambda: stream.session.kept_alive > kept_alive + 3)
        assert polls == stream.session.polls
        assert stream.session.progress.partitions == stream.batcher.crowded
        # One batch on the model, two waiting, and up to one more from the poll that filled it.
        assert stream.metric("sentiment_consumed_total", topic="in") <= 4 * 4
        stream.scorer.release()
        await stream.settled()

    assert_each_once_in_order(stream, 100)


async def test_a_passing_failure_of_keeping_alive() -> None:
    """It is retried, as a poll is."""
    stream = Stream(records_max=4)
    stream.scorer.hold()
    stream.produce(40)

    async with stream.running():
        await stream.until(lambda: stream.session.kept_alive)
        stream.session.fail("keep_alive")
        stream.session.fail("poll")
        await stream.until(lambda: stream.clock.slept)
        stream.scorer.release()
        await stream.settled()

    assert_each_once_in_order(stream, 40)
    assert 2 == stream.metric("sentiment_retries_total", stage="poll")


async def test_stop_drains() -> None:
    """Polled records are published, no more are polled, and the run ends."""
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
async def test_an_early_stop(turns: int) -> None:
    """The run ends, however early it is stopped."""
    stream = Stream()
    await stream.session.start()
    running = asyncio.create_task(stream.pipeline.run())
    for _ in range(turns):
        await asyncio.sleep(0)
    if not turns:
        # A stop before the first step of the run has no effect; the service never does this.
        await asyncio.sleep(0)

    stream.pipeline.stop()

    await within_bounds(running)
    await stream.session.stop()


async def test_a_broken_model_ends_the_run() -> None:
    """With the model's error; nothing of the batch is committed."""
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
async def test_a_permanent_error_ends_the_run(step: Any) -> None:
    """In any stage."""
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
    """A stream whose first publication is held and may then fail, with a long queue behind it."""

    def __init__(self, *, failing: bool = False) -> None:
        """Hold the first publication."""
        super().__init__(records_max=1)
        self.gate = asyncio.Event()
        self.pipeline._scored._waiting = asyncio.Queue(16)

        async def hold() -> None:
            await self.gate.wait()
            if failing:
                raise RetriableError("asked to fail")

        self.session.before("publish", hold)


async def test_waiting_batches_are_published_together() -> None:
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
    """Those from before a failure are dropped, the newer ones behind them are published."""
    stream = SlowPublisher(failing=True)
    stream.clock.awake.clear()
    stream.produce(6)

    async with stream.running():
        await stream.until(lambda: len(stream.scorer.batches) == 6)
        stream.gate.set()
        # While the publisher backs off, the same six are scored again behind five of the first.
        await stream.until(lambda: len(stream.scorer.batches) == 12)
        stream.clock.awake.set()
        await stream.settled()

    assert_each_once_in_order(stream, 6)
    assert 6 == stream.metric("sentiment_dropped_total")


async def test_waiting_batches_are_published_at_a_stop() -> None:
    """All of them, and then the run ends."""
    stream = SlowPublisher()
    stream.produce(5)

    async with stream.running():
        await stream.until(lambda: len(stream.scorer.batches) == 5)
        stream.pipeline.stop()
        stream.gate.set()

    assert_each_once_in_order(stream, 5)


async def test_busy_time() -> None:
    """How long a batch has been on the model; zero without one."""
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
    """A batch without an answer in time; nothing of it is committed."""
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
    """The batch that trips the breaker is neither published nor committed."""
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
    """The event has the latency, the metrics have the time of each stage."""
    stream = Stream()
    stream.scorer.hold()
    stream.stamp_polls()
    stream.produce(1)
    async with stream.running():
        await stream.scorer.busy.wait()
        stream.clock.now = 0.25
        stream.scorer.release()
        await stream.settled()

    assert [250.0] == [event["latency_ms"] for event in stream.events()]
    assert 0.25 == stream.metric("sentiment_latency_seconds_sum")
    assert 0.25 == stream.metric("sentiment_stage_seconds_sum", stage="score")
