"""The session of a backfill: on simulated brokers and on real Kafka."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer
from structlog.testing import capture_logs

from service.errors import BrokerError, RetriableError
from service.kafka import identities
from service.kafka.backfill import BackfillSession, Span
from service.kafka.backfill.span import Bound
from service.progress import Reached
from tools.kafka.broker import Broker
from tools.kafka.kinds import SIMULATED, Real, Simulated, session_settings
from tools.kafka.sessions import (
    WAIT_SECONDS,
    abort,
    delete_topic,
    exact,
    numbered,
    poll_count,
    polled,
    publication,
    real,
    shared,
    values,
)
from tools.kafka.topics import create_topic

if TYPE_CHECKING:
    from service.records import Record

__all__ = ["exact", "real"]


def backfill(
    kafka: Simulated | Real, span: Span | None = None, records_max: int = 256
) -> BackfillSession:
    """A session that is stopped after the test."""
    if isinstance(kafka, Real):
        settings = kafka.settings()
    else:
        settings = session_settings(SIMULATED, kafka.topics, "group")
    session = BackfillSession(settings, records_max, kafka.mode, span or Span())
    kafka.sessions.append(session)
    return session


async def done(*sessions: BackfillSession) -> list[Record]:
    """Poll all until nothing is left; no record comes any more."""
    records: list[Record] = []
    async with asyncio.timeout(WAIT_SECONDS):
        while (await sessions[0].reached()).left:
            for session in sessions:
                records += await session.poll()
    return records


async def test_only_what_was_there_at_the_start_is_read(exact: Simulated | Real) -> None:
    """And the group is done once it is published, not before; the ends are committed."""
    await exact.produce(*numbered(20, 0), *numbered(5, 1))
    session = backfill(exact)
    await session.start()
    await exact.produce(*numbered(7, 0, 20), *numbered(7, 2))

    records = await poll_count(session, 25)

    assert Reached(25, 25) == await session.reached()
    assert {0: 20, 1: 5, 2: 0, 3: 0} == {p.number: n for p, n in (await session.lag()).items()}
    assert await session.publish(publication(records, exact.topics[1]))
    assert [] == await done(session)
    assert Reached(25, 0) == await session.reached()
    assert {0: 20, 1: 5} == await exact.committed()
    assert 0 == sum((await session.lag()).values())
    assert 25 == len(await exact.read(exact.topics[1]))


async def test_nothing_more_is_fetched_of_what_is_read(exact: Simulated | Real) -> None:
    """However much is written to it: the brokers need not send it."""
    await exact.produce(*numbered(20, 0))
    session = backfill(exact)
    await session.start()
    await session.publish(publication(await poll_count(session, 20), exact.topics[1]))
    await exact.produce(*numbered(20, 0, 20))

    assert [] == await done(session)
    assert [] == await session.poll()

    assert {0, 1, 2, 3} == {place.partition for place in session._consumer.paused()}


async def test_a_second_start_goes_on_to_the_ends_of_its_own(exact: Simulated | Real) -> None:
    """Behind what is committed."""
    await exact.produce(*numbered(20, 0))
    first = backfill(exact, records_max=8)
    await first.start()
    records = await polled(first, lambda records: len(records) == 8)
    await first.publish(publication(records, exact.topics[1]))
    await first.stop()
    await exact.produce(*numbered(5, 0, 20))

    second = backfill(exact)
    await second.start()
    records = await poll_count(second, 17)

    assert [b"%d" % n for n in range(8, 25)] == values(records)
    assert Reached(25, 17) == await second.reached()


async def test_the_limits_are_kept_in_every_partition(exact: Simulated | Real) -> None:
    """Those that were given; records behind them do not come, and are not committed."""
    await exact.produce(*numbered(20, 0), *numbered(7, 1), *numbered(3, 2))
    session = backfill(exact, Span(Bound(5, is_time=False), Bound(10, is_time=False)))
    await session.start()

    records = await poll_count(session, 7)

    found = sorted((r.partition.number, r.offset) for r in records)
    assert [(0, 5), (0, 6), (0, 7), (0, 8), (0, 9), (1, 5), (1, 6)] == found
    await session.publish(publication(records, exact.topics[1]))
    assert [] == await done(session)
    assert {0: 10, 1: 7} == await exact.committed()


async def test_after_a_rewind_what_was_not_published_comes_again(exact: Simulated | Real) -> None:
    """Though its partition had been read to its end."""
    await exact.produce(*numbered(20, 0))
    session = backfill(exact)
    await session.start()
    await exact.produce(*numbered(20, 0, 20))
    await poll_count(session, 20)

    session.rewind()

    assert list(range(20)) == [r.offset for r in await poll_count(session, 20)]


async def test_a_replica_waits_for_the_partitions_of_others(exact: Simulated | Real) -> None:
    """They may come to it: once the other is gone, it reads them too."""
    await exact.produce(*(m for partition in range(4) for m in numbered(10, partition)))
    one, other = backfill(exact), backfill(exact)
    await asyncio.gather(one.start(), other.start())
    [read, _] = await shared(one, other)
    read += await polled(one, lambda records: len(read) + len(records) == 20)
    await one.publish(publication(read, exact.topics[1]))

    for _ in range(20):
        assert (await one.reached()).left >= 20
        assert [] == await one.poll()
    await other.stop()
    taken = await poll_count(one, 20)
    assert not {r.partition for r in taken} & {r.partition for r in read}
    await one.publish(publication(taken, exact.topics[1]))

    assert [] == await done(one)
    assert dict.fromkeys(range(4), 10) == await exact.committed()


async def test_a_replica_ends_when_others_have_done_everything(exact: Simulated | Real) -> None:
    """One that starts when all is done has nothing to do."""
    await exact.produce(*numbered(10, 0))
    first = backfill(exact)
    await first.start()
    await first.publish(publication(await poll_count(first, 10), exact.topics[1]))
    await done(first)

    late = backfill(exact)
    await late.start()

    assert Reached(10, 0) == await late.reached()


async def test_what_the_group_reads_before_the_start_counts(exact: Simulated | Real) -> None:
    """The share of a group that goes on before --from begins at 0, and not below it."""
    await exact.produce(*numbered(20, 0))
    first = backfill(exact, records_max=8)
    await first.start()
    records = await polled(first, lambda records: len(records) == 8)
    await first.publish(publication(records, exact.topics[1]))
    async with asyncio.timeout(WAIT_SECONDS):
        while (await first.reached()).left > 12:
            await first.poll()
    await first.stop()

    session = backfill(exact, Span(Bound(12, is_time=False)))
    await session.start()

    assert Reached(12, 12) == await session.reached()


@pytest.mark.kafka
async def test_what_an_open_transaction_holds_back_is_said(real: Real) -> None:
    """Also what others have committed behind it; none of it is read, or waited for."""
    await real.produce(*numbered(10, 0))
    async with AIOKafkaProducer(
        bootstrap_servers=real.bootstrap, transactional_id=f"upstream-{real.topics[0]}"
    ) as upstream:
        await upstream.begin_transaction()
        await upstream.send_and_wait(real.topics[0], b"open", partition=0)
        await real.produce(*numbered(40, 0), *numbered(5, 1))
        session = backfill(real)
        with capture_logs() as logs:
            await session.start()
        assert Reached(15, 15) == await session.reached()

    [line] = [line for line in logs if "open transactions" in line["event"]]
    assert (41, [f"{real.topics[0]}/0: 41"]) == (line["offsets"], line["partitions"])


@pytest.mark.kafka
async def test_aborted_records_at_the_end_are_passed_over(real: Real) -> None:
    """The end lies behind them and the marker, where no record is; or there is nothing else."""
    await real.produce(*numbered(10, 0))
    await abort(real, 0, 1, count=3)
    session = backfill(real)
    await session.start()

    await session.publish(publication(await poll_count(session, 10), real.topics[1]))

    assert [] == await done(session)
    assert {0: 14, 1: 4} == await real.committed()


@pytest.mark.kafka
async def test_times_are_limits_on_real_kafka(real: Real) -> None:
    """The timestamps of the records decide."""
    # A broker deletes what is older than its retention.
    at_ms = int(time.time() * 1000) - 60_000
    timed = [m._replace(timestamp=at_ms + 1000 * n) for n, m in enumerate(numbered(10, 0))]
    await real.produce(*timed)
    start, end = (Bound(at_ms + ms, is_time=True) for ms in (2500, 6000))
    session = backfill(real, Span(start, end))
    await session.start()

    records = await poll_count(session, 3)

    assert [b"3", b"4", b"5"] == values(records)


@pytest.mark.kafka
async def test_a_topic_that_is_made_anew_ends_a_backfill(
    real: Real, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its ends are offsets of the old log."""
    monkeypatch.setattr(identities, "LOOK_EVERY_S", 0.0)
    await real.produce(*numbered(10, 0))
    session = backfill(real)
    await session.start()
    await poll_count(session, 10)

    await delete_topic(real, real.topics[0])
    create_topic(Broker(real.bootstrap, "jars"), real.topics[0], 4, {})

    async def noticed() -> None:
        while True:
            with contextlib.suppress(RetriableError):
                await session.reached()
            await asyncio.sleep(0)

    with pytest.raises(BrokerError, match="made anew during the backfill"):
        await asyncio.wait_for(noticed(), WAIT_SECONDS)
