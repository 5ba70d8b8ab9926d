"""Faults of the brokers and of the network between them and the service. See `faults`."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, Literal

from chaos.breaking.faults import EFFECT_SECONDS, Fault
from chaos.cluster import happens
from chaos.stage import SESSION_S
from service.kafka.producer import transactional_id
from service.records import Partition

if TYPE_CHECKING:
    from random import Random

    from chaos.breaking.proxy import Connection
    from chaos.stage import Stage

Role = Literal["leader", "group coordinator", "transaction coordinator"]
ROLES: tuple[Role, ...] = ("leader", "group coordinator", "transaction coordinator")

# How long the network is slow, or resets.
NETWORK_S = 8.0
# aiokafka's request timeout, 40 s, and twice the time to notice.
LEAVE_SECONDS = 90


async def _holder(stage: Stage, role: Role, number: int) -> int:
    """Which broker has a role; -1 while none does. `number` is that of an input partition."""
    match role:
        case "leader":
            return await stage.cluster.leader(stage.input, number)
        case "group coordinator":
            return await stage.cluster.groups.coordinator(stage.group)
        case "transaction coordinator":
            identity = transactional_id(stage.group, Partition(stage.input, number))
            return await stage.cluster.groups.transaction_coordinator(identity)


async def harm_broker(
    stage: Stage, rng: Random, *, role: Role, deed: Literal["kill", "pause"]
) -> bool:
    """Kill or pause the one that has a role, until another one has it."""
    async with stage.brokers_taken:
        await stage.cluster.wait_whole()
        number = rng.randrange(stage.partitions)
        holder = await _holder(stage, role, number)
        broker = stage.cluster.brokers[holder]
        await asyncio.to_thread(broker.kill if deed == "kill" else broker.pause)
        try:
            seen = await happens(lambda: _moved(stage, role, number, holder), EFFECT_SECONDS)
            await asyncio.sleep(rng.uniform(0, 3))
        finally:
            await asyncio.to_thread(broker.start if deed == "kill" else broker.resume)
        await stage.cluster.wait_whole()
        return seen


async def _moved(stage: Stage, role: Role, number: int, holder: int) -> bool:
    return await _holder(stage, role, number) not in (holder, -1)


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
