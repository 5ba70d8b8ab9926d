"""A backfill ends once its whole group has committed everything, and not before."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from service.errors import BrokerError, RetriableError
from service.progress import Reached
from service.stream.until_end import LOOK_EVERY_S, UntilEnd
from tools.pipeline_tools import WAIT_SECONDS, FakeClock

if TYPE_CHECKING:
    from collections.abc import Sequence

DONE = Reached(10, 0)


class Group:
    """A session that answers one after the other."""

    def __init__(self, *answers: Reached | Exception) -> None:
        """Have these answers, and no other."""
        self._answers = list(answers)

    async def reached(self) -> Reached:
        """See `ports.EndingSession`."""
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def ended(*answers: Reached | Exception) -> tuple[Sequence[Reached], list[float], UntilEnd]:
    """What was told, and slept, until the pipeline was stopped."""
    told: list[Reached] = []
    clock, stopped = FakeClock(), asyncio.Event()
    group: Any = Group(*answers)
    until_end = UntilEnd(group, clock, told.append)
    async with asyncio.timeout(WAIT_SECONDS):
        await until_end.run(stopped.set)
    assert stopped.is_set()
    return told, clock.slept, until_end


async def test_it_ends_when_nothing_is_left() -> None:
    """Each look is told; those that fail are made again."""
    away = RetriableError("the brokers do not answer")

    told, slept, until_end = await ended(Reached(10, 4), away, Reached(10, 1), DONE)

    assert [Reached(10, 4), Reached(10, 1), DONE] == told
    assert [LOOK_EVERY_S] * 3 == slept
    assert until_end.is_done


async def test_it_ends_at_once_where_there_is_nothing() -> None:
    """Of an empty topic, or one that others have done."""
    told, slept, _ = await ended(Reached(0, 0))

    assert [1.0] == [reached.share for reached in told]
    assert [] == slept


async def test_ends_that_cannot_be_reached_are_an_error() -> None:
    """It is not done then."""
    with pytest.raises(BrokerError):
        await ended(BrokerError("made anew"))
