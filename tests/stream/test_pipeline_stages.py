"""The concurrent stages of the pipeline, on a fake Kafka."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from service.stream import handover
from tools.kafka import fake_kafka
from tools.kafka.fake_kafka import FEW
from tools.pipeline_tools import PARTITIONS, Stream, assert_each_once_in_order

if TYPE_CHECKING:
    from collections.abc import Collection

    import pytest

    from service.records import Partition, Record


async def test_batches_grow_while_the_model_is_busy() -> None:
    """No stage waits to fill a batch; records that arrive meanwhile are the next one."""
    stream = Stream()
    stream.scorer.hold()

    async with stream.running():
        stream.produce(1)
        await stream.scorer.busy.wait()
        for number in range(1, 21):
            stream.produce(1, first=number)
            await stream.until(lambda waiting=number: len(stream.batcher) == waiting)
        stream.scorer.release()
        await stream.settled()

    assert [1, 20] == [len(batch) for batch in stream.scorer.batches]


async def test_batches_grow_while_a_commit_is_in_progress() -> None:
    """One batch is scored meanwhile; all records behind it would only wait, and are one batch."""
    stream = Stream()
    gate = asyncio.Event()
    stream.session.before("publish", gate.wait)

    async with stream.running():
        for number in range(2):
            stream.produce(1, first=number)
            await stream.until(lambda scored=number: len(stream.scorer.batches) == scored + 1)
        for number in range(2, 22):
            stream.produce(1, first=number)
            await stream.until(lambda waiting=number: len(stream.batcher) == waiting - 1)
        gate.set()
        await stream.settled()

    assert_each_once_in_order(stream, 22)
    assert [1, 1, 20] == [len(batch) for batch in stream.scorer.batches]


async def test_the_stages_run_concurrently() -> None:
    """While one batch is published, the next one waits, and a third was on the model."""
    stream = Stream(records_max=1)
    gate = asyncio.Event()
    stream.session.before("publish", gate.wait)
    stream.produce(9)

    async with stream.running():
        await stream.until(lambda: len(stream.scorer.batches) == 3)
        assert [] == stream.events()
        gate.set()
        await stream.settled()

    assert_each_once_in_order(stream, 9)


async def test_nothing_is_polled_until_the_model_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or due to be, so that the next batch has the newest records. Then there is a poll at once."""
    stream = Stream()
    stream.scorer.hold()

    async with stream.running():
        polls = await waiting_and_unpolled(stream, monkeypatch)
        stream.produce(5, first=3)
        for _ in range(100):
            await asyncio.sleep(0)
        assert polls == stream.session.polls
        stream.scorer.release()
        await stream.settled()

    assert_each_once_in_order(stream, 8)


async def test_there_is_no_poll_when_the_model_begins_the_next_batch_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would bring few records, and another poll would have to follow."""
    stream = Stream()
    stream.scorer.hold()

    async with stream.running():
        polls = await waiting_and_unpolled(stream, monkeypatch)
        stream.scorer.release()
        stream.scorer.hold()
        await stream.until(lambda: len(stream.scorer.batches) == 2)
        assert polls == stream.session.polls
        stream.scorer.release()
        await stream.settled()

    assert [1, 2] == [len(batch) for batch in stream.scorer.batches]


async def waiting_and_unpolled(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> int:
    """Bring a record to the held model and let two wait; from then on the clock causes no poll.

    Returns the number of polls so far.
    """
    await polled_one_by_one(stream, 2)
    polls = stream.session.polls
    await stream.until(lambda: stream.session.polls > polls)
    for name in ("GATHER_S", "GATHER_MAX_S"):
        monkeypatch.setattr(handover, name, 3600.0)
    stream.produce(1, first=2)
    await stream.until(lambda: len(stream.batcher) == 2)
    return stream.session.polls


def polled(stream: Stream) -> float:
    """The number of records that the pipeline has polled."""
    return stream.metric("sentiment_consumed_total", topic="in")


async def polled_one_by_one(stream: Stream, count: int) -> None:
    """Produce records one by one, each after the previous one is polled."""
    for number in range(count):
        stream.produce(1, first=number)
        await stream.until(lambda number=number: polled(stream) == number + 1)


async def test_beside_a_backlog_polls_are_small_and_the_backlog_is_known() -> None:
    """As the batcher says of the one, and the session of the other."""
    stream = Stream()
    stream.batcher.small = True
    poll, wanted = stream.session.poll, []

    async def noted(crowded: Collection[Partition] = (), *, few: bool = False) -> list[Record]:
        wanted.append((few, stream.batcher.small))
        return await poll(crowded, few=few)

    stream.session.poll = noted  # type: ignore[method-assign] # to note what is asked for
    stream.produce(FEW + 1)
    stream.scorer.hold()
    async with stream.running():
        await stream.scorer.busy.wait()
        assert stream.batcher.behind
        stream.scorer.release()
        await stream.settled()

    assert (True, True) == wanted[0]
    assert (False, False) == wanted[-1]
    assert all(few is small for few, small in wanted)
    assert not stream.batcher.behind


async def test_polls_follow_each_other_beside_a_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until one brings records of others: the poll after that waits for the next batch."""
    stream = Stream()
    stream.scorer.hold()
    async with stream.running():
        await polled_one_by_one(stream, 1)
        await stream.scorer.busy.wait()
        for name in ("GATHER_S", "GATHER_MAX_S"):
            monkeypatch.setattr(handover, name, 3600.0)
        # So few that they fill no batch, which would be a reason of its own.
        monkeypatch.setattr(fake_kafka, "FEW", 1)
        stream.batcher.small = True
        polls = stream.session.polls
        await stream.until(lambda: stream.session.polls > polls + 1)
        for number in (1, 2, 3):
            stream.put(b'{"text": "fine"}', PARTITIONS * number)
        await stream.until(lambda: polled(stream) == 4)
        polls = stream.session.polls
        await asyncio.sleep(0.05)
        assert polls == stream.session.polls
        stream.scorer.release()
        await stream.settled()
