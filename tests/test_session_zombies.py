"""Sessions that do not know yet what has become of their partitions: nothing they do may count.

A zombie is a session that was frozen: others have its partitions, and it goes on where it was. Here
it is one that nobody tells of a rebalance.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from kafka_kinds import INPUTS, real_kafka, simulated_sessions
from service.errors import RejoinError, RetriableError
from service.kafka import KafkaSession
from service.kafka.delivery import ExactlyOnce
from session_tools import WAIT_SECONDS, numbered, poll_count, publication, started, values

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from kafka_kinds import Real, Simulated
    from service.records import Outgoing, Partition, Publication, Record

COUNT = 20


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.kafka)])
async def exact(request: pytest.FixtureRequest) -> AsyncIterator[Simulated | Real]:
    """Give simulated and real Kafka for sessions that publish exactly once."""
    if request.param == "simulated":
        async with simulated_sessions("exactly_once") as simulated:
            yield simulated
        return
    async with real_kafka(request, "exactly_once") as real:
        yield real


async def _nothing(_: object) -> None:
    """Take no notice."""


async def zombie(kafka: Simulated | Real) -> tuple[KafkaSession, list[Record], KafkaSession]:
    """A session with all records in hand, and its successor on half of the partitions."""
    await kafka.produce(*(m for p in range(INPUTS) for m in numbered(COUNT, p, p * COUNT)))
    first = await started(kafka.session())
    records = await poll_count(first, INPUTS * COUNT)
    assert isinstance(first, KafkaSession)
    numb(first)
    second = kafka.session()
    assert isinstance(second, KafkaSession)
    await second.start()
    async with asyncio.timeout(WAIT_SECONDS):
        while len(second.progress.partitions) != INPUTS // 2:
            await second.poll()
    # What it was given just now it reads again.
    second.rewind()
    return first, records, second


async def finish(kafka: Simulated | Real, *sessions: KafkaSession) -> list[bytes]:
    """Let sessions publish the rest, as the pipeline would; gives all that can be read then."""
    async with asyncio.timeout(WAIT_SECONDS):
        while dict.fromkeys(range(INPUTS), COUNT) != await kafka.committed():
            for session in sessions:
                try:
                    records = await session.poll()
                    if records:
                        await session.publish(publication(records, kafka.topics[1]))
                except RetriableError:
                    session.rewind()
    return sorted(values(await kafka.read(kafka.topics[1])))


def numb(session: KafkaSession) -> None:
    """Let it take no notice of rebalances."""
    session.__dict__ |= dict.fromkeys(("on_partitions_revoked", "on_partitions_assigned"), _nothing)


def awake(session: KafkaSession) -> None:
    """Let it take notice again."""
    for name in ("on_partitions_revoked", "on_partitions_assigned"):
        del session.__dict__[name]


EXPECTED = sorted(b"%d" % number for number in range(INPUTS * COUNT))


@pytest.mark.parametrize("header_bytes", [0, 20_000])
async def test_what_a_zombie_publishes_does_not_count(
    exact: Simulated | Real, header_bytes: int
) -> None:
    """Its successor has fenced it, though it does not know of a rebalance.

    Be it one batch for each output partition, or so many that it is told while it sends.
    """
    first, records, second = await zombie(exact)
    headers = (("padding", b"x" * header_bytes),)
    plain = publication(records, exact.topics[1])
    outgoing = tuple(replace(message, headers=headers) for message in plain.outgoing)

    with pytest.raises(RejoinError):
        await first.publish(replace(plain, outgoing=outgoing))

    awake(first)
    assert await finish(exact, first, second) == EXPECTED


async def test_a_transaction_that_is_open_at_a_takeover_does_not_count(
    exact: Simulated | Real, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All is sent, nothing committed, when the successor comes."""
    await exact.produce(*(m for p in range(INPUTS) for m in numbered(COUNT, p, p * COUNT)))
    first = await started(exact.session())
    records = await poll_count(first, INPUTS * COUNT)
    assert isinstance(first, KafkaSession)
    sent, go_on = asyncio.Event(), asyncio.Event()
    for producer in first._delivery._producers.values():  # type: ignore[attr-defined]
        commit = producer.commit

        async def held(*arguments: Any, commit: Any = commit) -> None:
            sent.set()
            await go_on.wait()
            await commit(*arguments)

        monkeypatch.setattr(producer, "commit", held)
    publishing = asyncio.create_task(first.publish(publication(records, exact.topics[1])))
    await sent.wait()
    numb(first)
    second = exact.session()
    assert isinstance(second, KafkaSession)
    await second.start()
    async with asyncio.timeout(WAIT_SECONDS):
        while not second.progress.partitions:
            await second.poll()
    second.rewind()
    go_on.set()

    with pytest.raises(RejoinError):
        await publishing

    awake(first)
    assert await finish(exact, first, second) == EXPECTED


