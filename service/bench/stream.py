"""Topics, a producer and a `read_committed` reader, to measure a whole service on a real broker.

Exists so that the figures are those of a consumer, with a client that is not the service's own.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from typing import TYPE_CHECKING, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from service.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTITIONS = 4
CREATE_SECONDS = 30
POLL_SECONDS = 0.1
READ_BATCH = 500
# Spread over the partitions like the ids of users.
KEYS = 97


class Topics(NamedTuple):
    """The topics of one measurement, and its group."""

    source: str
    target: str
    letters: str
    group: str


def make_topics(brokers: str, partitions: int = PARTITIONS) -> Topics:
    """Create fresh topics with `partitions` each.

    Raises:
        BrokerError: the brokers do not answer or refuse.
    """
    run = uuid.uuid4().hex[:8]
    names = [f"bench-{run}-{name}" for name in ("in", "out", "dead")]
    topics = Topics(names[0], names[1], names[2], f"bench-{run}")
    admin = AdminClient({"bootstrap.servers": brokers, "log_level": 0})
    try:
        made = admin.create_topics([NewTopic(name, partitions) for name in names])
        for future in made.values():
            future.result(CREATE_SECONDS)
    except (KafkaException, TimeoutError) as error:
        raise BrokerError(
            f"the topics cannot be made at {brokers} ({error}); give --bootstrap-servers of a "
            "cluster where you may create topics"
        ) from None
    return topics


class Reader:
    """Reads a topic on a thread of its own, and notes when each event arrived."""

    def __init__(self, brokers: str, topic: str, partitions: int = PARTITIONS) -> None:
        """Start to read all `partitions` of the topic from their beginning."""
        self.seen: dict[str, float] = {}
        self.times: list[float] = []
        self._consumer = Consumer(
            {
                "bootstrap.servers": brokers,
                "group.id": "bench-reader",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 50,
                "log_level": 0,
            }
        )
        starts = [TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(partitions)]
        self._consumer.assign(starts)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            messages = self._consumer.consume(1, POLL_SECONDS)
            messages += self._consumer.consume(READ_BATCH, 0) if messages else []
            now = time.time()
            for message in messages:
                if message.error() is None:
                    self.times.append(now)
                    content = json.loads(message.value() or b"{}")
                    self.seen[content.get("source_id") or content["id"]] = now

    def wait(self, count: int, seconds: float) -> bool:
        """Wait for `count` events; returns whether they came within `seconds`."""
        deadline = time.monotonic() + seconds
        while len(self.times) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return len(self.times) >= count

    def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        self._thread.join()
        self._consumer.close()


def play(
    brokers: str,
    topic: str,
    texts: Sequence[str],
    rate: float = 0.0,
    first: int = 0,
    keys: int = KEYS,
) -> dict[str, float]:
    """Produce texts, at once or at a steady rate; returns the time of each by its id.

    They are partitioned like by Java's clients and the service. An event then has the partition of
    its message, so that a transaction involves only one output partition.
    """
    producer = Producer({"bootstrap.servers": brokers, "linger.ms": 0 if rate else 20,
                         "partitioner": "murmur2_random",
                         "queue.buffering.max.messages": 10**6, "log_level": 0})  # fmt: skip
    produced: dict[str, float] = {}
    started = time.monotonic()
    for number, text in enumerate(texts, first):
        if rate:
            # The client sends on a thread of its own. Its `poll` waits for whole milliseconds;
            # for a shorter wait it would spin, on the processor that is being measured.
            time.sleep(max(0.0, started + (number - first) / rate - time.monotonic()))
        identity = str(number)
        value = json.dumps({"id": identity, "text": text}).encode()
        produced[identity] = time.time()
        producer.produce(topic, value, key=str(number % keys).encode())
        producer.poll(0)
    producer.flush()
    return produced
