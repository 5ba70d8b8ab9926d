"""What a phase plays on: topics, proxies, replicas, load and a reader beside them.

Built anew for each phase on the one cluster, so that no phase can hide what another left behind.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from chaos.accounts import Claim, Ledger
from chaos.breaking.proxy import Proxy
from chaos.cluster import happens, until
from chaos.load import PRODUCERS, Load
from chaos.messages import (
    EVENT_BYTES_MAX,
    LETTER_BYTES_MAX,
    OVERSIZED_ONES,
    TEXT_BYTES_MAX,
    Author,
)
from chaos.oracle import Findings
from chaos.outputs import Outputs
from chaos.replicas import HERE, READY_SECONDS, Replicas

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from chaos.cluster import Cluster
    from chaos.replicas import Replica

Mode = Literal["exactly_once", "at_least_once"]

INPUTS, OUTPUTS, LETTERS = 6, 3, 2
# The least that brokers allow by default. The others follow, all short, so that each bound is met.
SESSION_S = 6.0
REBALANCE_S = 6.0
MAX_POLL_S = 7.0
STALL_S = 12
# What is left when the load ends, by replicas that may have just been harmed.
FINISH_S = 300.0
# More than one publish; and what the longest of the clients' timeouts, 40 s, may cost three times.
CALM_RECORDS = 2000
CALM_SECONDS = 150
# How the service's line about records that were deleted unread begins.
EXPIRED = "records expired before they were read"


@dataclass(frozen=True)
class Part:
    """How a phase is played."""

    name: str
    mode: Mode
    rate: float
    engine: str = ""
    sabotage: str = ""
    replicas: str = "abc"
    oversized: int = OVERSIZED_ONES
    finish_s: float = FINISH_S
    # Where the replicas are of at first.
    tree: Path = HERE


class Stage:
    """One phase's topics, and all that runs on them."""

    def __init__(self, part: Part, cluster: Cluster, folder: Path, rng: random.Random) -> None:
        """Start nothing yet."""
        self.part = part
        self.cluster = cluster
        self.folder = folder / part.name
        self.folder.mkdir()
        self.rng = rng
        self.input, self.output, self.letters = (
            f"{part.name}-{topic}" for topic in ("in", "out", "dead")
        )
        self.group = f"{part.name}-group"
        # Of the brokers' faults one at a time: two at once only stop everything.
        self.brokers_taken = asyncio.Lock()
        self.network_taken = asyncio.Lock()
        # Held by who takes more than one replica, so that two do not wait for each other.
        self.several_taken = asyncio.Lock()
        self.partitions = INPUTS
        self.proxies = {
            number: Proxy(port, cluster.brokers[number].addresses["PROXIED"])
            for number, port in cluster.proxy_ports.items()
        }
        self.replicas = Replicas(
            self.folder, self._settings(), part.replicas, part.engine, part.sabotage, part.tree
        )
        authors = [Author(name, random.Random(rng.random()), part.oversized) for name in PRODUCERS]
        self.load = Load(cluster, self.input, INPUTS, authors, part.rate)
        self.outputs = Outputs(cluster, {self.output: OUTPUTS, self.letters: LETTERS})
        # How often the input topic was made anew, how many inputs were deleted unread, who may be
        # without an outcome for that, and what is wrong that only a fault can see.
        self.era = 0
        self.written_off = 0
        self.ledger = Ledger()
        self.findings = Findings()
        # What was measured, for who watches the run.
        self.notes: list[str] = []

    def _settings(self) -> dict[str, str]:
        return {
            "KAFKA__BOOTSTRAP_SERVERS": self.cluster.proxied,
            "KAFKA__INPUT_TOPIC": self.input,
            "KAFKA__OUTPUT_TOPIC": self.output,
            "KAFKA__DEAD_LETTER_TOPIC": self.letters,
            "KAFKA__GROUP_ID": self.group,
            "KAFKA__SESSION_TIMEOUT_MS": f"{SESSION_S * 1000:.0f}",
            "KAFKA__REBALANCE_TIMEOUT_MS": f"{REBALANCE_S * 1000:.0f}",
            "KAFKA__MAX_POLL_INTERVAL_MS": f"{MAX_POLL_S * 1000:.0f}",
            "MODEL__TEXT_BYTES_MAX": str(TEXT_BYTES_MAX),
            # Three processes share the machine.
            "MODEL__THREADS": "1",
            # The few texts come again and again; each shall be computed.
            "MODEL__REPEATS_MAX": "0",
            "DELIVERY__MODE": self.part.mode,
            "DELIVERY__STALL_TIMEOUT_S": str(STALL_S),
        }

    async def start(self) -> None:
        """Create the topics, and start proxies, replicas, reader, and at last the load."""
        cluster = self.cluster
        await cluster.create_topic(self.input, INPUTS)
        for topic in (self.output, self.letters):
            await self.create_output(topic)
        for proxy in self.proxies.values():
            await proxy.start()
        self.outputs.start()
        await self.replicas.start()
        self.load.start(self.outcomes)

    async def create_output(self, topic: str) -> None:
        """Create the topic of events or that of dead letters."""
        event = topic == self.output
        limit = EVENT_BYTES_MAX if event else LETTER_BYTES_MAX
        config = {"max.message.bytes": str(limit)}
        await self.cluster.create_topic(topic, OUTPUTS if event else LETTERS, **config)

    def outcomes(self) -> int:
        """How many inputs have an outcome, or were deleted and may have none."""
        return self.outputs.count + self.written_off

    async def close(self) -> None:
        """End all processes and connections; the folder and the topics stay."""
        self.load.abandon()
        self.outputs.abandon()
        await asyncio.to_thread(self.replicas.kill)
        for proxy in self.proxies.values():
            await proxy.stop()

    @asynccontextmanager
    async def a_replica(
        self, rng: random.Random, which: Callable[[Replica], bool] = lambda _: True
    ) -> AsyncIterator[Replica]:
        """Take a replica that is ready and that no other fault is at work on."""

        def free() -> list[Replica]:
            replicas = self.replicas.all
            return [r for r in replicas if r.wanted and not r.taken.locked() and which(r)]

        async def has_free() -> bool:
            return bool(free())

        await until(has_free, "a replica is free", 2 * READY_SECONDS)
        # No await up to the lock, or another fault could be quicker.
        replica = rng.choice(free())
        await replica.taken.acquire()
        try:
            await replica.wait_ready()
            yield replica
            await replica.wait_ready()
        finally:
            replica.orders.withdraw()
            replica.taken.release()

    @asynccontextmanager
    async def all_replicas(self) -> AsyncIterator[list[Replica]]:
        """Take all replicas, ready."""
        async with self.several_taken, AsyncExitStack() as stack:
            for replica in self.replicas.all:
                await stack.enter_async_context(replica.taken)
            await self.replicas.wait_ready()
            yield self.replicas.all
            await self.replicas.wait_ready()

    async def calm(self) -> None:
        """Wait until the last fault is mended: all replicas ready, and records come out.

        Raises:
            TimeoutError: it is not mended in CALM_SECONDS.
        """
        await self.replicas.wait_ready()
        if not await self.progress(CALM_RECORDS, CALM_SECONDS):
            raise TimeoutError(f"no {CALM_RECORDS} records came out within {CALM_SECONDS} s")

    def claims(self) -> list[Claim]:
        """What the replicas' logs say of records that expired unread, each line once."""
        lines = [line for replica in self.replicas.all for line in replica.lines(EXPIRED)]
        return [
            Claim(
                int(line["partition"].rpartition("/")[2]),
                line["committed_offset"],
                line["first_offset"],
                line["lost"],
            )
            for line in lines
        ]

    async def members(self) -> int:
        """How many members share the input's partitions; 0 while that is being settled."""
        members = await self.cluster.groups.members(self.group)
        return len(members) if sum(members) >= self.partitions else 0

    async def progress(self, records: int, seconds: float) -> bool:
        """Whether so many more records come out within some time."""
        target = self.outputs.count + records

        async def reached() -> bool:
            return self.outputs.count >= target

        return await happens(reached, seconds)
