"""What every Session does: on real Kafka, simulated, and the fake that other tests rely on."""

from __future__ import annotations

import time

import pytest

from service.records import Outgoing, Partition, Record
from tools.kafka.kinds import OUTPUTS, Kafka
from tools.kafka.sessions import (
    KEYS,
    inputs,
    joined,
    numbered,
    poll_count,
    polled,
    publication,
    send,
    shared,
    started,
    values,
)
from tools.kafka.topics import Message


async def test_polled_records_have_all_fields(kafka: Kafka) -> None:
    """No key is not an empty key, null is not empty, and headers may be null and come twice."""
    # Of now: a broker deletes what is older than its retention.
    stamp = int(time.time() * 1000)
    sent = [
        Message(b"k", b"v", (("h", b"1"), ("h", None), ("e", b"")), 1, stamp),
        Message(None, b"v", (), 1, stamp + 1),
        Message(b"", b"", (), 1, stamp + 2),
        Message(b"k", None, (), 1, stamp + 3),
        Message(None, None, (), 0, stamp + 4),
    ]
    await kafka.produce(*sent)
    session = await started(kafka.session())

    records = await poll_count(session, len(sent))

    records.sort(key=lambda record: record.timestamp_ms)
    assert sent == [
        Message(r.key, r.value, r.headers, r.partition.number, r.timestamp_ms) for r in records
    ]
    assert [0, 1, 2, 3, 0] == [r.offset for r in records]
    assert {session.progress.epoch} == {r.epoch for r in records}
    assert {kafka.topics[0]} == {r.partition.topic for r in records}
    assert all(isinstance(header, tuple) for header in records[0].headers)


async def test_records_are_polled_in_order_and_in_portions(kafka: Kafka) -> None:
    """A poll returns at most `records_max`, and each partition's records in order."""
    await kafka.produce(*numbered(100, 0), *numbered(100, 1))
    session = await started(kafka.session(records_max=7))
    polls: list[list[Record]] = []

    while sum(map(len, polls)) < 200:
        polls.append(await session.poll())

    assert max(map(len, polls)) <= 7
    for number in (0, 1):
        offsets = [r.offset for records in polls for r in records if r.partition.number == number]
        assert list(range(100)) == offsets


async def test_a_poll_brings_all_that_has_come_until_then(kafka: Kafka) -> None:
    """With fetching ahead the first record would come alone, and all others a poll later."""
    session = await started(kafka.session())
    await kafka.produce(*numbered(1, 0))
    await polled(session, bool)
    for first in range(1, 6):
        await kafka.produce(*numbered(1, 0, first), *numbered(1, 1))

    records = await session.poll()

    assert [1, 2, 3, 4, 5] == [r.offset for r in records if r.partition.number == 0]
    assert [0, 1, 2, 3, 4] == [r.offset for r in records if r.partition.number == 1]


async def test_publishing_sends_and_commits(kafka: Kafka) -> None:
    """What is published can be read and its offsets are committed, and nothing else."""
    await kafka.produce(*numbered(10))
    session = await started(kafka.session())
    records = await poll_count(session, 10)

    assert await session.publish(publication(records[:6], kafka.topics[1]))

    assert {0: 6} == await kafka.committed()
    assert sorted(values(records[:6])) == sorted(values(await kafka.read(kafka.topics[1])))
    assert 6 == session.progress.next_offset(Partition(kafka.topics[0], 0))


async def test_an_older_epoch_is_not_published(kafka: Kafka) -> None:
    """Nothing is sent and nothing committed for what was polled before a rewind."""
    await kafka.produce(*numbered(3))
    session = await started(kafka.session())
    records = await poll_count(session, 3)
    session.rewind()

    assert not await session.publish(publication(records, kafka.topics[1]))

    assert {} == await kafka.committed()
    assert [] == await kafka.read(kafka.topics[1])


@pytest.mark.parametrize("published", [0, 4])
async def test_a_rewind_reads_again_what_is_not_published(kafka: Kafka, published: int) -> None:
    """The unpublished records come again, the published ones do not."""
    await kafka.produce(*numbered(10))
    session = await started(kafka.session())
    records = await poll_count(session, 10)
    if published:
        # What brokers answer just after the second one may be the offset of the first.
        assert await session.publish(publication(records[:2], kafka.topics[1]))
        assert {0: 2} == await kafka.committed()
        assert await session.publish(publication(records[2:published], kafka.topics[1]))

    session.rewind()
    again = await poll_count(session, 10 - published)

    assert [r.offset for r in records[published:]] == [r.offset for r in again]
    assert {session.progress.epoch} == {r.epoch for r in again}
    assert await session.publish(publication(again, kafka.topics[1]))
    assert {0: 10} == await kafka.committed()


async def test_a_new_group_begins_at_the_first_record(kafka: Kafka) -> None:
    """Nothing is committed by reading alone."""
    await kafka.produce(*numbered(3))
    session = await started(kafka.session("earliest"))

    assert [0, 1, 2] == [r.offset for r in await poll_count(session, 3)]
    assert {} == await kafka.committed()


async def test_a_new_group_may_begin_at_the_end(kafka: Kafka) -> None:
    """The end at the first join counts, also for a successor when nothing was published."""
    await kafka.produce(*numbered(3))
    session = await joined(kafka.session("latest"))
    await kafka.produce(*numbered(2, first=3))
    assert [3, 4] == [r.offset for r in await poll_count(session, 2)]
    await session.stop()

    session = await started(kafka.session("latest"))

    assert [3, 4] == [r.offset for r in await poll_count(session, 2)]


