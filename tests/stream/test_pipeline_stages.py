"""The pipeline's stages side by side: what goes on while another is busy, on a fake Kafka."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from service.stream import handover
from tools.pipeline_tools import Stream, assert_each_once_in_order

if TYPE_CHECKING:
    import pytest


async def test_batches_grow_while_the_model_is_busy() -> None:
    """Nobody waits to fill a batch, and what came meanwhile is the next one."""
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


async def test_batches_grow_while_a_commit_is_on_its_way() -> None:
    """One batch is scored meanwhile; what comes behind it would only wait, and is one batch."""
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


async def test_the_stages_run_side_by_side() -> None:
    """While one batch is being published the next is waiting, and one more was on the model."""
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
    """Or due to be: what comes by then is newest. As soon as it is free, there is a poll."""
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


async def test_a_model_that_goes_on_at_once_is_polled_for_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A poll when it begins the next batch would bring little, which another has to follow."""
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
    """Have a record on the held model and two waiting, and no poll by the clock from then on.

    Gives how many polls there were.
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
    """How many records the pipeline has polled."""
    return stream.metric("sentiment_consumed_total", topic="in")


async def polled_one_by_one(stream: Stream, count: int) -> None:
    """Produce so many, each when the one before is polled, so that no two come together."""
    for number in range(count):
        stream.produce(1, first=number)
        await stream.until(lambda number=number: polled(stream) == number + 1)
