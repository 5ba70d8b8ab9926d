"""Faults of the brokers and of the network between them and the service. See `faults`."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, Literal

from chaos.breaking.faults import EFFECT_SECONDS, Fault
from chaos.cluster import happens
from chaos.stage import SESSION_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

    from chaos.breaking.proxy import Connection
    from chaos.stage import Stage

Role = Literal["leader", "group coordinator", "transaction coordinator"]
ROLES: tuple[Role, ...] = ("leader", "group coordinator", "transaction coordinator")

# How long the network is slow, or resets.
NETWORK_S = 8.0
# aiokafka's request timeout, 40 s, and twice the time to notice.
LEAVE_SECONDS = 90


def _holder(stage: Stage, rng: Random, role: Role) -> Callable[[], Awaitable[int]]:
    """Asks which broker has a role: for an input partition, the group, or a replica's transactions.

    The answer is -1 while none has it.
    """
    cluster = stage.cluster
    match role:
        case "leader":
            return partial(cluster.leader, stage.input, rng.randrange(stage.partitions))
        case "group coordinator":
            return partial(cluster.groups.coordinator, stage.group)
        case "transaction coordinator":
            identity = rng.choice(stage.replicas.all).orders.transactional_id()
            return partial(cluster.groups.transaction_coordinator, identity)


async def harm_broker(
    stage: Stage, rng: Random, *, role: Role, deed: Literal["kill", "pause"]
) -> bool:
    """Kill or pause the one that has a role, until another one has it."""
    async with stage.brokers_taken:
        await stage.cluster.wait_whole()
        holder = _holder(stage, rng, role)
        first = await holder()

        async def moved() -> bool:
            return await holder() not in (first, -1)

        broker = stage.cluster.brokers[first]
        await asyncio.to_thread(broker.kill if deed == "kill" else broker.pause)
        try:
            seen = await happens(moved, EFFECT_SECONDS)
            await asyncio.sleep(rng.uniform(0, 3))
        finally:
            await asyncio.to_thread(broker.start if deed == "kill" else broker.resume)
        await stage.cluster.wait_whole()
        return seen


async def restart_all(stage: Stage, rng: Random) -> bool:
    """All brokers are gone for a while."""
    async with stage.brokers_taken, stage.all_replicas() as replicas:
        await asyncio.to_thread(stage.cluster.kill)
        try:

            async def noticed() -> bool:
                return not any([await replica.ready() for replica in replicas])

            seen = await happens(noticed, EFFECT_SECONDS)
            await asyncio.sleep(rng.uniform(0, SESSION_S))
        finally:
            await asyncio.to_thread(stage.cluster.start)
        await stage.cluster.wait_whole()
        return seen


async def delay(stage: Stage, rng: Random) -> bool:
    """All that passes is late."""
    async with stage.network_taken:
        proxies = stage.proxies.values()
        before = sum(proxy.delayed_chunks for proxy in proxies)
        for proxy in proxies:
            proxy.latency_s = rng.uniform(0.1, 0.6)
        try:
            passes = await stage.progress(1, NETWORK_S)
            await asyncio.sleep(NETWORK_S)
        finally:
            for proxy in proxies:
                proxy.latency_s = 0.0
        return passes and sum(proxy.delayed_chunks for proxy in proxies) > before


async def reset(stage: Stage, rng: Random) -> bool:
    """Connections break, each with some chance, again and again."""
    async with stage.network_taken:
        proxies = stage.proxies.values()
        broken, before = 0, sum(proxy.accepted for proxy in proxies)
        until = time.monotonic() + NETWORK_S
        while time.monotonic() < until:
            chosen = _chosen(stage, rng, 0.5)
            for connection in chosen:
                connection.reset()
            broken += len(chosen)
            await asyncio.sleep(rng.uniform(0.3, 1.5))

        async def reconnected() -> bool:
            return sum(proxy.accepted for proxy in proxies) > before

        return broken > 0 and await happens(reconnected, EFFECT_SECONDS)


async def half_open(stage: Stage, rng: Random, *, told: bool) -> bool:
    """Connections take data and lead nowhere; at last the client is told by a reset, or never."""
    async with stage.network_taken:
        proxies = rng.sample(list(stage.proxies.values()), rng.choice((1, 2, 3)))
        for proxy in proxies:
            proxy.accept_dead = True
        chosen = [c for proxy in proxies for c in proxy.choose(lambda: rng.random() < 0.8)]
        for connection in chosen:
            connection.dead = True
        await asyncio.sleep(SESSION_S * rng.uniform(1.2, 2))
        for proxy in proxies:
            proxy.accept_dead = False
        dead = [c for proxy in stage.proxies.values() for c in proxy.choose(lambda: True) if c.dead]
        if told:
            for connection in dead:
                connection.reset()

        async def left() -> bool:
            # Others are idle, and are found out when they are used next.
            return any(
                c.swallowed_bytes and c not in proxy.connections for proxy in proxies for c in dead
            )

        return await happens(left, LEAVE_SECONDS)


def _chosen(stage: Stage, rng: Random, share: float) -> list[Connection]:
    return [c for p in stage.proxies.values() for c in p.choose(lambda: rng.random() < share)]


BROKER_FAULTS = [
    *(
        Fault(
            f"{role} {'killed' if deed == 'kill' else 'paused'}",
            "another broker had the role",
            partial(harm_broker, role=role, deed=deed),
            role == "transaction coordinator",
        )
        for role in ROLES
        for deed in ("kill", "pause")
    ),
    Fault("all brokers restarted", "no replica was ready meanwhile", restart_all),
]
NETWORK_FAULTS = [
    Fault("latency", "what passed the proxies was late, and records came out", delay),
    Fault("resets", "connections were reset, and made anew", reset),
    Fault(
        "half-open, then reset",
        "bytes were swallowed for longer than the session, then new connections made",
        partial(half_open, told=True),
    ),
    Fault(
        "half-open, never told",
        "bytes were swallowed, and the service left these connections by itself",
        partial(half_open, told=False),
    ),
]
