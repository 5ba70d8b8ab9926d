"""The hand-over from stage to stage, without a pipeline."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from service.assembly import SystemClock
from service.records import Batch, Reason, Rejected
from service.stream import handover
from service.stream.batcher import COMMIT_RECORDS, Batcher, Limits
from service.stream.handover import Handover, Scored
from tools.scripted_engine import documents

if TYPE_CHECKING:
    import pytest

    from service.records import Outcome

RECORDS_MAX = 4


def a_handover() -> Handover:
    """An empty hand-over, whose batches have at most four records."""
    return Handover(Batcher(Limits(1000, RECORDS_MAX, 60.0)), SystemClock())


def at_once() -> bool:
    """A `would_wait` for which no commit is in progress."""
    return False


async def turns() -> None:
    """Let all other tasks run until they wait."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_items_that_wait_at_the_end_are_handed_over() -> None:
    """After them there is no next batch."""
    between = a_handover()
    between.add(documents(3), 0)
    between.end()
    batch = await between.next_batch(at_once)
    assert batch is not None
    assert 3 == len(batch.items)
    assert await between.next_batch(at_once) is None


async def test_a_batch_that_would_wait_for_a_commit_grows() -> None:
    """Until it would not wait any more, or is whole."""
    between = a_handover()
    waits = True
    between.add(documents(1), 0)
    asking = asyncio.create_task(between.next_batch(lambda: waits))
    await turns()
    between.add(documents(2), 0)
    await turns()
    assert not asking.done()
    waits = False
    between.look_again()
    batch = await asking
    assert batch is not None
    assert 3 == len(batch.items)

    waits = True
    between.add(documents(RECORDS_MAX), 0)
    batch = await between.next_batch(lambda: waits)
    assert batch is not None
    assert RECORDS_MAX == len(batch.items)


async def test_gathering_ends_when_the_model_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not before: records that arrive while it is busy go into the next batch."""
    monkeypatch.setattr(handover, "GATHER_S", 3600.0)
    monkeypatch.setattr(handover, "GATHER_MAX_S", 3600.0)
    between = a_handover()
    await between.gather()
    with between.model_busy(1.0):
        gathering = asyncio.create_task(between.gather())
        await turns()
        assert not gathering.done()
    scoring = asyncio.create_task(between.next_batch(at_once))
    await gathering
    between.end()
    assert await scoring is None


async def test_waiting_for_room_keeps_the_group_alive() -> None:
    """As long as no batch is taken."""
    between = a_handover()
    kept: list[None] = []

    async def keep_alive() -> None:
        kept.append(None)

    while not between.batcher.crowded:
        between.add(documents(RECORDS_MAX), 0)
    waiting = asyncio.create_task(between.wait_for_room(frozenset, 0.001, keep_alive))
    while len(kept) < 3:  # noqa: ASYNC110 - counted by the callback alone
        await asyncio.sleep(0.001)
    assert not waiting.done()
    while between.batcher.crowded:
        assert await between.next_batch(at_once) is not None
    await waiting


async def test_busy_time() -> None:
    """It is zero between batches."""
    between = a_handover()
    assert 0 == between.busy_s()
    with between.model_busy(1.0):
        await asyncio.sleep(0.001)
        assert between.busy_s() > 0
    assert 0 == between.busy_s()


def scored(
    records: int, epoch: int = 0, *, patient: bool = True, urgent: bool = False
) -> tuple[Batch, list[Outcome]]:
    """A batch of so many records, and their outcomes."""
    items = documents(records)
    outcomes: list[Outcome] = [Rejected(i.record, Reason.TEXT_EMPTY, "", "decode") for i in items]
    return Batch(tuple(items), epoch, 0, patient, urgent), outcomes


async def test_patient_batches_share_a_commit() -> None:
    """Until one comes that is not; there is room for the next one meanwhile."""
    taken: list[None] = []
    queue = Scored(lambda: taken.append(None), 3600.0)
    committing = asyncio.create_task(queue.next_commit())
    for count in (1, 2):
        await queue.put(scored(count))
        await turns()
        assert not committing.done()
        assert not queue.would_wait()
        assert len(taken) == 1 + count
    await queue.put(scored(3, patient=False))
    commit = await committing

    assert commit is not None
    assert 6 == len(commit[1])


async def test_the_model_waits_for_an_urgent_commit() -> None:
    """Until it has ended, which whoever commits says by asking for the next one."""
    taken: list[None] = []
    queue = Scored(lambda: taken.append(None), 3600.0)
    await queue.put(scored(1))
    await queue.put(scored(2, patient=False, urgent=True))
    commit = await queue.next_commit()
    assert commit is not None
    assert 3 == len(commit[1])
    assert not len(queue)
    assert queue.would_wait()

    told = len(taken)
    committing = asyncio.create_task(queue.next_commit())
    await turns()
    assert not queue.would_wait()
    assert len(taken) == told + 1
    await queue.put(scored(3, patient=False))
    assert 3 == len((await committing or (0, []))[1])
    assert not queue.would_wait()

    await queue.put(scored(1, patient=False, urgent=True))
    assert await queue.next_commit() is not None
    queue.commit_ended()
    assert not queue.would_wait()


async def test_patient_batches_are_committed_when_they_are_many() -> None:
    """A commit takes no longer for so many."""
    queue = Scored(lambda: None, 3600.0)
    await queue.put(scored(COMMIT_RECORDS - 1))
    committing = asyncio.create_task(queue.next_commit())
    await turns()
    assert not committing.done()
    await queue.put(scored(1))

    commit = await committing
    assert commit is not None
    assert COMMIT_RECORDS == len(commit[1])


async def test_patience_ends() -> None:
    """Where nothing follows, at another epoch, and at the end."""
    queue = Scored(lambda: None, 0.001)
    await queue.put(scored(1))
    assert (commit := await queue.next_commit()) is not None
    assert 1 == len(commit[1])

    queue = Scored(lambda: None, 3600.0)
    await queue.put(scored(1, 1))
    await queue.put(scored(2, 2))
    await queue.put(None)
    commits = [await queue.next_commit() for _ in range(3)]
    assert [(1, 1), (2, 2), None] == [c and (c[0], len(c[1])) for c in commits]
