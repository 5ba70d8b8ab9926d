"""A backlog of one partition does not hold back the records of another, on Apache Kafka.

Judged by what is in which batch: the model waits for the test, and everything else is real.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

import pytest

from service.kafka import KafkaSession
from service.kafka.fetching import FETCH_WAIT_MS, FEW_MAX
from service.records import Partition
from service.wire import Encoder
from tools.kafka.kinds import session_settings
from tools.kafka.topics import Message, produce, read_all
from tools.pipeline_tools import MODEL, Stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tools.kafka.broker import Broker
    from tools.kafka.topics import Topics

pytestmark = pytest.mark.kafka

WAIT_SECONDS = 60
# Twenty batches; so small that one fetch brings all of it.
BACKLOG, LIVE = 5120, 10
RECORDS_MAX = 256


class RealStream(Stream):
    """A pipeline on Apache Kafka, with a model that does as the test says."""

    def __init__(self, broker: Broker, names: tuple[str, str, str]) -> None:
        """Build what a service builds."""
        super().__init__(records_max=RECORDS_MAX)
        settings = session_settings(broker.bootstrap_servers, names, names[1])
        self.session = KafkaSession(settings, RECORDS_MAX)
        self.pipeline.session = self.session
        self.pipeline.encoder = Encoder(
            names[1], names[2], include_text=False, model=MODEL, version="1"
        )
        self.pipeline.keep_alive_s = 10.0

    async def reached(self, condition: Callable[[], bool]) -> None:
        """Wait until it holds."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not condition():  # noqa: ASYNC110 - depends on brokers and on several tasks
                await asyncio.sleep(0.01)


def messages(kind: str, count: int, partition: int) -> list[Message]:
    """Messages for a partition, numbered."""
    return [
        Message(
            value=json.dumps({"id": f"{kind}-{n}", "text": "fine"}).encode(), partition=partition
        )
        for n in range(count)
    ]


@contextlib.asynccontextmanager
async def a_session(
    broker: Broker, names: tuple[str, str, str], records_max: int
) -> AsyncIterator[KafkaSession]:
    """A member of a group that reads the first of these topics, of so many records a poll."""
    settings = session_settings(broker.bootstrap_servers, names, names[0])
    session = KafkaSession(settings, records_max)
    await session.start()
    try:
        yield session
    finally:
        await session.stop()


@pytest.mark.parametrize("apart", ["partitions", "topics"])
async def test_live_records_are_in_the_next_batch(
    real_broker: Broker, topics: Topics, apart: str
) -> None:
    """Whether they are in another partition of the topic or in another topic."""
    backlog = live = topics("in", 2)
    if apart == "topics":
        live = topics("live", 2)
    output, dead = topics("out", 2), topics("dead")
    source = backlog if backlog == live else f"{backlog},{live}"
    bootstrap = real_broker.bootstrap_servers
    await produce(bootstrap, backlog, messages("backlog", BACKLOG, 0))
    stream = RealStream(real_broker, (source, output, dead))
    stream.scorer.hold()

    async with stream.running():
        # One batch is on the model, and as many wait as the pipeline takes.
        await stream.reached(lambda: len(stream.batcher) >= 2 * RECORDS_MAX)
        await produce(bootstrap, live, messages("live", LIVE, 1))
        consumed = stream.metric("sentiment_consumed_total", topic=backlog)
        await stream.reached(lambda: len(stream.batcher) >= 2 * RECORDS_MAX + LIVE)
        assert consumed + LIVE * (backlog == live) == stream.metric(
            "sentiment_consumed_total", topic=backlog
        )
        stream.scorer.release()
        progress = stream.session.progress
        await stream.reached(
            lambda: (
                progress.next_offset(Partition(backlog, 0)) == BACKLOG
                and progress.next_offset(Partition(live, 1)) == LIVE
            )
        )

    second = [d.message.fields["id"] for d in stream.scorer.batches[1]]
    assert [f"live-{n}" for n in range(LIVE)] == [i for i in second if i.startswith("live")]
    ids = [json.loads(record.value)["source_id"] for record in await read_all(bootstrap, output)]
    for kind, count in (("backlog", BACKLOG), ("live", LIVE)):
        assert [f"{kind}-{n}" for n in range(count)] == [i for i in ids if i.startswith(kind)]


