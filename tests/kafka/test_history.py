"""A group whose offsets have expired is told so at its start, by what it has published."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka.admin import AdminClient
from structlog.testing import capture_logs

from service.kafka.history import origin
from service.records import Partition
from service.wire.cloudevents import event_headers
from tools.kafka.sessions import (
    WAIT_SECONDS,
    joined,
    numbered,
    poll_count,
    publication,
    started,
    values,
)

if TYPE_CHECKING:
    from service.records import Headers, Publication, Record
    from tools.kafka.kinds import Real, Reset

TOLD = (
    "the group has no offsets where it has published events: they have expired, or the topic was "
    "made anew"
)


def source_of(real: Real) -> str:
    """The CloudEvents source of what this group publishes."""
    return f"urn:sentiment-stream:{real.topics[0]}"


def events(records: list[Record], topic: str, source: str) -> Publication:
    """Publish each record with the headers of its event."""
    plain = publication(records, topic)
    outgoing = [
        replace(message, headers=event_headers(record, source, "id", "time"))
        for message, record in zip(plain.outgoing, records, strict=True)
    ]
    return replace(plain, outgoing=tuple(outgoing))


async def forget(real: Real) -> None:
    """Delete the group, as brokers do when its offsets have expired."""
    admin = AdminClient({"bootstrap.servers": real.bootstrap})
    [deleted] = admin.delete_consumer_groups([real.topics[0]]).values()
    await asyncio.to_thread(deleted.result, WAIT_SECONDS)


@pytest.mark.kafka
@pytest.mark.parametrize(("reset", "read"), [("earliest", 3), ("latest", 0)])
async def test_expired_offsets_are_told_once(both: Real, reset: Reset, read: int) -> None:
    """One line with the partitions, what happens now and the remedy; not for unused partitions."""
    await both.produce(*numbered(3))
    session = await started(both.session())
    records = await poll_count(session, 3)
    assert await session.publish(events(records, both.topics[1], source_of(both)))
    await session.stop()
    await forget(both)

    with capture_logs() as logs:
        session = await started(both.session(reset))
        assert values(numbered(read)) == values(await poll_count(session, read))
        session.rewind()
        await poll_count(session, read)

    [line] = [entry for entry in logs if entry["log_level"] == "warning"]
    assert TOLD == line["event"]
    assert ([f"{both.topics[0]}/0"], 1) == (line["partitions"], line["count"])
    assert {"earliest": "published again", "latest": "skipped"}[reset] in line["effect"]
    assert "offsets.retention.minutes" in line["remedy"]


@pytest.mark.kafka
async def test_records_that_came_while_nobody_ran_are_counted(real: Real) -> None:
    """With `latest` they are skipped: a line says which, the metric how many, and once."""
    await real.produce(*numbered(3), *numbered(2, 1))
    session = await started(real.session())
    records = await poll_count(session, 5)
    assert await session.publish(events(records, real.topics[1], source_of(real)))
    await session.stop()
    await forget(real)
    await real.produce(*numbered(4, first=3))

    with capture_logs() as logs:
        session = await joined(real.session("latest"))
        session.rewind()
        await real.produce(*numbered(1, first=7))
        assert values(numbered(1, first=7)) == values(await poll_count(session, 1))

    topic = real.topics[0]
    assert {Partition(topic, 0): 4} == session.lost
    [line] = [entry for entry in logs if "passed over unread" in entry["event"]]
    assert (f"{topic}/0", 2, 7, 4) == tuple(
        line[name] for name in ("partition", "last_published", "first_offset", "lost")
    )
    assert "offsets.retention.minutes" in line["remedy"]


@pytest.mark.kafka
async def test_a_new_group_is_told_nothing(real: Real) -> None:
    """Neither on an output without events, nor on one with another group's."""
    await real.produce(*numbered(3))
    with capture_logs() as logs:
        session = await started(real.session())
        records = await poll_count(session, 3)
        assert await session.publish(events(records, real.topics[1], "urn:sentiment-stream:other"))
        await session.stop()
        await forget(real)
        await joined(real.session("latest"))

    assert [] == [line for line in logs if line["log_level"] == "warning"]


def event(headers: Headers, value: Any = None) -> SimpleNamespace:
    """A record of the output topic."""
    return SimpleNamespace(headers=headers, value=json.dumps(value).encode())


def test_an_event_says_where_its_record_is_from() -> None:
    """By its CloudEvents attributes, or by its value where it has none; anything else says none."""
    source = ("ce_source", b"urn:sentiment-stream:g")
    value = {"origin": {"topic": "in", "partition": 7, "offset": 3}}

    subject = event((source, ("ce_subject", b"a-b/12/1042")))
    assert (Partition("a-b", 12), 1042) == origin(subject, "g")
    assert (Partition("in", 7), 3) == origin(event((), value), "g")
    for other in (
        event((source, ("ce_subject", b"a-b/12/1042")), value),
        event((("ce_source", b"\xff"),)),
    ):
        assert origin(other, "another group") is None
    for broken in (b"\xff/1/2", b"in", b"in/x/3"):
        assert origin(event((source, ("ce_subject", broken))), "g") is None
    odd: Any
    for odd in (None, [], {}, {"origin": 1}, {"origin": {"topic": "in"}}):
        assert origin(event((), odd), "g") is None
    assert origin(SimpleNamespace(headers=(), value=None), "g") is None
