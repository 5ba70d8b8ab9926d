"""What goes wrong: one entry for each kind of fault, with how it is done and how it is seen.

A fault gives True only where its effect was observed. Here are those of processes and of the
model; brokers and network have their own modules, and `plan` says which are played when.
"""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from chaos.cluster import happens
from chaos.orders import POINTS, POINTS_AT_LEAST_ONCE, Order
from chaos.stage import REBALANCE_S, SESSION_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

    from chaos.orders import Deed, Point
    from chaos.replicas import Replica
    from chaos.stage import Stage

# A point is passed some times a second; longer where the group is being joined.
ORDER_SECONDS = 60
# Beyond all that the service waits for by itself: session, model, drain, and twice the 40 s that
# its client gives a request on a connection that has died.
EFFECT_SECONDS = 120
# Orders wait until a point was passed up to so many times, so that not only first batches are hit.
SKIP_MAX = 30
# Behind the longest bound that it should outlast, before the model is taken for hanging after 10 s.
SLOW_S = 8.5


@dataclass(frozen=True)
class Fault:
    """A kind of fault; `do` says whether its effect was observed."""

    kind: str
    observed_by: str
    do: Callable[[Stage, Random], Awaitable[bool]]
    transactional: bool = False


async def carried_out(replica: Replica, order: Order) -> bool:
    """Give an order and wait until the process says that it does it."""
    before = len(replica.orders.effects())
    replica.orders.give(order)

    async def recorded() -> bool:
        return len(replica.orders.effects()) > before

    return await happens(recorded, ORDER_SECONDS)


async def ended_with(replica: Replica, before: int, code: int, seconds: float) -> bool:
    """Whether the process of a moment ago, when so many had ended, ends with this code."""

    async def ended() -> bool:
        return len(replica.ends) > before

    return await happens(ended, seconds) and replica.ends[before] == code


async def terminate(stage: Stage, rng: Random) -> bool:
    """SIGTERM."""
    async with stage.a_replica(rng) as replica:
        before = len(replica.ends)
        replica.signal(signal.SIGTERM)
        return await ended_with(replica, before, 0, EFFECT_SECONDS)


async def kill_at(stage: Stage, rng: Random, *, point: Point) -> bool:
    """SIGKILL where it hurts."""
    async with stage.a_replica(rng) as replica:
        before = len(replica.ends)
        if not await carried_out(replica, Order(point, "kill", rng.randrange(SKIP_MAX))):
            return False
        return await ended_with(replica, before, -signal.SIGKILL, EFFECT_SECONDS)


async def freeze(
    stage: Stage,
    rng: Random,
    *,
    point: Point | None,
    which: Callable[[Replica], bool] = lambda _: True,
) -> bool:
    """SIGSTOP until the group goes on without it, then SIGCONT: a zombie that wakes late."""
    async with stage.a_replica(rng, which) as replica:
        members = sum(other.running for other in stage.replicas.all)
        if point is None:
            replica.signal(signal.SIGSTOP)
        elif not await carried_out(replica, Order(point, "stop", rng.randrange(SKIP_MAX))):
            return False
        since = time.monotonic()
        try:
            seen = await happens(lambda: given_up(stage, replica, members), EFFECT_SECONDS)
            await asyncio.sleep(
                max(0.0, since + SESSION_S * rng.uniform(1.1, 2) - time.monotonic())
            )
        finally:
            replica.signal(signal.SIGCONT)
        return seen


async def given_up(stage: Stage, replica: Replica, members: int) -> bool:
    """Whether the group goes on with fewer than so many members while the replica stands still."""
    return replica.stopped() and 0 < await stage.members() < members


async def lose_answer(stage: Stage, rng: Random, *, point: Point) -> bool:
    """Kafka's answer is lost, and with it whether the transaction counts."""
    async with stage.a_replica(rng) as replica:
        retries = replica.logged("retrying")
        if not await carried_out(replica, Order(point, "fail", rng.randrange(SKIP_MAX))):
            return False

        async def retried() -> bool:
            return replica.logged("retrying") > retries

        return await happens(retried, EFFECT_SECONDS)


