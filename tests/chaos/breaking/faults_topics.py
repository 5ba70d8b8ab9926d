"""Faults by an operator's hand: records and whole topics are deleted, or made anew. See `faults`.

Each notes what it has deleted in the stage's ledger, for the judge. The replicas stand still while
it does so: what they have read, written and committed by then can be told exactly.
"""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from chaos.accounts import Expired, Remade
from chaos.breaking.faults import EFFECT_SECONDS, Fault
from chaos.cluster import happens, until
from chaos.readers import read_inputs
from chaos.stage import SESSION_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
    from random import Random

    from chaos.replicas import Replica
    from chaos.stage import Stage

# What is on its way to the brokers when a process stops comes in milliseconds.
SETTLE_S = 0.5
# Of the partitions whose records expire, and of what is unread in each.
EXPIRED_SHARE = 0.5
METRIC_SECONDS = 30
# Metadata is five seconds old at most, and a busy machine needs some times that.
NOTICE_S = 30
LOST = "sentiment_lost_total"
# What the service says of a committed offset that its log does not have yet.
BEHIND = "is behind the end of its log"


async def expire(stage: Stage, rng: Random, *, away: bool) -> bool:
    """Records are deleted before they are read, as retention does where the group is too slow."""
    async with stage.brokers_taken, stage.all_replicas() as replicas:
        before, pids = await _counted(stage, replicas), [one.process.pid for one in replicas]
        said = Counter(stage.claims())
        absent = _away(stage, replicas) if away else _frozen(replicas)
        async with absent:
            # Longer than a session, or shorter: the group then goes on as if nothing had been.
            await asyncio.sleep(SESSION_S * rng.uniform(0.5, 2))
            committed = await stage.cluster.groups.committed(stage.group, stage.input)
            ends = await stage.cluster.ends(stage.input)
            chosen = rng.sample(sorted(ends), int(len(ends) * EXPIRED_SHARE))
            firsts = {
                n: ends[n] - int((ends[n] - committed.get(n, 0)) * rng.choice((0.0, rng.random())))
                for n in chosen
            }
            inputs = await asyncio.to_thread(
                read_inputs, stage.cluster, stage.input, firsts, stage.era
            )
            await stage.cluster.delete_records(stage.input, firsts)
            stage.written_off += sum(first - committed.get(n, 0) for n, first in firsts.items())
        await stage.replicas.wait_ready()

        async def passed() -> bool:
            offsets = await stage.cluster.groups.committed(stage.group, stage.input)
            return all(offsets.get(n, 0) >= first for n, first in firsts.items())

        seen = await happens(passed, EFFECT_SECONDS)
        counted: dict[int, int] = {}

        async def told() -> bool:
            found = await _counted(stage, replicas)
            # The metric of another process begins anew.
            old = before if pids == [one.process.pid for one in replicas] else {}
            counted.update({n: found[n] - old.get(n, 0) for n in chosen})
            lost: Counter[int] = Counter()
            for claim in (Counter(stage.claims()) - said).elements():
                lost[claim.partition] += claim.lost
            return all(counted[n] == lost[n] for n in chosen)

        # What the metric never tells, the judge finds.
        await happens(told, METRIC_SECONDS)
        stage.ledger.expired.append(Expired(inputs, firsts, counted))
        return seen and len(stage.claims()) > said.total()


async def _counted(stage: Stage, replicas: Sequence[Replica]) -> dict[int, int]:
    """What the replicas' metric has of each partition."""
    counts = {}
    for number in range(stage.partitions):
        labels = {"topic": stage.input, "partition": str(number)}
        counts[number] = sum([int(await replica.metric(LOST, **labels)) for replica in replicas])
    return counts


@asynccontextmanager
async def _away(stage: Stage, replicas: Sequence[Replica]) -> AsyncIterator[None]:
    await asyncio.gather(*map(stage.replicas.scale_down, replicas))
    try:
        yield
    finally:
        for replica in replicas:
            replica.start()


@asynccontextmanager
async def _frozen(replicas: Sequence[Replica]) -> AsyncIterator[None]:
    for replica in replicas:
        replica.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for replica in replicas:
            replica.signal(signal.SIGCONT)


async def remake_input(stage: Stage, rng: Random) -> bool:
    """The input topic is deleted, and made anew after the service has noticed."""
    async with stage.brokers_taken, stage.all_replicas() as replicas:
        async with stage.load.held(renew=True):
            async with _frozen(replicas):
                await _delete_input(stage)
            named = await happens(partial(_named, replicas, stage.input), EFFECT_SECONDS)
            stage.notes.append(f"a replica named the deleted topic: {named}")
            await asyncio.sleep(rng.uniform(0, SESSION_S))
            await stage.cluster.create_topic(stage.input, stage.partitions)
        return await happens(partial(_all_committed, stage), EFFECT_SECONDS) and named


