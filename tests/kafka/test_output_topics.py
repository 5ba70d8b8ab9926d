"""An output topic that is deleted while the service runs, and made anew."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from service.errors import RetriableError
from tools.kafka.broker import Broker
from tools.kafka.kinds import OUTPUTS
from tools.kafka.sessions import (
    delete_topic,
    lag_error,
    numbered,
    poll_count,
    publication,
    started,
    values,
)
from tools.kafka.topics import create_topic

if TYPE_CHECKING:
    from tools.kafka.kinds import AnySession, Real

pytestmark = pytest.mark.kafka

# A send to a topic without a leader fails after 40 seconds, and then once more.
BACK_SECONDS = 150


async def publish_all(real: Real, session: AnySession, count: int) -> None:
    """Poll and publish, as the pipeline does, until the group has committed so many records."""
    async with asyncio.timeout(BACK_SECONDS):
        while (await real.committed()).get(0) != count:
            try:
                if records := await session.poll():
                    await session.publish(publication(records, real.topics[1]))
            except RetriableError:
                session.rewind()


async def test_an_output_topic_made_anew_gets_all_that_waited(both: Real) -> None:
    """While it is away the lag fails, which names it for readiness; then all comes once, in order.

    So do records that come while it is away; what the old topic held is gone with it.
    """
    await both.produce(*numbered(3))
    session = await started(both.session())
    assert await session.publish(publication(await poll_count(session, 3), both.topics[1]))
    await both.produce(*numbered(30, first=3))
    records = await poll_count(session, 30)
    await delete_topic(both, both.topics[1])
    with pytest.raises(RetriableError):
        await session.publish(publication(records, both.topics[1]))
    assert both.topics[1] in await lag_error(session)
    session.rewind()
    await both.produce(*numbered(30, first=33))

    create_topic(Broker(both.bootstrap, "jars"), both.topics[1], OUTPUTS, {})
    await publish_all(both, session, 63)

    waited = values(numbered(60, first=3))
    read = await both.read(both.topics[1])
    assert sorted(waited) == sorted(values(read))
    for number in range(OUTPUTS):
        here = [int(m.value or b"") for m in read if m.partition == number]
        assert here == sorted(here)
    assert "" == await lag_error(session)
