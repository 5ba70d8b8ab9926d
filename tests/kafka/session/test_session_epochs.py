"""Epochs that end while something is under way: a poll, a publish, positions that are being set.

Simulated Kafka alone, where a test says what comes in between; the first test is part of the
contract.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.errors import KafkaTimeoutError

from service.errors import RetriableError
from service.kafka import KafkaSession, fetching, session
from service.records import Partition
from simulation.brokers import Brokers
from simulation.groups import Group
from simulation.logs import Log
from tools.kafka.kinds import Mode, simulated_sessions
from tools.kafka.sessions import (
    WAIT_SECONDS,
    joined,
    numbered,
    poll_count,
    polled,
    publication,
    started,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tools.kafka.kinds import Kafka, Simulated

COUNT = 10
FIRST = Partition("in", 0)


@pytest.fixture(params=["exactly_once", "at_least_once"])
async def simulated(request: pytest.FixtureRequest) -> AsyncIterator[Simulated]:
    """Give simulated Kafka with some records, in each mode of delivery."""
    mode: Mode = request.param
    async with simulated_sessions(mode) as kafka:
        await kafka.produce(*numbered(COUNT))
        yield kafka


class Held:
    """An asynchronous function that waits, before or after it has done its work, until `go_on`."""

    def __init__(self, function: Callable[..., Awaitable[Any]], *, before: bool = False) -> None:
        """Wait in each call until then."""
        self.waits, self.go_on = asyncio.Event(), asyncio.Event()
        self._function, self._before = function, before

    async def __call__(self, *arguments: Any) -> Any:
        """Call it."""
        if self._before:
            await self._wait()
        result = await self._function(*arguments)
        await self._wait()
        return result

    async def _wait(self) -> None:
        self.waits.set()
        await self.go_on.wait()


async def begun(kafka: Simulated) -> KafkaSession:
    """A session that has its assignment and no positions."""
    begun = await started(kafka.session())
    assert isinstance(begun, KafkaSession)
    return begun


async def rebalanced(begun: KafkaSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a rebalance pass, which does not wait for what is under way."""
    monkeypatch.setattr(session, "REVOKE_WAIT_S", 0.001)
    assigned = begun._consumer.assignment()
    await begun.on_partitions_revoked(assigned)
    await begun.on_partitions_assigned(assigned)


async def test_an_epoch_that_ends_during_a_poll(kafka: Kafka) -> None:
    """What the poll had fetched by then is not returned, but read again by a later one."""
    session = await joined(kafka.session())
    polling = asyncio.create_task(session.poll())
    await asyncio.sleep(0.01)

    session.rewind()
    await kafka.produce(*numbered(COUNT))

    records = await polling
    assert {r.epoch for r in records} <= {session.progress.epoch}
    records += await poll_count(session, COUNT - len(records))
    assert list(range(COUNT)) == [r.offset for r in records]