async def remake_input_at_once(stage: Stage, rng: Random) -> bool:  # noqa: ARG001 - nothing to choose
    """The input topic is deleted and made anew before the service can notice.

    What it has read of the old one it publishes with offsets of the old one, which Kafka takes for
    offsets of the new one. Either the service goes on at the beginning by itself, or it ends and
    says so, and the operator chooses where it goes on, before anything is written there.
    """
    async with stage.brokers_taken, stage.all_replicas() as replicas:
        before = {replica.name: replica.logged(BEHIND) for replica in replicas}

        async def told(enough: Callable[[Iterable[bool]], bool]) -> bool:
            return enough(replica.logged(BEHIND) > before[replica.name] for replica in replicas)

        async with stage.load.held(renew=True):
            async with _frozen(replicas):
                await _delete_input(stage)
                await stage.cluster.create_topic(stage.input, stage.partitions)
            seen = True
            if await happens(partial(told, any), NOTICE_S):
                seen = await happens(partial(told, all), EFFECT_SECONDS)
                async with _away(stage, replicas):
                    await stage.cluster.reset_offsets(stage.group, stage.input, stage.partitions)
        await stage.replicas.wait_ready()
        return await happens(partial(_all_committed, stage), EFFECT_SECONDS) and seen


async def _delete_input(stage: Stage) -> None:
    """Delete it, and note what was in it and how far the group was."""
    committed = await _settled_offsets(stage)
    ends = await stage.cluster.ends(stage.input)
    inputs = await asyncio.to_thread(read_inputs, stage.cluster, stage.input, ends, stage.era)
    await stage.cluster.delete_topic(stage.input)
    stage.ledger.remade.append(Remade(inputs, committed))
    stage.written_off = max(0, stage.load.sent - stage.outputs.count)
    stage.era += 1


async def _all_committed(stage: Stage) -> bool:
    ends = await stage.cluster.ends(stage.input)
    offsets = await stage.cluster.groups.committed(stage.group, stage.input)
    return all(0 < offsets.get(n, 0) <= end for n, end in ends.items())


async def _settled_offsets(stage: Stage) -> Mapping[int, int]:
    """What the group has committed when all that was on its way to the brokers is there."""
    found: Mapping[int, int] = {}

    async def same() -> bool:
        nonlocal found
        before, found = found, await stage.cluster.groups.committed(stage.group, stage.input)
        await asyncio.sleep(SETTLE_S)
        return before == found

    await until(same, "nothing is committed any more")
    return found


async def _named(replicas: Sequence[Replica], topic: str) -> bool:
    """Whether a replica is not ready, and names the topic for it."""
    return any([topic in await replica.unready() for replica in replicas])


async def remake_output(stage: Stage, rng: Random, *, at_once: bool) -> bool:
    """A topic that the service writes is deleted with all in it, and made anew."""
    topic = rng.choice((stage.output, stage.letters))
    async with stage.brokers_taken, stage.all_replicas() as replicas:
        async with _frozen(replicas):
            await _settled_ends(stage)
            stage.ledger.outcomes |= await stage.outputs.retire(topic)
            await stage.cluster.delete_topic(topic)
            if at_once:
                await stage.create_output(topic)
        seen = at_once or await happens(partial(_named, replicas, topic), EFFECT_SECONDS)
        if not at_once:
            stage.notes.append(f"a replica named the deleted topic: {seen}")
            await asyncio.sleep(rng.uniform(0, SESSION_S))
            await stage.create_output(topic)
        stage.outputs.renew(topic)

        async def written() -> bool:
            return any((await stage.cluster.ends(topic)).values())

        return await happens(written, EFFECT_SECONDS) and seen


async def _settled_ends(stage: Stage) -> None:
    async def same() -> bool:
        before = await stage.outputs.ends()
        await asyncio.sleep(SETTLE_S)
        return before == await stage.outputs.ends()

    await until(same, "nothing is written any more")


TOPIC_FAULTS = [
    *(
        Fault(
            f"records expired unread, the group {where}",
            "the log named partitions and numbers, and the group went on behind them",
            partial(expire, away=away),
        )
        for where, away in (("away", True), ("frozen", False))
    ),
    Fault(
        "input topic deleted, made anew later",
        "a replica was not ready and named it; then offsets were committed in the new one",
        remake_input,
    ),
    Fault(
        "input topic deleted, made anew at once",
        "offsets were committed in the new one, after all replicas had ended or by themselves",
        remake_input_at_once,
    ),
    Fault(
        "output topic deleted, made anew later",
        "a replica was not ready and named it; then records came into the new one",
        partial(remake_output, at_once=False),
    ),
    Fault(
        "output topic deleted, made anew at once",
        "records came into the new one",
        partial(remake_output, at_once=True),
    ),
]  # fmt: skip
