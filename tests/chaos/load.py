"""Puts records in: paced, in order, and remembering where the brokers say they are.

Talks to the brokers directly, so that the network's faults are the service's alone. Which records
is decided in `messages`.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaException, Producer

from chaos.oracle import Place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from chaos.cluster import Cluster
    from chaos.messages import Author

PRODUCERS = ("p0", "p1")
TICK_SECONDS = 0.05
# Records put in that have no outcome yet: enough to keep three replicas busy through a fault, and
# worked off in half a minute.
BACKLOG_MAX = 20_000
# An offset that the brokers did not tell.
UNKNOWN = -1
# No fault lasts as long as the client tries.
FLUSH_SECONDS = 300


class Load:
    """Two producers on one thread, until they are told to stop."""

    def __init__(
        self, cluster: Cluster, topic: str, partitions: int, authors: Sequence[Author], rate: float
    ) -> None:
        """Send nothing yet; `rate` is records a second."""
        self.topic = topic
        self.partitions = partitions
        self.acknowledged: dict[str, Place] = {}
        self.errors: list[str] = []
        self.sent = 0
        # While it is asked for: when each record was acknowledged, in ms since 1970, by id.
        self.times: dict[str, int] | None = None
        self.rate = rate
        # The producers are asked to keep their order through all retries.
        self._options = cluster.quiet | {"enable.idempotence": True, "acks": "all", "linger.ms": 20}
        self._options |= {"topic.metadata.refresh.interval.ms": 2000, "message.max.bytes": 10**6}
        self._authors = [(author, Producer(self._options)) for author in authors]
        self._stop = threading.Event()
        # Taken by the thread for as long as it sends, and by who wants it to send nothing.
        self._sending = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self, outcomes: Callable[[], int]) -> None:
        """Begin; `outcomes` says how many came out already."""
        self._thread = threading.Thread(target=self._run, args=(outcomes,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send no more, and wait until all is acknowledged; blocks.

        Raises:
            AssertionError: a record was refused, or not taken in FLUSH_SECONDS.
        """
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._flush()

    @asynccontextmanager
    async def held(self, *, renew: bool = False) -> AsyncIterator[None]:
        """Send nothing meanwhile, with all before that acknowledged.

        `renew` is for a topic that is made anew meanwhile: its new log knows no producer.

        Raises:
            AssertionError: as for `stop`.
        """
        await asyncio.to_thread(self._sending.acquire)
        try:
            await asyncio.to_thread(self._flush)
            yield
            if renew:
                self._authors = [(author, Producer(self._options)) for author, _ in self._authors]
        finally:
            self._sending.release()

    def burst(self, partition: int, count: int) -> None:
        """Put records into one partition, as fast as they are taken; blocks.

        Raises:
            AssertionError: as for `stop`.
        """
        with self._sending:
            for turn in range(count):
                author, producer = self._authors[turn % len(self._authors)]
                if not self._send(author, producer, partition):
                    break
            self._flush()

    def _flush(self) -> None:
        for _, producer in self._authors:
            assert producer.flush(FLUSH_SECONDS) == 0, "the load was not taken"
        assert not self.errors, self.errors[:3]

    def abandon(self) -> None:
        """Send no more, and wait for nothing."""
        self._stop.set()
        for _, producer in self._authors:
            producer.purge()

    def _run(self, outcomes: Callable[[], int]) -> None:
        due = 0.0
        before = time.monotonic()
        while not self._stop.is_set():
            time.sleep(TICK_SECONDS)
            now = time.monotonic()
            # A pause of this thread is not made up for at once.
            due = min(due + (now - before) * self.rate, self.rate)
            before = now
            with self._sending:
                while due >= 1 and self.sent - outcomes() < BACKLOG_MAX:
                    author, producer = self._authors[self.sent % len(self._authors)]
                    if not self._send(author, producer):
                        break
                    due -= 1
                for _, producer in self._authors:
                    producer.poll(0)

    def _send(self, author: Author, producer: Producer, partition: int | None = None) -> bool:
        identity, message = author.next(self.partitions)
        if partition is not None:
            message = message._replace(partition=partition)

        def told(error: Any, stored: Any) -> None:
            if error is not None:
                self.errors.append(f"{identity}: {error}")
            else:
                # Of a repeated batch, a broker that was started anew after taking it may say only
                # that it has it already.
                offset = stored.offset()
                place = Place(stored.partition(), UNKNOWN if offset is None else offset)
                self.acknowledged[identity] = place
                if self.times is not None:
                    self.times[identity] = int(time.time() * 1000)

        while True:
            try:
                producer.produce(
                    self.topic,
                    key=message.key,
                    value=message.value,
                    headers=list(message.headers),
                    partition=-1 if message.partition is None else message.partition,
                    on_delivery=told,
                )
            except (BufferError, KafkaException):
                # Full while brokers are away, or a new partition is not known yet: the same record
                # again, or its sequence had a gap.
                producer.poll(0.5)
                if self._stop.is_set():
                    return False
            else:
                self.sent += 1
                return True
