"""One seed from its first record to the verdict, and many of them side by side."""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import random
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING
from unittest.mock import patch

import structlog

from service.errors import RetriableError
from service.observe.metrics import Metrics
from simulation.clients.consumer import Consumer
from simulation.clients.producer import Producer
from simulation.faults import KINDS, OFTEN
from simulation.loop import VirtualLoop
from simulation.model import LIST, SKIPPED, TOMBSTONE
from simulation.network import network_of
from simulation.upstream import leave_tail, read_before
from simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from service.records import Partition

RECORDS = (200, 260)
FAULTS = (6, 12)
ARRIVING_S = 8.0
LATER_S = 0.2
HITS_MIN = 5
# After the last fault: more than a hanging model, a session and the longest backoff together.
RESUME_S = 120.0
SEEDS_AT_A_TIME = 25
LATEST_SHARE = 0.3
# In proportion to the session, which is a fifth of the default's.
TAIL_S = 1.0
REVOKE_WAIT_S = 0.5
KINDS_OF_RECORD = (b"good", b"bad", TOMBSTONE, SKIPPED, b"poison", b"big", LIST)
SHARES = (78, 4, 2, 4, 2, 2, 8)


@dataclass
class Outcome:
    """What one seed came to."""

    seed: int
    violations: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    records: int = 0
    virtual_s: float = 0.0
    trace: int = 0


async def _check_access(options: Mapping[str, Any]) -> None:
    if network_of(options).brokers.away:
        raise RetriableError("the brokers are away")


async def _no_origins(*_: object) -> dict[Partition, int]:
    return {}


@contextmanager
def simulated_kafka() -> Iterator[None]:
    """Put the simulated clients where aiokafka's stand, and keep the service's logs quiet."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        with (
            patch("service.kafka.fetching.AIOKafkaConsumer", Consumer),
            patch("service.kafka.producer.AIOKafkaProducer", Producer),
            patch("service.kafka.client.connection.check_access", _check_access),
            patch("service.kafka.history.last_origins", _no_origins),
        ):
            yield
    finally:
        structlog.configure(**before)


@cache
def _metrics() -> Metrics:
    return Metrics()


def run_seed(seed: int, tell: Callable[[str], None] | None = None) -> Outcome:
    """Run one seed; the same one gives the same outcome, to the last request.

    `tell` gets a line for each step of each process.
    """
    # What backs off asks the global generator.
    random.seed(seed)
    loop = VirtualLoop()
    # A run is short and leaves one great circle: collected at its end, it costs a quarter less.
    gc.disable()
    try:
        with (
            simulated_kafka(),
            patch("service.kafka.fetching.TAIL_S", TAIL_S),
            patch("service.kafka.session.REVOKE_WAIT_S", REVOKE_WAIT_S),
        ):
            outcome: Outcome = loop.run(_run(seed, tell))
    finally:
        gc.enable()
    outcome.virtual_s = loop.time()
    return outcome


async def _run(seed: int, tell: Callable[[str], None] | None) -> Outcome:
    world = World(seed, "at_least_once" if seed % 4 == 3 else "exactly_once", _metrics(), tell)
    rng = world.rng
    records = rng.randint(*RECORDS)
    if rng.random() < LATEST_SHARE:
        world.reset = "latest"
        read_before(world)
    for _ in range(rng.randint(1, 3)):
        world.add_replica()
    harming = asyncio.create_task(_harm(world))
    await _arrive(world, records, harming)
    await harming
    await leave_tail(world)
    if not world.wanted():
        world.add_replica()
    try:
        async with asyncio.timeout(RESUME_S):
            while not world.settled():  # noqa: ASYNC110 - virtual time, and no single event
                await asyncio.sleep(0.25)
    except TimeoutError:
        world.violation(f"not all is committed {RESUME_S:.0f} s after the last fault")
    # What zombies try is over by then.
    await asyncio.sleep(5)
    world.judge()
    world.over = True
    world.network.closed = True
    world.faults["transaction timed out"] += world.brokers.timed_out_transactions
    return Outcome(
        seed, world.violations, +world.faults, world.put_in, virtual_s=0, trace=world.trace
    )


async def _arrive(world: World, count: int, harming: asyncio.Task[None]) -> None:
    """Put in so many records, and then some more as long as there are faults for them to meet."""
    for _ in range(count):
        world.put(world.rng.choices(KINDS_OF_RECORD, SHARES)[0])
        if world.rng.random() < 0.3:
            await asyncio.sleep(world.rng.expovariate(0.3 * count / ARRIVING_S))
    while not harming.done():
        world.put(b"good")
        await asyncio.sleep(LATER_S)


async def _harm(world: World) -> None:
    count = world.rng.randint(*FAULTS)
    running: list[asyncio.Task[None]] = []
    for _ in range(count):
        await asyncio.sleep(world.rng.expovariate(count / ARRIVING_S))
        kinds = OFTEN if world.rng.random() < 0.6 else KINDS
        running.append(asyncio.create_task(world.rng.choice(kinds)(world)))
    await asyncio.gather(*running)
    # Some hit nothing: a step that nobody takes, a process that is not there.
    while sum(world.faults.values()) < HITS_MIN:
        await world.rng.choice(OFTEN)(world)
    world.armed.clear()


def run_seeds(seeds: Iterable[int], processes: int = 0) -> Iterator[Outcome]:
    """Run many seeds on all cores, or on so many; outcomes come in the order of the seeds."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes or None, mp_context=context) as pool:
        yield from pool.map(run_seed, seeds, chunksize=SEEDS_AT_A_TIME)