async def test_a_rebalance_during_positioning(
    simulated: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until positions are set in the new epoch, nothing is returned of what the client reads."""
    session = await begun(simulated)
    prepare = Held(session._delivery.prepare)
    monkeypatch.setattr(session._delivery, "prepare", prepare)
    polling = asyncio.create_task(session.poll())
    await prepare.waits.wait()

    await rebalanced(session, monkeypatch)
    prepare.go_on.set()

    assert [] == await polling
    assert list(range(COUNT)) == [r.offset for r in await poll_count(session, COUNT)]


async def test_no_position_is_set_while_the_group_rebalances(simulated: Simulated) -> None:
    """That would fence the producers of the partitions' new owners."""
    session = await begun(simulated)
    assigned = session._consumer.assignment()
    assert COUNT == len(await poll_count(session, COUNT))

    await session.on_partitions_revoked(assigned)
    producers = {name: owner.epoch for name, owner in simulated.brokers._owners.items()}
    assert [] == await session.poll()

    assert not session.joined
    assert producers == {name: owner.epoch for name, owner in simulated.brokers._owners.items()}
    await session.on_partitions_assigned(assigned)
    assert COUNT == len(await poll_count(session, COUNT))


async def test_an_epoch_that_ends_while_a_publish_waits(
    simulated: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for another one, and is of an older epoch when its turn comes."""
    session = await begun(simulated)
    records = await poll_count(session, COUNT)
    publish = Held(session._delivery.publish, before=True)
    monkeypatch.setattr(session._delivery, "publish", publish)
    first = asyncio.create_task(session.publish(publication(records[:6], "out")))
    await publish.waits.wait()
    second = asyncio.create_task(session.publish(publication(records[6:], "out")))
    await asyncio.sleep(0)

    session.rewind()
    publish.go_on.set()

    assert (await first, await second) == (True, False)
    assert {0: 6} == await simulated.committed()
    assert [6, 7, 8, 9] == [r.offset for r in await poll_count(session, COUNT - 6)]


def _fail(*_: object) -> None:
    """Stand for brokers that do not get it done."""
    raise KafkaTimeoutError


@pytest.mark.parametrize("step", ["send", "commit"])
async def test_progress_moves_when_a_commit_is_certain(
    simulated: Simulated, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not when its records are sent, nor when it is asked for: all is read again after an error."""
    session = await begun(simulated)
    records = await poll_count(session, COUNT)
    commit: tuple[type, str] = (Brokers, "move_on")
    if simulated.mode == "at_least_once":
        commit = (Group, "commit")

    with monkeypatch.context() as failing:
        failing.setattr(*((Brokers, "produce") if step == "send" else commit), _fail)
        with pytest.raises(RetriableError):
            await session.publish(publication(records, "out"))

    assert 0 == session.progress.next_offset(FIRST)
    session.rewind()
    again = await poll_count(session, COUNT)
    assert list(range(COUNT)) == [r.offset for r in again]
    assert await session.publish(publication(again, "out"))
    assert COUNT == session.progress.next_offset(FIRST)
    assert {0: COUNT} == await simulated.committed()


async def test_a_tail_whose_commit_fails(
    simulated: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is committed later: what the error has broken is put right by the next polls."""
    monkeypatch.setattr(fetching, "TAIL_S", 0.01)
    session = await begun(simulated)
    records = await poll_count(session, COUNT)
    assert await session.publish(publication(records, "out"))
    step: tuple[type, str] = (Brokers, "join_group")
    if simulated.mode == "at_least_once":
        step = (Group, "commit")

    with monkeypatch.context() as failing:
        failing.setattr(*step, _fail)
        simulated.brokers.logs[FIRST].skip()
        with pytest.raises(RetriableError):
            await polled(session, bool)

    async with asyncio.timeout(WAIT_SECONDS):
        while {0: COUNT + 1} != await simulated.committed():
            assert [] == await session.poll()


async def test_a_topic_made_anew_is_read_from_its_beginning(
    simulated: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How far its predecessor was read and published is nothing to it, nor to its tail."""
    monkeypatch.setattr(fetching, "TAIL_S", 0.01)
    session = await begun(simulated)
    records = await poll_count(session, COUNT)
    assert await session.publish(publication(records, "out"))
    assert {0: COUNT} == await simulated.committed()
    assigned = session._consumer.assignment()

    await session.on_partitions_revoked(assigned)
    simulated.brokers.logs[FIRST] = Log()
    simulated.brokers.offsets.committed["group"].clear()
    simulated.brokers.logs[FIRST].skip()
    await session.on_partitions_assigned(assigned)

    async with asyncio.timeout(WAIT_SECONDS):
        while {0: 1} != await simulated.committed():
            assert [] == await session.poll()
    await simulated.produce(*numbered(3))
    assert [1, 2, 3] == [r.offset for r in await poll_count(session, 3)]


async def test_a_rebalance_while_the_committed_offset_is_read(
    simulated: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records have expired behind it; another member had the partition since, and is further."""
    simulated.brokers.logs[FIRST].start = 6
    simulated.brokers.offsets.commit("group", {FIRST: 4})
    session = await begun(simulated)
    read = Held(session._committed.read)
    monkeypatch.setattr(session._committed, "read", read)
    polling = asyncio.create_task(session.poll())
    await read.waits.wait()

    await rebalanced(session, monkeypatch)
    simulated.brokers.offsets.commit("group", {FIRST: 9})
    read.go_on.set()

    with pytest.raises(RetriableError):
        await polling
    assert {0: 9} == await simulated.committed()
    assert [9] == [r.offset for r in await poll_count(session, 1)]
    assert not session.lost
