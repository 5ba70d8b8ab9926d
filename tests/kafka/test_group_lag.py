"""The lag of a group becomes 0 although its input ends in what nobody can read.

Measured as `kafka-consumer-groups` and KEDA do: the end of each log, and what the group has
committed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from service.kafka import fetching
from tools.kafka.sessions import (
    WAIT_SECONDS,
    abort,
    numbered,
    poll_count,
    publication,
    started,
    values,
)
from tools.kafka.topics import end_offsets

if TYPE_CHECKING:
    from tools.kafka.kinds import AnySession, Real, Reset

pytestmark = pytest.mark.kafka

# So many aborted records of such a size are several batches, and several fetches.
ABORTED = {"count": 120, "size": 20_000}


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "TAIL_S", 0.5)


async def lag(real: Real) -> dict[int, int]:
    """What each partition with anything in its log still lacks."""
    ends = await end_offsets(real.bootstrap, real.topics[0])
    committed = await real.committed()
    return {number: end - committed.get(number, 0) for number, end in ends.items() if end}


async def until_no_lag(real: Real, session: AnySession) -> None:
    """Poll until the group has committed the ends of all logs; nothing is to be read."""
    async with asyncio.timeout(WAIT_SECONDS):
        while any((await lag(real)).values()):
            assert [] == await session.poll()


async def test_aborted_records_at_the_end_are_no_lag_for_ever(both: Real) -> None:
    """Neither behind records that were published, nor in a partition that has no others.

    The same at a restart, and for what is aborted later; what is readable comes after it.
    """
    await both.produce(*numbered(3))
    await abort(both, 0, 1, **ABORTED)
    session = await started(both.session())
    assert await session.publish(publication(await poll_count(session, 3), both.topics[1]))
    await until_no_lag(both, session)
    await session.stop()

    await abort(both, 0, 2, **ABORTED)
    session = await started(both.session())
    await until_no_lag(both, session)

    assert {0, 1, 2} == set(await lag(both))
    await both.produce(*numbered(1, 1))
    records = await poll_count(session, 1)
    assert values(numbered(1)) == values(records)
    assert await session.publish(publication(records, both.topics[1]))
    assert 0 == (await lag(both))[1]


@pytest.mark.parametrize("reset", ["earliest", "latest"])
async def test_a_topic_of_aborted_records_alone_is_no_lag(both: Real, reset: Reset) -> None:
    """For a group that has never committed anything there."""
    await abort(both, 0, 3, **ABORTED)
    session = await started(both.session(reset))

    await until_no_lag(both, session)

    assert {0: 0, 3: 0} == await lag(both)
    assert {0, 3} <= set(await both.committed())
