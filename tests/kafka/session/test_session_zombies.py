"""Sessions that do not know yet that they have lost partitions: nothing they publish may count.

A zombie is a session that was frozen: others own its partitions, and it continues as before. Here
it is a session whose rebalance callbacks do nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from service.errors import RejoinError, RetriableError
from service.kafka import KafkaSession, session
from service.kafka.delivery import ExactlyOnce
from simulation import transactions
from tools.kafka.kinds import INPUTS, simulated_sessions
from tools.kafka.sessions import WAIT_SECONDS, numbered, poll_count, publication, started, values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from service.kafka.producer import Producer
    from service.records import Outgoing, Publication, Record
    from tools.kafka.kinds import Real, Simulated

COUNT = 20


async def _nothing(_: object) -> None:
    """Ignore a rebalance."""


async def zombie(kafka: Simulated | Real) -> tuple[KafkaSession, list[Record], KafkaSession]:
    """A session that has polled all records, those, and its successor on half of the partitions."""
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
    # So it reads again what these polls have returned.
    second.rewind()
    return first, records, second


async def finish(kafka: Simulated | Real, *sessions: KafkaSession) -> list[bytes]:
    """Let sessions publish the rest, as the pipeline would; returns all that can be read then."""
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
    """Make it ignore rebalances."""
    session.__dict__ |= dict.fromkeys(("on_partitions_revoked", "on_partitions_assigned"), _nothing)


def awake(session: KafkaSession) -> None:
    """Make it handle rebalances again."""
    for name in ("on_partitions_revoked", "on_partitions_assigned"):
        del session.__dict__[name]


EXPECTED = sorted(b"%d" % number for number in range(INPUTS * COUNT))


@pytest.mark.parametrize("header_bytes", [0, 20_000])
async def test_what_a_zombie_publishes_does_not_count(
    exact: Simulated | Real, header_bytes: int
) -> None:
    """It is not in the group's generation any more, though it does not know of a rebalance.

    With one batch for each output partition, and with so many that an error comes while it sends.
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
    """All records are sent and nothing is committed when the successor joins."""
    await exact.produce(*(m for p in range(INPUTS) for m in numbered(COUNT, p, p * COUNT)))
    first = await started(exact.session())
    records = await poll_count(first, INPUTS * COUNT)
    assert isinstance(first, KafkaSession)
    sent, go_on = asyncio.Event(), asyncio.Event()
    producer = first._delivery._producer  # type: ignore[attr-defined]
    send_offsets = producer.send_offsets

    async def held(*arguments: Any) -> None:
        sent.set()
        await go_on.wait()
        await send_offsets(*arguments)

    monkeypatch.setattr(producer, "send_offsets", held)
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


async def test_a_zombie_that_starts_a_producer_commits_nothing(
    exact: Simulated | Real, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event was too large; before its smaller form is sent, another member publishes it all."""
    topics = exact.small_topics()
    first, go_on, publishing = await refused(exact, topics, monkeypatch)

    def theirs(records: Sequence[Record]) -> Publication:
        return with_large_ones(records, *topics)

    letters = await taken_over(exact, topics, first, go_on, publishing, theirs)

    assert letters == INPUTS // 2


async def test_a_rebalance_between_two_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The member keeps its partitions; what it had begun to publish is published once.

    The offset of a transaction that has just ended shows late, and the rebalance has made the
    member forget how far it was.
    """
    monkeypatch.setattr(transactions, "MARKER_DELAY_S", (0.1, 0.1))
    monkeypatch.setattr(session, "REVOKE_WAIT_S", 0.001)
    async with simulated_sessions("exactly_once") as kafka:
        topics = kafka.small_topics()
        first, go_on, publishing = await refused(kafka, topics, monkeypatch)
        assigned = first._consumer.assignment()
        await first.on_partitions_revoked(assigned)
        await first.on_partitions_assigned(assigned)
        go_on.set()
        with contextlib.suppress(RetriableError):
            await publishing

        while records := await first.poll():
            assert await first.publish(publication(records, kafka.topics[1]))

        read = [await kafka.read(topic) for topic in (*topics, kafka.topics[1])]
        assert sorted(value for records in read for value in values(records)) == EXPECTED


async def refused(
    kafka: Simulated | Real, topics: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> tuple[KafkaSession, asyncio.Event, asyncio.Task[bool]]:
    """A session held between two attempts for a large event, the event to go on, its publish."""
    await kafka.produce(*(m for p in range(INPUTS) for m in numbered(COUNT, p, p * COUNT)))
    first = await started(kafka.session())
    records = await poll_count(first, INPUTS * COUNT)
    assert isinstance(first, KafkaSession)
    reopens, go_on = asyncio.Event(), asyncio.Event()
    delivery = first._delivery
    assert isinstance(delivery, ExactlyOnce)
    started_one = delivery._started

    async def held() -> Producer:
        if delivery._producer is None:
            reopens.set()
            await go_on.wait()
        return await started_one()

    monkeypatch.setattr(delivery, "_started", held)
    publishing = asyncio.create_task(first.publish(with_large_ones(records, *topics)))
    await reopens.wait()
    return first, go_on, publishing


async def taken_over(
    kafka: Simulated | Real,
    topics: tuple[str, str],
    first: KafkaSession,
    go_on: asyncio.Event,
    publishing: asyncio.Task[bool],
    published: Callable[[Sequence[Record]], Publication],
) -> int:
    """A successor publishes its partitions, which the held session must notice; counts letters."""
    numb(first)
    second = kafka.session()
    assert isinstance(second, KafkaSession)
    await second.start()
    theirs: list[Record] = []
    async with asyncio.timeout(WAIT_SECONDS):
        while len(theirs) < COUNT * INPUTS // 2:
            theirs += await second.poll()
    assert await second.publish(published(theirs))
    go_on.set()

    with pytest.raises(RejoinError):
        await publishing

    awake(first)
    rest = await finish(kafka, first, second)
    events, letters = [values(await kafka.read(topic)) for topic in topics]
    assert sorted(events + letters + rest) == EXPECTED
    return len(letters)


def with_large_ones(records: Sequence[Record], topic: str, letters: str) -> Publication:
    """Publish each record, the first of each partition so large that only its letter fits."""
    plain = publication(records, topic)
    return replace(plain, outgoing=tuple(_enlarged(out, letters) for out in plain.outgoing))


def _enlarged(outgoing: Outgoing, letters: str) -> Outgoing:
    if int(outgoing.value or b"") % COUNT:
        return outgoing
    letter = replace(outgoing, topic=letters, key=None)
    return replace(outgoing, value=b"0" * 5000, smaller=lambda: letter)