async def test_a_successor_goes_on_where_its_predecessor_stopped(kafka: Kafka) -> None:
    """Nothing is lost, nothing comes twice."""
    await kafka.produce(*numbered(10))
    first = await started(kafka.session())
    records = await poll_count(first, 10)
    assert await first.publish(publication(records[:4], kafka.topics[1]))
    await first.stop()

    second = await started(kafka.session())
    rest = await poll_count(second, 6)

    assert [b"%d" % number for number in range(4, 10)] == values(rest)
    assert await second.publish(publication(rest, kafka.topics[1]))
    assert sorted(values(numbered(10))) == sorted(values(await kafka.read(kafka.topics[1])))


async def test_a_rebalance_begins_a_new_epoch(kafka: Kafka) -> None:
    """What was polled before is not published, and is polled again by the new owner."""
    await kafka.produce(*numbered(5, 0), *numbered(5, 1, first=5))
    first = await started(kafka.session())
    before = await poll_count(first, 10)
    second = kafka.session()
    await second.start()

    read = await shared(first, second)

    assert not await first.publish(publication(before, kafka.topics[1]))
    assert 2 == first.rebalances
    assert first.progress.partitions.isdisjoint(second.progress.partitions)
    for early, session in zip(read, (first, second), strict=True):
        records = early + await poll_count(session, 5 - len(early))
        assert await session.publish(publication(records, kafka.topics[1]))
    assert {0: 5, 1: 5} == await kafka.committed()
    assert sorted(values(numbered(10))) == sorted(values(await kafka.read(kafka.topics[1])))


async def test_partitions_come_back_from_a_session_that_stops(kafka: Kafka) -> None:
    """The one that stays reads all partitions on from their committed offsets."""
    first, second = kafka.session(), kafka.session()
    await first.start()
    await second.start()
    await shared(first, second)
    await kafka.produce(*numbered(5, 0), *numbered(5, 1))
    theirs = await poll_count(second, 5)
    assert await second.publish(publication(theirs[:3], kafka.topics[1]))
    await second.stop()

    [records] = await shared(first)

    records += await poll_count(first, 7 - len(records))
    kept = sorted(r.offset for r in records if r.partition == theirs[0].partition)
    assert [3, 4] == kept


async def test_a_keyless_record_keeps_its_partition_number(kafka: Kafka) -> None:
    """It goes to the input partition's number modulo the output's partitions."""
    session = await joined(kafka.session())
    outgoing = [Outgoing(kafka.topics[1], None, b"%d" % p.number, (), p, 0) for p in inputs(kafka)]

    assert await send(kafka, session, outgoing)

    expected = {b"%d" % p.number: p.number % OUTPUTS for p in inputs(kafka)}
    assert expected == {m.value: m.partition for m in await kafka.read(kafka.topics[1])}


async def test_a_key_always_goes_to_the_same_partition(kafka: Kafka) -> None:
    """From any input partition and publication, and in order."""
    session = await joined(kafka.session())
    for source in inputs(kafka)[:3]:
        outgoing = [
            Outgoing(kafka.topics[1], k, b"%d" % source.number, (), source, 0) for k in KEYS
        ]
        assert await send(kafka, session, outgoing)

    read = await kafka.read(kafka.topics[1])

    assert {b"0", b"1", b"2"} == {m.value for m in read if m.key == KEYS[0]}
    assert len(KEYS) == len({(m.key, m.partition) for m in read})
    assert set(range(OUTPUTS)) == {m.partition for m in read}
    for key in KEYS:
        assert [b"0", b"1", b"2"] == [m.value for m in read if m.key == key]


async def test_null_key_and_null_value_can_be_published(kafka: Kafka) -> None:
    """Each alone and both at once; empty stays empty, null stays null, headers are unchanged."""
    session = await joined(kafka.session())
    headers = (("h", b"1"), ("h", None), ("e", b""))
    pairs = [(None, None), (None, b""), (b"", None), (b"", b""), (b"k", None), (None, b"v")]
    outgoing = [Outgoing(kafka.topics[2], k, v, headers, inputs(kafka)[0], 0) for k, v in pairs]

    assert await send(kafka, session, outgoing)

    expected = [Message(key, value, headers, 0) for key, value in pairs]
    assert expected == await kafka.read(kafka.topics[2])


async def test_lag_counts_down(kafka: Kafka) -> None:
    """It counts what is not published, whether read or not."""
    await kafka.produce(*numbered(10))
    session = await started(kafka.session())
    first, *others = inputs(kafka)
    records = await poll_count(session, 10)
    assert {first: 10, **dict.fromkeys(others, 0)} == await session.lag()

    assert await session.publish(publication(records[:6], kafka.topics[1]))
    assert {first: 4, **dict.fromkeys(others, 0)} == await session.lag()
    assert await session.publish(publication(records[6:], kafka.topics[1]))

    assert dict.fromkeys(inputs(kafka), 0) == await session.lag()


async def test_a_session_may_be_stopped_at_any_time(kafka: Kafka) -> None:
    """Before its start, and twice; it owns nothing afterwards."""
    session = kafka.session()
    await session.stop()
    await started(session)
    await session.stop()
    await session.stop()

    assert not session.joined
    assert frozenset() == session.progress.partitions


async def test_keep_alive_loses_no_record(kafka: Kafka) -> None:
    """With records fetched ahead, it keeps its partitions and reads on."""
    await kafka.produce(*numbered(20))
    session = await started(kafka.session(records_max=5))
    records = await polled(session, lambda records: len(records) >= 5)
    for _ in range(3):
        await session.keep_alive()

    records += await poll_count(session, 20 - len(records))

    assert list(range(20)) == [r.offset for r in records]
    assert 1 == session.rebalances
