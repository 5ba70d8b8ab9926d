"""Faults of what comes in and of what may go out: a backlog, and a quota. See `faults`."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from chaos.accounts import starved
from chaos.breaking.faults import EFFECT_SECONDS, Fault
from chaos.cluster import happens, until
from tools.kafka.quotas import quota

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from random import Random

    from chaos.stage import Stage

# Far more than the service takes in one go, and worked off by one replica in half a minute.
BACKLOG = 8000
# Beside a backlog and under a quota: what one replica can do besides, records a second.
LIVE_RATE = 60.0
# How many of the backlog may come before a record of another partition that was put in meanwhile.
# A service that is not fair lets nearly all come first. A fair one has some batches of 256 records
# under way, and on a busy machine publishes them more than once.
OVERTAKEN_MAX = 4000
# What the load may have before it, on a busy machine.
DRAIN_SECONDS = 200
# As many as prove something.
LIVE_MIN = 50
# Bytes a second to each broker: far less than comes in then, and than a full request.
QUOTA = 5000
QUOTA_RATE = 200.0
# Brokers let ten seconds of it through at first; then it is counted for so long.
QUOTA_BEGINS_S = 10.0
QUOTA_S = 30.0
# A tenth of what the quota lets through of events, which have some 600 bytes.
QUOTA_RECORDS_MIN = 75
THROTTLED = "brokers throttle publishing"


@contextmanager
def _rate(stage: Stage, rate: float) -> Iterator[None]:
    before, stage.load.rate = stage.load.rate, rate
    try:
        yield
    finally:
        stage.load.rate = before


async def backlog(stage: Stage, rng: Random) -> bool:
    """One replica gets all partitions, one of them with a backlog; records come into all."""
    # A broker or a connection that is away holds up some partitions and not others.
    async with stage.brokers_taken, stage.network_taken, stage.all_replicas() as replicas:
        busy, (one, *others) = rng.randrange(stage.partitions), replicas
        load, outputs, topic = stage.load, stage.outputs, stage.output
        with _rate(stage, 0.0):
            # What waits in the others' own partitions would come first there, and lawfully.
            await until(
                partial(_committed, stage, await stage.cluster.ends(stage.input)),
                "all input is committed",
                DRAIN_SECONDS,
            )
            await asyncio.gather(*map(stage.replicas.scale_down, replicas))
            await asyncio.to_thread(load.burst, busy, BACKLOG)
            end = (await stage.cluster.ends(stage.input))[busy]
            one.start()
            await one.wait_ready()
        with _rate(stage, LIVE_RATE):
            put_in: dict[str, int] = {}
            load.times = put_in
            seen = await happens(partial(_committed, stage, {busy: end}), EFFECT_SECONDS)
            load.times = None
            ends = await stage.cluster.ends(stage.input)
            await until(partial(_committed, stage, ends), "the others came too", EFFECT_SECONDS)
            await until(await outputs.until_now(topic), "they were read", EFFECT_SECONDS)
        most, findings = starved(outputs.timed(topic), busy, put_in, OVERTAKEN_MAX)
        stage.notes.append(f"of a backlog of {BACKLOG}, {most} came before a later record")
        stage.findings.merge(findings)
        for replica in others:
            replica.start()
        return seen and len(put_in) >= LIVE_MIN


async def _committed(stage: Stage, ends: Mapping[int, int]) -> bool:
    offsets = await stage.cluster.groups.committed(stage.group, stage.input)
    return all(offsets.get(number, 0) >= end for number, end in ends.items())


async def throttle(stage: Stage, rng: Random) -> bool:  # noqa: ARG001 - nothing to choose
    """The brokers hold back what the service sends them: less than comes in may go out."""
    async with stage.brokers_taken, stage.network_taken, stage.all_replicas() as replicas:
        said = sum(replica.logged(THROTTLED) for replica in replicas)
        with _rate(stage, QUOTA_RATE):
            async with quota(stage.cluster.bootstrap_servers, "producer_byte_rate", QUOTA):
                await asyncio.sleep(QUOTA_BEGINS_S)
                put_in, out = stage.load.sent, stage.outputs.count
                await asyncio.sleep(QUOTA_S)
                came, given = stage.outputs.count - out, stage.load.sent - put_in
        stage.notes.append(f"under a quota {came} of {given} records came out")
        if came < QUOTA_RECORDS_MIN:
            stage.findings.add("stuck", f"{came} records came out in {QUOTA_S:.0f} s of a quota")
        return came < given / 2 and sum(replica.logged(THROTTLED) for replica in replicas) > said


LOAD_FAULTS = [
    Fault(
        "backlog on one partition, one replica",
        f"it was worked off, and {LIVE_MIN} other records or more were put in meanwhile",
        backlog,
    ),
    Fault(
        "produce quota",
        "less than half came out of what was put in meanwhile, and the log said why",
        throttle,
    ),
]
