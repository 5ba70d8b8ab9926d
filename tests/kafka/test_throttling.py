"""Publishing to brokers that throttle by a quota: everything once, and no transaction too long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from service.errors import RetriableError
from service.kafka import fetching
from service.kafka.client import throttling
from service.kafka.client.throttling import (
    AIM_S,
    BATCH_BYTES_MAX,
    LARGE_BATCH_BYTES_MAX,
    Pace,
    Throttling,
    bytes_of,
)
from service.kafka.producer import Producer
from service.progress import next_offsets
from service.records import Outgoing, Partition, Publication
from tools.kafka.quotas import quota
from tools.kafka.sessions import abort, numbered, poll_count, started, values
from tools.kafka.topics import read_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.kafka.smaller import Failed
    from service.records import Record
    from tools.kafka.kinds import Real

# As `kafka-configs` sets it: bytes in a second. A broker lets ten seconds of it through at first.
BYTES_RATE = 5000
# In as many seconds, as many batches of exactly once, which are larger.
LARGE_BYTES_RATE = BYTES_RATE * LARGE_BATCH_BYTES_MAX // BATCH_BYTES_MAX
# What nobody waits for, and what a busy machine does not need.
PUBLISH_SECONDS = 240


def padded(records: list[Record], topic: str, size: int) -> Publication:
    """Publish each record with a value of that size, which begins with its own."""
    outgoing = tuple(
        Outgoing(topic, None, (r.value or b"").ljust(size), (), r.partition, r.offset)
        for r in records
    )
    return Publication(outgoing, next_offsets(records), records[-1].epoch)


@pytest.mark.kafka
async def test_a_quota_slows_publishing_down_and_nothing_else(both: Real) -> None:
    """All comes once and in order, in transactions of which none outlasts its time.

    Together it is more than the quota lets through in the time of one transaction.
    """
    await both.produce(*numbered(90), *numbered(90, 1))
    session = await started(both.session(records_max=400))
    records = await poll_count(session, 180)

    with capture_logs() as logs:
        async with (
            quota(both.bootstrap, "producer_byte_rate", BYTES_RATE),
            asyncio.timeout(PUBLISH_SECONDS),
        ):
            assert await session.publish(padded(records, both.topics[1], 1000))

    # Those of aborted transactions would be among the uncommitted.
    read = await read_all(both.bootstrap, both.topics[1], "read_uncommitted")
    for number in (0, 1):
        expected = [r.value for r in records if r.partition.number == number]
        assert expected == [r.value.rstrip() for r in read if r.partition == number and r.value]
    assert {0: 90, 1: 90} == await both.committed()
    warnings = [line for line in logs if line["event"] == "brokers throttle publishing"]
    assert 1 == len(warnings)
    assert "producer_byte_rate" in warnings[0]["remedy"]
    assert session.throttled_s > 0


@pytest.mark.kafka
async def test_a_publish_that_waits_ends_with_its_partitions(both: Real) -> None:
    """What it has published is committed; the next owner goes on behind that, and repeats nothing.

    Throttled records are published in parts, and between two parts it waits.
    """
    await both.produce(*numbered(60))
    session = await started(both.session())
    records, partition = await poll_count(session, 60), Partition(both.topics[0], 0)
    async with quota(both.bootstrap, "producer_byte_rate", LARGE_BYTES_RATE):
        publishing = asyncio.create_task(session.publish(padded(records, both.topics[1], 16_000)))
        async with asyncio.timeout(PUBLISH_SECONDS):
            while not (done := session.progress.next_offset(partition)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await session.stop()
        with pytest.raises(RetriableError):
            await publishing

    assert 0 < done < 60
    assert {0: done} == await both.committed()
    successor = await started(both.session())
    assert values(records[done:]) == values(await poll_count(successor, 60 - done))
    assert done == len(await read_all(both.bootstrap, both.topics[1], "read_uncommitted"))


@pytest.mark.kafka
async def test_a_quota_set_under_load_holds_up_for_less_than_brokers_say(
    both: Real,
) -> None:
    """They say minutes, of a rate that has passed: what remains is published, once and in order.

    So it is where the quota is gone by then, of which a connection that is not read cannot tell.
    """
    await both.produce(*numbered(63))
    session = await started(both.session())
    records = await poll_count(session, 63)

    with capture_logs() as logs:
        async with asyncio.timeout(PUBLISH_SECONDS):
            # Brokers that have never had a quota measure nothing.
            async with quota(both.bootstrap, "producer_byte_rate", 10**9):
                assert await session.publish(padded(records[:60], both.topics[1], 30_000))
            async with quota(both.bootstrap, "producer_byte_rate", BYTES_RATE):
                for number in (60, 61):
                    one = records[number : number + 1]
                    assert await session.publish(padded(one, both.topics[1], 1000))
            assert await session.publish(padded(records[62:], both.topics[1], 1000))

    said = [line["throttle_s"] for line in logs if line["event"] == "brokers throttle publishing"]
    assert said[0] > PUBLISH_SECONDS
    read = await read_all(both.bootstrap, both.topics[1], "read_uncommitted")
    assert [r.value for r in records] == [r.value.rstrip() for r in read if r.value]
    assert {0: 63} == await both.committed()


class Throttled(Producer):
    """A producer whose brokers take two messages at a time, and throttle each time."""

    async def _add_partitions(self, outgoing: Sequence[Outgoing]) -> None:
        """There is no transaction."""

    async def portion(self, outgoing: Sequence[Outgoing]) -> Sequence[Outgoing]:
        """See `Producer.portion`."""
        return outgoing[:2]

    async def send_each(self, outgoing: Sequence[Outgoing]) -> Failed:  # noqa: ARG002 - as the real one
        """See `Producer.send_each`."""
        self.pace.note(1.0)
        return []


async def test_a_record_is_published_whole() -> None:
    """One that several messages are made of is not cut by throttling: its offset is one."""
    producer = Throttled({"bootstrap_servers": "127.0.0.1:1"})
    messages = [message(10, offset=offset) for offset in (0, 0, 0, 0, 0, 1, 2, 3, 4)]

    assert (6, []) == await producer.send_some(messages)
    assert (2, []) == await producer.send_some(messages[6:])
    await producer.stop()


@pytest.mark.kafka
async def test_polling_goes_on_while_a_publish_waits(
    real: Real, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where an offset behind aborted records is due, which is published too."""
    monkeypatch.setattr(fetching, "TAIL_S", 0.1)
    await real.produce(*numbered(60))
    session = await started(real.session())
    records, polls = await poll_count(session, 60), 0

    async with quota(real.bootstrap, "producer_byte_rate", LARGE_BYTES_RATE):
        publishing = asyncio.create_task(session.publish(padded(records, real.topics[1], 16_000)))
        await abort(real, 1)
        async with asyncio.timeout(PUBLISH_SECONDS):
            while not publishing.done():
                assert [] == await session.poll()
                polls += 1

    assert await publishing
    # It takes ten seconds and more, and a poll the fifth of one.
    assert polls > 10