async def test_no_fetch_is_under_way_while_a_record_waits_for_a_poll(
    real_broker: Broker, topics: Topics
) -> None:
    """Of idle partitions it would last, and the next records would wait for its end.

    Only a backlog's records, which are left at the client, hold up no fetch of others.
    """
    names = (topics("in", 4), topics("out"), topics("dead"))
    backlog, live = Partition(names[0], 0), Partition(names[0], 1)
    await produce(real_broker.bootstrap_servers, names[0], messages("backlog", BACKLOG, 0))
    async with a_session(real_broker, names, 100) as session:
        async with asyncio.timeout(WAIT_SECONDS):
            while not await session.poll():
                pass
        fetcher = session._consumer._fetcher
        # As it comes, the fetch goes out after a tenth of a second all the same.
        fetcher._prefetch_backoff = WAIT_SECONDS
        assert {backlog} == session.behind
        for _ in range(3):
            assert [] == await session.poll({backlog})
            assert {backlog} == session.behind
            assert fetcher._in_flight
            await produce(real_broker.bootstrap_servers, names[0], messages("live", 1, 1))
            async with asyncio.timeout(WAIT_SECONDS):
                while live not in fetcher._records:  # noqa: ASYNC110 - aiokafka tells nobody
                    await asyncio.sleep(0.001)
            # A fetch of idle partitions would last five times as long.
            await asyncio.sleep(FETCH_WAIT_MS / 5000)
            assert not fetcher._in_flight
            assert [live] == [record.partition for record in await session.poll({backlog})]


async def test_nothing_is_behind_once_all_is_read(real_broker: Broker, topics: Topics) -> None:
    """Then no partition has a backlog."""
    names = (topics("in", 2), topics("out"), topics("dead"))
    async with a_session(real_broker, names, 100) as session:
        await produce(real_broker.bootstrap_servers, names[0], messages("some", 250, 0))
        counts: list[tuple[int, bool]] = []
        async with asyncio.timeout(WAIT_SECONDS):
            while sum(count for count, _ in counts) < 250:
                records = await session.poll()
                counts += [(len(records), bool(session.behind))] if records else []

    assert all(behind is (count == 100) for count, behind in counts)


async def test_a_poll_of_few_records_has_those_of_all_partitions(
    real_broker: Broker, topics: Topics
) -> None:
    """Beside a backlog: none waits until many of it are prepared."""
    names = (topics("in", 2), topics("out"), topics("dead"))
    for partition in (0, 1):
        await produce(real_broker.bootstrap_servers, names[0], messages("both", BACKLOG, partition))
    async with a_session(real_broker, names, RECORDS_MAX) as session:
        while not await session.poll():
            pass
        polls = [await session.poll(few=True) for _ in range(4)]

    for poll in polls:
        assert [FEW_MAX // 2] * 2 == [
            sum(record.partition.number == number for record in poll) for number in (0, 1)
        ]


async def test_backlogs_share_a_poll(real_broker: Broker, topics: Topics) -> None:
    """Each partition gets as much of it, though the client has all of both."""
    names = (topics("in", 2), topics("out"), topics("dead"))
    for partition in (0, 1):
        await produce(real_broker.bootstrap_servers, names[0], messages("both", BACKLOG, partition))
    async with a_session(real_broker, names, RECORDS_MAX) as session:
        while not (records := await session.poll()):
            pass
        polls = [await session.poll() for _ in range(4)]

    assert RECORDS_MAX == len(records)
    for poll in polls:
        for number in (0, 1):
            assert RECORDS_MAX // 2 == sum(r.partition.number == number for r in poll)


async def test_with_fewer_records_than_partitions_all_get_their_turn(
    real_broker: Broker, topics: Topics
) -> None:
    """A poll of one record asks another partition each time."""
    names = (topics("in", 3), topics("out"), topics("dead"))
    for partition in range(3):
        await produce(real_broker.bootstrap_servers, names[0], messages("all", 50, partition))
    async with a_session(real_broker, names, 1) as session:
        while not (await session.poll()):
            pass
        served = [record.partition.number for _ in range(12) for record in await session.poll()]

    assert {0, 1, 2} == set(served[:3]) | {0, 1, 2} - set(served)
    assert {4} == {served.count(number) for number in range(3)}
