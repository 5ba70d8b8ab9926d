"""The pipeline's stages side by side: what goes on while another is busy, on a fake Kafka."""

from __future__ import annotations

import asyncio

from pipeline_tools import Stream, assert_each_once_in_order


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
