"""Many partitions on real Kafka: what a start, a fetch and a poll take, counted and not timed."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.conn import AIOKafkaConnection
from confluent_kafka.admin import AdminClient

from service.kafka import KafkaSession
from service.kafka.consumer.fetcher import _Fetch
from tools.kafka.kinds import session_settings
from tools.kafka.sessions import WAIT_SECONDS, joined, numbered, poll_count
from tools.kafka.topics import produce

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from service.settings import KafkaSettings
    from tools.kafka.broker import Broker
    from tools.kafka.kinds import Reset
    from tools.kafka.topics import Topics

pytestmark = pytest.mark.kafka
FEW, MANY = 4, 100


class Sessions:
    """Sessions on topics of their own, each stopped after the test."""

    def __init__(self, broker: Broker, topics: Topics) -> None:
        """Have none."""
        self.servers = broker.bootstrap_servers
        self._topics = topics
        self._admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
        self.made: list[KafkaSession] = []

    async def settings(self, partitions: int, reset: Reset = "earliest") -> KafkaSettings:
        """With an input topic of so many partitions, which brokers tell of a while later."""
        names = (self._topics("in", partitions), self._topics("out"), self._topics("dead"))
        async with asyncio.timeout(WAIT_SECONDS):
            while not await self._known(names):
                pass
        return session_settings(self.servers, names, names[0], auto_offset_reset=reset)

    async def _known(self, names: Sequence[str]) -> bool:
        found = await asyncio.to_thread(self._admin.list_topics, timeout=WAIT_SECONDS)
        return all(name in found.topics and not found.topics[name].error for name in names)

    def on(self, settings: KafkaSettings) -> KafkaSession:
        """A session that is not started."""
        session = KafkaSession(settings, 256, "at_least_once")
        self.made.append(session)
        return session


@pytest.fixture
async def sessions(real_broker: Broker, topics: Topics) -> AsyncIterator[Sessions]:
    """Give them."""
    sessions = Sessions(real_broker, topics)
    yield sessions
    for session in sessions.made:
        await session.stop()


@contextmanager
def requests() -> Iterator[Counter[str]]:
    """Count what this process asks about offsets."""
    counted: Counter[str] = Counter()
    send = AIOKafkaConnection.send

    def counting(self: Any, request: Any, *args: Any, **options: Any) -> Any:
        if "Offset" in type(request).__name__:
            counted[type(request).__name__] += 1
        return send(self, request, *args, **options)

    with patch.object(AIOKafkaConnection, "send", counting):
        yield counted


@contextmanager
def fetches() -> Iterator[list[int]]:
    """Note how many partitions each fetch names."""
    named: list[int] = []
    build = _Fetch.build

    def noting(self: Any, version: Any) -> Any:
        request = build(self, version)
        named.append(sum(len(partitions) for _, partitions in request.topics))
        return request

    with patch.object(_Fetch, "build", noting):
        yield named


@contextmanager
def looks() -> Iterator[list[int]]:
    """Note how many partitions aiokafka is given to look at, each time."""
    given: list[int] = []
    getmany = AIOKafkaConsumer.getmany

    async def noting(self: Any, *partitions: Any, **options: Any) -> Any:
        found = await getmany(self, *partitions, **options)
        given.append(len(partitions))
        return found

    with patch.object(AIOKafkaConsumer, "getmany", noting):
        yield given


@pytest.mark.parametrize("reset", ["earliest", "latest"])
async def test_a_start_asks_as_often_with_many_partitions(sessions: Sessions, reset: Reset) -> None:
    """The first one of a group, which commits where it begins if that is the end, and the next."""
    asked = []
    for partitions in (FEW, MANY):
        settings = await sessions.settings(partitions, reset)
        for _ in range(2):
            with requests() as counted:
                await joined(session := sessions.on(settings))
            asked.append(counted)
            await session.stop()

    assert asked[:2] == asked[2:]


async def test_a_fetch_names_only_what_has_changed(sessions: Sessions) -> None:
    """All partitions once; then those of which records were taken."""
    settings = await sessions.settings(MANY)
    with fetches() as named:
        session = sessions.on(settings)
        await joined(session)
        for _ in range(3):
            assert [] == await session.poll()
        assert [MANY] == [count for count in named if count]
        named.clear()

        for partition in (7, 8, 9):
            await produce(sessions.servers, settings.input_topic, numbered(2, partition))
        await poll_count(session, 6)

    assert 3 <= sum(named) <= 6
    # By another generation the broker is told of all of them anew.
    assert session.joined


async def test_records_cost_no_pass_over_all_partitions(sessions: Sessions) -> None:
    """Only those that have some are looked at, and all of them once in a poll that waits."""
    settings = await sessions.settings(MANY)
    session = sessions.on(settings)
    await joined(session)
    messages = [message for number in range(50) for message in numbered(1, number)]
    with looks() as given:
        await produce(sessions.servers, settings.input_topic, messages)
        found = polls = 0
        while found < 50:
            found += len(await session.poll())
            polls += 1

    # For a record those that have some too, which are few; for a wait all, of each broker.
    assert max(count for count in given if count != MANY) <= 50
    assert given.count(MANY) <= 4 * polls


async def test_what_was_fetched_is_read_once_and_in_order(sessions: Sessions) -> None:
    """In small polls, with partitions that come and go in the broker's memory."""
    settings = await sessions.settings(FEW)
    session = KafkaSession(settings, 3, "at_least_once")
    sessions.made.append(session)
    await joined(session)
    for partition in range(FEW):
        await produce(sessions.servers, settings.input_topic, numbered(20, partition))

    records = await poll_count(session, 20 * FEW)
    for partition in range(FEW):
        offsets = [r.offset for r in records if r.partition.number == partition]
        assert list(range(20)) == offsets

    session.rewind()
    assert 20 * FEW == len(await poll_count(session, 20 * FEW))