async def break_model(stage: Stage, rng: Random, *, deed: Deed) -> bool:
    """The model fails on everything, or never answers: the service must end by itself."""
    async with stage.a_replica(rng) as replica:
        before = len(replica.ends)
        if not await carried_out(replica, Order("in inference", deed, rng.randrange(SKIP_MAX))):
            return False
        return await ended_with(replica, before, 1, EFFECT_SECONDS)


async def slow_model(stage: Stage, rng: Random) -> bool:
    """A batch takes longer than a rebalance may, and a rebalance comes meanwhile."""
    async with stage.several_taken, stage.a_replica(rng) as slow, stage.a_replica(rng) as other:
        pid, rebalances = slow.process.pid, await slow.metric("sentiment_rebalances_total")
        if not await carried_out(slow, Order("in inference", "slow", seconds=SLOW_S)):
            return False
        other.signal(signal.SIGTERM)

        async def back() -> bool:
            effects = slow.orders.effects()
            return ("slow and back", pid) == (effects[-1]["what"], effects[-1]["pid"])

        async def rebalanced() -> bool:
            return await slow.metric("sentiment_rebalances_total") > rebalances

        if not (await happens(back, EFFECT_SECONDS) and await happens(rebalanced, EFFECT_SECONDS)):
            return False
        return slow.running and slow.process.pid == pid


async def scale(stage: Stage, rng: Random) -> bool:  # noqa: ARG001 - nothing to choose
    """From one replica to all and back; at last all run again, as the next faults want."""
    async with stage.all_replicas() as replicas:
        others, seen = replicas[1:], []
        for count in (1, len(replicas), 1):
            if count == 1:
                for replica in others:
                    await stage.replicas.scale_down(replica)
            else:
                for replica in others:
                    replica.start()
            seen.append(await happens(partial(_has_members, stage, count), EFFECT_SECONDS))
        for replica in others:
            replica.start()
        return all(seen)


async def _has_members(stage: Stage, count: int) -> bool:
    return await stage.members() == count


async def add_partitions(stage: Stage, rng: Random) -> bool:
    """The input grows while the replicas run, and nobody tells them."""
    async with stage.all_replicas():
        first = stage.partitions
        stage.partitions += rng.choice((1, 2))
        await stage.cluster.add_partitions(stage.input, stage.partitions)
        stage.load.partitions = stage.partitions

        async def committed() -> bool:
            offsets = await stage.cluster.groups.committed(stage.group, stage.input)
            return all(offsets.get(n, 0) > 0 for n in range(first, stage.partitions))

        return await happens(committed, EFFECT_SECONDS)


LOSING: tuple[Point, ...] = ("after send", "before the end", "after the end")
FREEZING: tuple[tuple[str, Point | None, bool], ...] = (
    ("at any time", None, False),
    ("before the transaction", "before the transaction", True),
    ("after send", "after send", False),
    ("after offsets", "after offsets", False),
)
PROCESS_FAULTS = [
    Fault("SIGTERM", "exit code 0", terminate),
    *(
        Fault(
            f"SIGKILL {point}",
            "the process named the point, and ended by signal 9",
            partial(kill_at, point=point),
            point not in POINTS_AT_LEAST_ONCE,
        )
        for point in POINTS
    ),
    *(
        Fault(
            f"SIGSTOP {where}, SIGCONT after the session",
            "all partitions were given to the others while it stood still",
            partial(freeze, point=point),
            transactional,
        )
        for where, point, transactional in FREEZING
    ),
    *(
        Fault(
            f"answer lost {point}",
            "the publish was tried again",
            partial(lose_answer, point=point),
            point not in POINTS_AT_LEAST_ONCE,
        )
        for point in LOSING
    ),
]  # fmt: skip
SCALE_FAULTS = [
    Fault("1 → 3 → 1 replicas", "the group had so many members, with all partitions", scale),
    Fault("partitions added", "offsets were committed on the new ones", add_partitions),
]
MODEL_FAULTS = [
    Fault("model raising", "exit code 1, and started again", partial(break_model, deed="raise")),
    Fault("model hanging", "exit code 1, and started again", partial(break_model, deed="hang")),
    Fault(
        f"model slow for {SLOW_S} s, rebalance timeout {REBALANCE_S:.0f} s",
        "it was, and its process stayed through a rebalance",
        slow_model,
    ),
]