async def test_a_zombie_that_starts_a_producer_sees_what_was_committed(
    exact: Simulated | Real, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event was refused as too large; before it goes out smaller, another one has done it all.

    Starting the producer fences the rightful owner, who joins again: that harms nothing.
    """
    topic, letters = exact.small_topics()
    await exact.produce(*(m for p in range(INPUTS) for m in numbered(COUNT, p, p * COUNT)))
    first = await started(exact.session())
    records = await poll_count(first, INPUTS * COUNT)
    assert isinstance(first, KafkaSession)
    refused, go_on = asyncio.Event(), asyncio.Event()
    delivery = first._delivery
    assert isinstance(delivery, ExactlyOnce)
    own = delivery.own

    async def held(partitions: Sequence[Partition]) -> None:
        refused.set()
        await go_on.wait()
        await own(partitions)

    monkeypatch.setattr(delivery, "own", held)
    publishing = asyncio.create_task(first.publish(with_large_ones(records, topic, letters)))
    await refused.wait()
    numb(first)
    second = exact.session()
    assert isinstance(second, KafkaSession)
    await second.start()
    theirs: list[Record] = []
    async with asyncio.timeout(WAIT_SECONDS):
        while len(theirs) < COUNT * INPUTS // 2:
            theirs += await second.poll()
    assert await second.publish(with_large_ones(theirs, topic, letters))
    go_on.set()

    with pytest.raises(RejoinError):
        await publishing

    awake(first)
    await finish(exact, first, second)
    events, dead = values(await exact.read(topic)), values(await exact.read(letters))
    assert INPUTS == len(dead)
    assert sorted(events + dead) == EXPECTED


def with_large_ones(records: Sequence[Record], topic: str, letters: str) -> Publication:
    """Publish each record, the first of each partition so large that only its letter is taken."""
    plain = publication(records, topic)
    return replace(plain, outgoing=tuple(_enlarged(out, letters) for out in plain.outgoing))


def _enlarged(outgoing: Outgoing, letters: str) -> Outgoing:
    if int(outgoing.value or b"") % COUNT:
        return outgoing
    letter = replace(outgoing, topic=letters, key=None)
    return replace(outgoing, value=b"0" * 5000, smaller=lambda: letter)


async def test_what_is_committed_but_cannot_be_read_yet_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One partition fails; another one's transaction has ended, and its offset shows later."""
    async with simulated_sessions("exactly_once") as kafka:
        session, halves = await half_published(kafka)
        kafka.brokers.offsets.move_coordinator()
        late = [r for r in halves[0] if r.offset >= COUNT // 2]
        failing = session._delivery._producers[halves[1][0].partition]  # type: ignore[attr-defined]

        async def fail(*_: object) -> None:
            raise TimeoutError

        monkeypatch.setattr(failing, "begin", fail)
        with pytest.raises(RetriableError):
            await session.publish(publication([*late, *halves[1]], kafka.topics[1]))
        session.rewind()

        # Nor is what it has published itself enough: another one may have had the partition since.
        with pytest.raises(RejoinError, match="another broker coordinates"):
            await session.poll()

        again = await poll_count(session, COUNT)
        assert {halves[1][0].partition} == {r.partition for r in again}


async def test_what_may_be_committed_is_asked_of_a_group_formed_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last answer is lost, and the coordinator that has taken over does not know the offset."""
    async with simulated_sessions("exactly_once") as kafka:
        session, halves = await half_published(kafka)
        kafka.brokers.offsets.move_coordinator()
        late = [r for r in halves[0] if r.offset >= COUNT // 2]
        losing = session._delivery._producers[late[0].partition]  # type: ignore[attr-defined]
        commit = losing.commit

        async def lose() -> None:
            await commit()
            raise TimeoutError

        monkeypatch.setattr(losing, "commit", lose)
        with pytest.raises(RejoinError, match="may have ended or not"):
            await session.publish(publication(late, kafka.topics[1]))
        session.rewind()

        again = await poll_count(session, len(halves[1]))
        assert {r.partition for r in halves[1]} == {r.partition for r in again}


async def test_a_new_coordinator_is_not_asked_before_it_has_formed_the_group() -> None:
    """It takes over between the assignment and the question for what is committed."""
    async with simulated_sessions("exactly_once") as kafka:
        first, halves = await half_published(kafka)
        kafka.brokers.offsets.move_coordinator()
        late = [r for r in halves[0] if r.offset >= COUNT // 2]
        assert await first.publish(publication(late, kafka.topics[1]))
        first.progress.revoke()

        with pytest.raises(RejoinError, match="another broker coordinates"):
            await first.poll()

        again = await poll_count(first, len(halves[1]))
        assert {r.partition for r in halves[1]} == {r.partition for r in again}


async def half_published(kafka: Simulated) -> tuple[KafkaSession, list[list[Record]]]:
    """A session with all records in hand, by partition; half of the first half's are published."""
    await kafka.produce(*(m for p in range(INPUTS) for m in numbered(COUNT, p, p * COUNT)))
    session = await started(kafka.session())
    assert isinstance(session, KafkaSession)
    records = await poll_count(session, INPUTS * COUNT)
    halves = [[r for r in records if r.partition.number % 2 == half] for half in (0, 1)]
    early = [r for r in halves[0] if r.offset < COUNT // 2]
    assert await session.publish(publication(early, kafka.topics[1]))
    # A second of virtual time: what was published can be read.
    await asyncio.sleep(2)
    return session, halves