def message(size: int, number: int = 0, offset: int = 0) -> Outgoing:
    """One to publish whose batch has about this size."""
    return Outgoing("out", None, b"x" * size, (), Partition("in", number), offset)


def place(one: Outgoing) -> int:
    """Where it goes to."""
    return one.source.number


async def test_a_portion_is_one_batch_for_each_place() -> None:
    """Without throttling nothing else bounds it; a message that is a batch by itself goes alone."""
    pace = Pace(Throttling())
    size = BATCH_BYTES_MAX // 2 - 200
    messages = [message(size, n) for n in (0, 1, 1, 0, 1, 0)]

    assert messages[:4] == pace.portion(messages, place)
    assert messages[4:] == pace.portion(messages[4:], place)
    large = [message(2 * BATCH_BYTES_MAX), message(1)]
    assert large[:1] == pace.portion(large, place)
    assert [] == pace.portion([], place)


async def test_a_portion_is_as_large_as_brokers_bear() -> None:
    """What they throttle for long is sent in smaller parts, of one message at least; then more."""
    pace = Pace(Throttling())
    messages = [message(1000)] * 40
    sent = sum(map(bytes_of, messages))

    pace.note(10 * AIM_S)
    pace.learn(sent)
    assert 4 == len(pace.portion(messages, place))
    pace.note(1000 * AIM_S)
    pace.learn(sent)
    assert 1 == len(pace.portion(messages, place))

    eased = Pace(Throttling())
    eased.note(10 * AIM_S)
    eased.learn(sent)
    eased._until = 0  # As if the time had passed
    eased.learn(sent // 10)
    assert 8 == len(eased.portion(messages, place))


def test_throttling_is_told_once_and_its_time_counted_once() -> None:
    """However many producers and brokers it is; after a pause it is told again."""
    all_producers = Throttling()

    with capture_logs() as logs:
        for now, throttle_s in ((100.0, 2.0), (100.0, 5.0), (101.0, 1.0), (104.0, 3.0)):
            all_producers.note(throttle_s, now)
        assert 1 == len(logs)
        all_producers.note(1.0, 107.0 + throttling.QUIET_S + 1)

    assert [2.0, 1.0] == [line["throttle_s"] for line in logs]
    assert 8.0 == all_producers.total_s


async def test_a_producer_that_is_throttled_for_long_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Unless the one before was, and brokers have not throttled for less since."""
    monkeypatch.setattr(throttling, "NEW_CONNECTION_S", 0.1)
    all_producers, went_on = Throttling(), []
    for throttle_s in (0.01, 3600.0, 0.2, 0.01, 3600.0):
        pace = Pace(all_producers)
        pace.note(throttle_s)
        pace.learn(1000)
        went_on.append(await pace.wait(lambda: False))
        messages = [message(1000)] * 40
        # After another failure all begins anew, so that a record of many messages may pass.
        sizes = [len(Pace(all_producers).portion(messages, place)) for _ in range(2)]
        assert sizes == [40 if went_on[-1] else 1, 40]

    assert [True, False, True, True, False] == went_on
