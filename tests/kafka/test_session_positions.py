"""Where a session begins and goes on when topics, their logs and committed offsets change."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from service.kafka import KafkaSession
from service.kafka.delivery import transactional_id
from service.records import Partition
from tools.kafka.broker import Broker
from tools.kafka.kinds import Mode, Real, real_kafka
from tools.kafka.sessions import (
    numbered,
    poll_count,
    publication,
    real,
    started,
    values,
)
from tools.kafka.topics import create_topic, produce

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["real"]

pytestmark = pytest.mark.kafka


@pytest.fixture(params=["exactly_once", "at_least_once"])
async def both(request: pytest.FixtureRequest) -> AsyncIterator[Real]:
    """Give real Kafka in each mode of delivery."""
    mode: Mode = request.param
    async with real_kafka(request, mode) as kafka:
        yield kafka


def session_of(real: Real, **settings: Any) -> KafkaSession:
    """A session with these settings, stopped after the test."""
    session = KafkaSession(real.settings(**settings), 256, real.mode)
    real.sessions.append(session)
    return session


async def test_groups_with_similar_names_do_not_fence_each_other(real: Real) -> None:
    """Group `team` on topic `a-b` and group `team-a` on topic `b` publish side by side."""
    topic = real.make_topic("b", 1)
    longer = f"a-{topic}"
    create_topic(Broker(real.bootstrap, "jars"), longer, 1, {})
    names = {f"team-{topic}": longer, f"team-{topic}-a": topic}
    # With a dash between all parts both ids were the same: `team-…-a-b-…-0`.
    assert len({transactional_id(g, Partition(t, 0)) for g, t in names.items()}) == 2
    sessions = [session_of(real, group_id=group, input_topic=t) for group, t in names.items()]
    for name in names.values():
        await produce(real.bootstrap, name, numbered(4))
    read = [await poll_count(await started(session), 4) for session in sessions]

    for records in zip(*read, strict=True):
        for session, record in zip(sessions, records, strict=True):
            assert await session.publish(publication([record], real.topics[1]))

    assert sorted([*values(numbered(4))] * 2) == sorted(values(await real.read(real.topics[1])))
