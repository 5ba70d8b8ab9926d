"""What a session reads of a topic that was deleted and made anew under the same name."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, NodeNotReadyError
from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as Position
from confluent_kafka.admin import AdminClient
from structlog.testing import capture_logs

from service.errors import RetriableError
from service.kafka import identities
from service.kafka.client import background
from service.kafka.identities import Identities
from service.records import Partition
from tools.kafka.broker import Broker
from tools.kafka.sessions import (
    WAIT_SECONDS,
    joined,
    numbered,
    poll_count,
    publication,
    started,
    values,
)
from tools.kafka.topics import create_topic

if TYPE_CHECKING:
    from service.records import Record
    from tools.kafka.kinds import AnySession, Real, Reset

PLACE = Partition("posts", 0)
OLD, NEW = "11111111-1111@cluster-a", "22222222-2222@cluster-a"


async def remake(real: Real) -> None:
    """Delete the input topic, and make one of the same name as soon as that is possible."""
    topic = real.topics[0]
    admin = AdminClient({"bootstrap.servers": real.bootstrap})
    [deleted] = admin.delete_topics([topic]).values()
    await asyncio.to_thread(deleted.result, WAIT_SECONDS)
    create_topic(Broker(real.bootstrap, "jars"), topic, 1, {})


async def poll_new(session: AnySession, count: int) -> list[Record]:
    """Poll so many records; errors that pass are waited out."""
    records: list[Record] = []
    async with asyncio.timeout(WAIT_SECONDS):
        while len(records) < count:
            with contextlib.suppress(RetriableError):
                records += await session.poll()
    return records


@pytest.mark.kafka
@pytest.mark.parametrize(("reset", "count"), [("earliest", 5), ("latest", 20)])
async def test_a_topic_made_anew_at_once_is_read_from_its_beginning(
    both: Real, reset: Reset, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shorter or longer than the old one, of which ten records were published, and it is said."""
    monkeypatch.setattr(identities, "LOOK_EVERY_S", 0.0)
    session = await joined(both.session(reset))
    await both.produce(*numbered(10, 0))
    assert await session.publish(publication(await poll_count(session, 10), both.topics[1]))
    with capture_logs() as logs:
        await remake(both)
        # Before anything is written: later, records at the old position could be read first.
        with contextlib.suppress(RetriableError):
            assert [] == await session.poll()
        await both.produce(*numbered(count, 0, first=100))
        records = await poll_new(session, count)

    assert values(numbered(count, first=100)) == values(records)
    assert await session.publish(publication(records, both.topics[1]))
    assert {0: count} == await both.committed()
    entries = [entry for entry in logs if "made anew" in entry["event"]]
    assert [both.topics[0]] == [entry["topic"] for entry in entries]


@pytest.mark.kafka
async def test_an_offset_of_the_old_log_that_was_committed_late_is_not_believed(
    both: Real,
) -> None:
    """Brokers delete offsets with their topic, but a member may commit again before it notices."""
    session = await joined(both.session())
    await both.produce(*numbered(10, 0))
    assert await session.publish(publication(await poll_count(session, 10), both.topics[1]))
    await session.stop()
    place = TopicPartition(both.topics[0], 0)
    async with AIOKafkaConsumer(
        bootstrap_servers=both.bootstrap,
        group_id=both.settings().group_id,
        enable_auto_commit=False,
    ) as consumer:
        consumer.assign([place])
        old = (await background.committed(consumer, [place]))[place]
        await remake(both)
        await both.produce(*numbered(20, 0, first=100))
        await consumer.commit({place: old})

    with capture_logs() as logs:
        records = await poll_count(await started(both.session()), 20)

    assert values(numbered(20, first=100)) == values(records)
    entries = [entry for entry in logs if "deleted since" in entry["event"]]
    assert [10] == [entry["committed_offset"] for entry in entries]


@pytest.mark.kafka
async def test_an_offset_that_a_tool_has_set_is_believed(both: Real) -> None:
    """It has no identity."""
    await both.produce(*numbered(10, 0))
    consumer = Consumer({"bootstrap.servers": both.bootstrap, "group.id": both.settings().group_id})
    consumer.commit(offsets=[Position(both.topics[0], 0, 7)], asynchronous=False)
    consumer.close()

    records = await poll_count(await started(both.session()), 3)

    assert values(numbered(3, first=7)) == values(records)


@pytest.mark.parametrize(
    ("known", "metadata", "another"),
    [
        (OLD, NEW, True),
        (OLD, OLD, False),
        # A mirror of another cluster: its tools translate offsets and keep the metadata.
        (OLD, "22222222-2222@cluster-b", False),
        (OLD, "", False),
        (OLD, None, False),
        (OLD, "a note of some tool", False),
        ("", NEW, False),
    ],
)
def test_only_another_topic_of_the_same_cluster_is_another(
    known: str, metadata: str | None, another: bool
) -> None:
    """Everything else is believed, as it was before offsets had an identity."""
    topics = Identities()
    topics._known = {"posts": known} if known else {}

    assert another == topics.is_of_another(PLACE, metadata)
    assert topics.mark(PLACE, 3) == (3, known)
    # Nothing has expired then: the log is another one.
    assert ({"posts"} if another else set()) == topics.remade


class Silent:
    """Stands for a consumer whose brokers are gone, or frozen."""

    def __init__(self, *, frozen: bool) -> None:
        """Answer nothing, at once or never."""
        self._client = self
        self._frozen = frozen

    def get_random_node(self) -> int:
        """See aiokafka's client."""
        return 1

    async def send(self, *_: object) -> None:
        """See aiokafka's client."""
        if self._frozen:
            await asyncio.Event().wait()
        raise NodeNotReadyError


@pytest.mark.parametrize("frozen", [False, True])
async def test_brokers_that_do_not_answer_change_nothing(
    frozen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One broker of many that is gone must not end the epoch of a member that reads from others."""
    monkeypatch.setattr(identities, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(identities, "LOOK_TIMEOUT_S", 0.05)
    topics = Identities()
    topics._known = {"posts": OLD}

    assert not await topics.have_changed(Silent(frozen=frozen))
    assert OLD == topics.mark(PLACE, 3).metadata
    with pytest.raises((KafkaError, TimeoutError)):
        await topics.refresh(Silent(frozen=frozen), ["posts"])
