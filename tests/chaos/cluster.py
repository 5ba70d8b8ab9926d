"""Three Apache Kafka brokers as one cluster, and who in it has which role.

Each broker has a second listener whose advertised address is a proxy's: the service is told the
proxies, harness and readers talk to the brokers. Faults and judgement do not belong here.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaException
from confluent_kafka import TopicPartition as Position
from confluent_kafka.admin import AdminClient, OffsetSpec
from confluent_kafka.cimpl import NewPartitions, NewTopic

from chaos.groups import Groups
from tools.kafka.jar_broker import HOST, JarBroker, free_ports, new_cluster_id
from tools.kafka.jars import fetch_jars

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from pathlib import Path

NUMBERS = (1, 2, 3)
PROXIED = "PROXIED"
# Longer than any election or restart on a busy machine.
WAIT_SECONDS = 120
# A request that a harmed broker does not answer is sent again, to another one.
REQUEST_SECONDS = 5
REPLICATION = {"replication.factor": "3", "min.isr": "2"}
PROPERTIES = {
    "min.insync.replicas": "2",
    **{f"offsets.topic.{name}": value for name, value in REPLICATION.items() if name != "min.isr"},
    **{f"transaction.state.log.{name}": value for name, value in REPLICATION.items()},
    **{f"share.coordinator.state.topic.{name}": value for name, value in REPLICATION.items()},
    # A copy that stands still leaves the in-sync set after this, 30 s as it comes: until then a
    # record sent with acks=all waits for it.
    "replica.lag.time.max.ms": "5000",
}


class Cluster:
    """The three brokers; numbers name them."""

    def __init__(self, folder: Path) -> None:
        """Format their storage below an existing folder; starts nothing.

        Raises:
            BrokerUnavailableError: the jars cannot be had, or Java cannot run them.
        """
        libraries, cluster = fetch_jars(), new_cluster_id()
        self._folder = folder
        ports = free_ports(4 * len(NUMBERS))
        self.proxy_ports = dict(zip(NUMBERS, ports[-len(NUMBERS) :], strict=True))
        own = {n: ports[3 * place :][:3] for place, n in enumerate(NUMBERS)}
        voters = ",".join(f"{n}@{HOST}:{own[n][1]}" for n in NUMBERS)

        def broker(number: int) -> JarBroker:
            home = folder / f"broker-{number}"
            home.mkdir()
            proxy = f"{PROXIED}://{HOST}:{self.proxy_ports[number]}"
            properties = PROPERTIES | {
                "node.id": str(number),
                "controller.quorum.voters": voters,
                "advertised.listeners": f"PLAINTEXT://{HOST}:{own[number][0]},{proxy}",
            }
            listeners = {PROXIED: "PLAINTEXT"}
            return JarBroker(libraries, home, listeners, properties, own[number], cluster)

        with ThreadPoolExecutor() as pool:
            self.brokers = dict(zip(NUMBERS, pool.map(broker, NUMBERS), strict=True))
        self.bootstrap_servers = ",".join(b.bootstrap_servers for b in self.brokers.values())
        self.proxied = ",".join(f"{HOST}:{port}" for port in self.proxy_ports.values())
        # Its log would fill the terminal with refused connections.
        self.quiet: dict[str, Any] = {"bootstrap.servers": self.bootstrap_servers, "log_level": 0}
        self._admin = AdminClient(self.quiet)
        self.groups = Groups(self.bootstrap_servers)

    def start(self) -> None:
        """Start all that do not run, side by side: none is up before most of them are.

        Raises:
            BrokerUnavailableError: one does not come up.
        """
        down = [broker for broker in self.brokers.values() if broker.process is None]
        with ThreadPoolExecutor() as pool:
            for _ in pool.map(JarBroker.start, down):
                pass

    def kill(self) -> None:
        """End all without warning."""
        for broker in self.brokers.values():
            broker.kill()

    async def _ask(
        self,
        question: Callable[[AdminClient], Any],
        done: Callable[[AdminClient], bool] | None = None,
    ) -> Any:
        """Ask until it is answered; where a thing may be done but once, `done` says that it is.

        Each failure is followed by another client: one that has met a paused broker may stick to
        it when that has long been replaced.

        Raises:
            KafkaException, TimeoutError: the last one, after WAIT_SECONDS.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                return await asyncio.to_thread(question, self._admin)
            # The client's futures end with either.
            except (KafkaException, TimeoutError):
                if time.monotonic() > deadline:
                    raise
            self._admin = AdminClient(self.quiet)
            if done is not None:
                with contextlib.suppress(KafkaException):
                    if await asyncio.to_thread(done, self._admin):
                        return None
            await asyncio.sleep(0.2)

    async def metadata(self, topic: str | None = None) -> Any:
        """What the cluster says of itself, as soon as a broker answers."""
        return await self._ask(lambda admin: admin.list_topics(topic, timeout=REQUEST_SECONDS))

    async def create_topic(self, name: str, partitions: int, **config: str) -> None:
        """Create a topic with three copies and wait until it is known."""
        new = NewTopic(name, partitions, 3, config=config)
        future = self._admin.create_topics([new])[name]
        await asyncio.to_thread(future.result, WAIT_SECONDS)
        await until(lambda: self._has_partitions(name, partitions), f"topic {name}")

    async def add_partitions(self, topic: str, total: int) -> None:
        """Raise a topic's number of partitions and wait until it is known."""

        def add(admin: AdminClient) -> None:
            admin.create_partitions([NewPartitions(topic, total)])[topic].result(REQUEST_SECONDS)

        def added(admin: AdminClient) -> bool:
            known = admin.list_topics(topic, timeout=REQUEST_SECONDS).topics[topic]
            return len(known.partitions) == total

        await self._ask(add, added)
        await until(lambda: self._has_partitions(topic, total), f"{topic} has {total} partitions")

    async def delete_topic(self, name: str) -> None:
        """Delete a topic and wait until no broker has a log of it, which could take records.

        All brokers must run: one that is down deletes its logs when it is back.
        """

        def delete(admin: AdminClient) -> None:
            admin.delete_topics([name])[name].result(REQUEST_SECONDS)

        def deleted(admin: AdminClient) -> bool:
            return name not in admin.list_topics(timeout=REQUEST_SECONDS).topics

        async def gone() -> bool:
            # A log that is being deleted has a longer name.
            return not any(
                entry.name.removeprefix(f"{name}-").isdecimal()
                for entry in self._folder.glob(f"broker-*/data/{name}-*")
            )

        await self._ask(delete, deleted)
        await until(gone, f"no log of {name} is left")

    async def delete_records(self, topic: str, firsts: Mapping[int, int]) -> None:
        """Delete the beginnings of partitions, as retention does, up to these offsets."""
        wanted = [Position(topic, number, first) for number, first in firsts.items()]

        def delete(admin: AdminClient) -> None:
            for future in admin.delete_records(wanted).values():
                future.result(REQUEST_SECONDS)

        await self._ask(delete)

    async def reset_offsets(self, group: str, topic: str, partitions: int) -> None:
        """Let a group without members begin at the beginnings of a topic that is new."""
        starts = [Position(topic, number, 0) for number in range(partitions)]
        wanted = [ConsumerGroupTopicPartitions(group, starts)]

        def reset(admin: AdminClient) -> None:
            admin.alter_consumer_group_offsets(wanted)[group].result(REQUEST_SECONDS)

        await self._ask(reset)

    async def _has_partitions(self, topic: str, count: int) -> bool:
        partitions = (await self.metadata(topic)).topics[topic].partitions
        return len(partitions) == count and all(p.leader > 0 for p in partitions.values())

    async def leader(self, topic: str, partition: int) -> int:
        """Number of the broker that leads a partition; -1 while none does."""
        found = (await self.metadata(topic)).topics[topic].partitions
        return int(found[partition].leader)

    async def ends(self, topic: str, *, committed: bool = False) -> dict[int, int]:
        """The offset behind the last record of each partition; or before the first open one."""
        level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
        numbers = (await self.metadata(topic)).topics[topic].partitions
        latest: Any = OffsetSpec
        asked = {Position(topic, number): latest.latest() for number in numbers}

        def ask(admin: AdminClient) -> dict[int, int]:
            answers = admin.list_offsets(
                asked, isolation_level=level, request_timeout=REQUEST_SECONDS
            )
            return {p.partition: f.result(REQUEST_SECONDS).offset for p, f in answers.items()}

        found: dict[int, int] = await self._ask(ask)
        return found

    async def whole(self) -> bool:
        """Whether all brokers are in and all copies of all partitions are in sync."""
        metadata = await self.metadata()
        return len(metadata.brokers) == len(NUMBERS) and all(
            partition.leader > 0 and len(partition.isrs) == len(partition.replicas)
            for topic in metadata.topics.values()
            for partition in topic.partitions.values()
        )

    async def wait_whole(self) -> None:
        """Wait for `whole`, since a fault on top of the last one would only stop everything."""
        await until(self.whole, "all brokers are in sync again")


async def until(
    condition: Callable[[], Awaitable[object]], what: str, seconds: float = WAIT_SECONDS
) -> None:
    """Wait until a coroutine function gives true.

    Raises:
        TimeoutError: it did not; says what was waited for.
    """
    deadline = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        await asyncio.sleep(0.2)


async def happens(condition: Callable[[], Awaitable[object]], seconds: float) -> bool:
    """Whether a condition comes true in time."""
    try:
        await until(condition, "", seconds)
    except TimeoutError:
        return False
    return True


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Give three running brokers, gone at the end; their data stays in the folder.

    Raises:
        BrokerUnavailableError: they cannot be had here.
    """
    cluster = Cluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.kill()
