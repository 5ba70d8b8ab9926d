"""Faults between the offsets of a transaction and its end, the moment that is hardest to get right.

By then the group's coordinator has taken the offsets, and does not look at the group again: what
becomes of them is up to whoever ends the transaction, and when. See `faults`.
"""

from __future__ import annotations

import asyncio
import signal
from functools import partial
from typing import TYPE_CHECKING, Literal, get_args

from chaos.breaking.faults import EFFECT_SECONDS, SKIP_MAX, Fault, carried_out, ended_with, given_up
from chaos.cluster import happens
from chaos.orders import HELD_AND_COMMITTED, TRANSACTION_VARIABLE, Order

if TYPE_CHECKING:
    from random import Random

    from chaos.replicas import Replica
    from chaos.stage import Stage

Role = Literal["group coordinator", "transaction coordinator"]
ROLES: tuple[Role, ...] = get_args(Role)

# Longer than all that happens here while the transaction is open. The settings allow a session at
# most: then the brokers end it before others have the partitions, and whether those would wait for
# it would not be seen.
TRANSACTION_MS = 60_000
# For those that have got the partitions to read where they go on, and to publish if they do not
# wait.
TAKEOVER_S = 3.0


async def freeze(stage: Stage, rng: Random) -> bool:
    """SIGSTOP until the group goes on without it, then SIGCONT: its transaction still counts.

    Whoever has its partitions by then must have waited for that.
    """
    async with stage.a_replica(rng) as replica:
        if not await _held(replica, rng):
            return False
        members, before = sum(other.running for other in stage.replicas.all), _committed(replica)
        try:
            seen = await happens(lambda: given_up(stage, replica, members), EFFECT_SECONDS)
            await asyncio.sleep(rng.uniform(1.0, TAKEOVER_S))
        finally:
            replica.signal(signal.SIGCONT)
        seen = seen and await happens(partial(_more, replica, before), EFFECT_SECONDS)
        await _restart(replica, 0)
        return seen


async def move_coordinator(
    stage: Stage, rng: Random, *, role: Role, deed: Literal["kill", "pause"]
) -> bool:
    """The broker that keeps the group or the transaction goes, and another one takes over."""
    groups = stage.cluster.groups
    async with stage.brokers_taken:
        await stage.cluster.wait_whole()
        async with stage.a_replica(rng) as replica:
            if not await _held(replica, rng):
                return False
            before, retried = _committed(replica), replica.logged("retrying")

            async def holder() -> int:
                if role == "group coordinator":
                    return await groups.coordinator(stage.group)
                return await groups.transaction_coordinator(replica.orders.transactional_id())

            async def moved() -> bool:
                return await holder() not in (first, -1)

            async def went_on() -> bool:
                return _committed(replica) > before or replica.logged("retrying") > retried

            try:
                first = await holder()
                broker = stage.cluster.brokers[first]
                await asyncio.to_thread(broker.kill if deed == "kill" else broker.pause)
                try:
                    seen = await happens(moved, EFFECT_SECONDS) and replica.stopped()
                    replica.signal(signal.SIGCONT)
                    seen = await happens(went_on, EFFECT_SECONDS) and seen
                finally:
                    await asyncio.to_thread(broker.start if deed == "kill" else broker.resume)
            finally:
                replica.signal(signal.SIGCONT)
            await stage.cluster.wait_whole()
            await _restart(replica, 0)
        return seen


async def _held(replica: Replica, rng: Random) -> bool:
    """Whether it stands still now, with offsets in a transaction that the brokers leave open."""
    await _restart(replica, TRANSACTION_MS)
    return await carried_out(replica, Order("after offsets", "stop", rng.randrange(SKIP_MAX)))


async def _restart(replica: Replica, transaction_ms: int) -> None:
    """Start it anew with this transaction timeout; 0 stands for the service's own."""
    replica.more = {TRANSACTION_VARIABLE: str(transaction_ms)} if transaction_ms else {}
    before = len(replica.ends)
    replica.signal(signal.SIGTERM)
    assert await ended_with(replica, before, 0, EFFECT_SECONDS), f"{replica.name} does not end"
    await replica.wait_ready()


def _committed(replica: Replica) -> int:
    """How many transactions it has committed that were held up."""
    return sum(effect["what"] == HELD_AND_COMMITTED for effect in replica.orders.effects())


async def _more(replica: Replica, before: int) -> bool:
    return _committed(replica) > before


BETWEEN_FAULTS = [
    Fault(
        "SIGSTOP between offsets and end, SIGCONT after the session",
        "all partitions were given to the others, and then its transaction was committed",
        freeze,
        transactional=True,
    ),
    *(
        Fault(
            f"{role} {'killed' if deed == 'kill' else 'paused'} between offsets and end",
            "another broker had the role while a replica stood there, which then went on",
            partial(move_coordinator, role=role, deed=deed),
            transactional=True,
        )
        for role in ROLES
        for deed in ("kill", "pause")
    ),
]
