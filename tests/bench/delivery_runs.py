"""Runs of one service for `delivery.py`: its throughput, latency, requests, and its start.

Each run has topics of its own, which are deleted behind it. Nothing may enter that compares runs.
"""

from __future__ import annotations

import contextlib
import os
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass
from itertools import cycle, islice
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from service.bench.stream import KEYS, Reader, Topics, make_topics, play
from service.bench.whole import (
    READY_SECONDS,
    STILL_SECONDS,
    WARM_UP,
    Child,
    free_port,
    running,
    service_arguments,
    steady_rate,
)
from service.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tools.kafka.counting import CountingProxy, Kind

# So many for each partition, that hardly one is without.
KEYS_EACH = 16
# Under the load before it is measured: the cost model is cold, and the broker, whose compiler is
# and which makes the logs of 64 new partitions, holds messages up for five seconds.
WARM_S = 10.0
# A reader has an event before the service has the answer that ends its publish.
ANSWERED_S = 0.5
PROBE_EVERY_S = 0.02
STOP_SECONDS = 60
DELETE_SECONDS = 60
PUBLISHES = 'sentiment_stage_seconds_count{stage="publish"}'


class Variant(NamedTuple):
    """What is run: a checkout of the code, how it delivers, and with which engine or model."""

    name: str
    tree: Path
    mode: str = "exactly_once"
    null: bool = False
    model: Mapping[str, str] = MappingProxyType({})


class Throughput(NamedTuple):
    """Of a service under full load."""

    messages_per_s: float
    peak_mb: float
    descriptors: int


class Latency(NamedTuple):
    """From a record's timestamp until a `read_committed` reader has its event."""

    p50_ms: float
    p99_ms: float


class Counts(NamedTuple):
    """What was published under a load, and the requests meanwhile, those of reading included."""

    publishes: int
    messages: int
    requests: Counter[Kind]


class Start(NamedTuple):
    """Seconds until /readyz says yes: in a new group, and in one that has offsets."""

    ready_in_new_group_s: float
    ready_again_s: float


@contextlib.contextmanager
def fresh_topics(brokers: str, partitions: int) -> Iterator[Topics]:
    """Topics, gone at the end: thousands of idle partitions would be work for the broker."""
    topics = make_topics(brokers, partitions)
    try:
        _wait_for_logs(brokers, topics, partitions)
        yield topics
    finally:
        admin = AdminClient({"bootstrap.servers": brokers, "log_level": 0})
        names = [topics.source, topics.target, topics.letters]
        for future in admin.delete_topics(names).values():
            future.result(DELETE_SECONDS)


@dataclass
class Running:
    """A service that is ready, its load, and the reader of its events."""

    brokers: str
    topics: Topics
    partitions: int
    child: Child
    reader: Reader
    sent: int = 0

    def put(self, texts: Sequence[str], rate: float = 0.0) -> dict[str, float]:
        """Play texts, and wait for all of their events; when each was produced, by its id.

        Raises:
            ModelError: not all events came.
        """
        keys = max(KEYS, KEYS_EACH * self.partitions)
        produced = play(self.brokers, self.topics.source, texts, rate, self.sent, keys)
        self.sent += len(texts)
        if not self.reader.wait(self.sent, STILL_SECONDS):
            tail = self.child.log.read_text()[-500:].strip()
            raise ModelError(f"{len(self.reader.times)} of {self.sent} events came: {tail}")
        return produced

    def descriptors(self) -> int:
        """How many file descriptors the service has open."""
        return len(os.listdir(f"/proc/{self.child.process.pid}/fd"))  # noqa: PTH208 - no disk

    def publishes(self) -> int:
        """How many publishes have succeeded so far, each of one or more transactions."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.child.port}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        return sum(int(float(x.rpartition(" ")[2])) for x in lines if x.startswith(PUBLISHES))


@contextlib.contextmanager
def ready_service(
    brokers: str, variant: Variant, partitions: int, texts: Sequence[str], through: str = ""
) -> Iterator[Running]:
    """A service that has published its first events; it may meet the brokers `through` a proxy."""
    port, more = free_port(), {"delivery": {"mode": variant.mode}, "model": variant.model}
    with fresh_topics(brokers, partitions) as topics:
        arguments = service_arguments(through or brokers, topics, port, more, null=variant.null)
        with (
            running(arguments, port, variant.tree) as child,
            contextlib.closing(Reader(brokers, topics.target, partitions)) as reader,
        ):
            child.wait_ready()
            service = Running(brokers, topics, partitions, child, reader)
            service.put(texts[:WARM_UP])
            yield service


def throughput(brokers: str, variant: Variant, partitions: int, texts: Sequence[str]) -> Throughput:
    """Of a service with all texts before it; the cache of repeated texts is off."""
    with ready_service(brokers, variant, partitions, texts) as service:
        service.put(texts)
        rate = steady_rate(service.reader.times[WARM_UP:])
        return Throughput(rate, service.child.peak_mb(), service.descriptors())


def latency(
    brokers: str, variant: Variant, partitions: int, texts: Sequence[str], rate: float,
    seconds: float,
) -> Latency:  # fmt: skip
    """At so many messages a second, for so long."""
    with ready_service(brokers, variant, partitions, texts) as service:
        service.put(list(islice(cycle(texts), int(rate * WARM_S))), rate)
        produced = service.put(list(islice(cycle(texts), int(rate * seconds))), rate)
        waits = [service.reader.seen[identity] - at for identity, at in produced.items()]
        p50, p99 = np.percentile(waits, (50, 99))
        return Latency(float(p50) * 1000, float(p99) * 1000)


def requests(
    brokers: str, proxy: CountingProxy, variant: Variant, partitions: int,
    loads: Mapping[str, tuple[Sequence[str], float]],
) -> tuple[dict[str, Counts], int]:  # fmt: skip
    """Requests under each load, which is texts and a rate, 0 for at once; and file descriptors."""
    found: dict[str, Counts] = {}
    texts, _ = next(iter(loads.values()))
    with ready_service(brokers, variant, partitions, texts, proxy.address) as service:
        for name, (some, rate) in loads.items():
            time.sleep(ANSWERED_S)
            before, publishes = Counter(proxy.counts), service.publishes()
            service.put(some, rate)
            time.sleep(ANSWERED_S)
            after = Counter(proxy.counts)
            found[name] = Counts(service.publishes() - publishes, len(some), after - before)
        return found, service.descriptors()


def start(
    brokers: str, variant: Variant, partitions: int, patience_s: float = READY_SECONDS
) -> Start:
    """Until ready in a new group, and after a stop when each partition has an offset.

    Raises:
        ModelError: the service has ended, or is not ready in so many seconds.
    """
    port, more = free_port(), {"delivery": {"mode": variant.mode}}
    with (
        fresh_topics(brokers, partitions) as topics,
        contextlib.closing(Reader(brokers, topics.target, partitions)) as reader,
    ):
        arguments = service_arguments(brokers, topics, port, more, null=variant.null)
        began = time.monotonic()
        with running(arguments, port, variant.tree) as child:
            new_s = _ready_s(child, began, patience_s)
            _put_in_each(brokers, topics.source, partitions)
            if not reader.wait(partitions, STILL_SECONDS):
                raise ModelError(f"{len(reader.times)} of {partitions} events came")
            child.process.terminate()
            child.process.wait(STOP_SECONDS)
        began = time.monotonic()
        with running(arguments, port, variant.tree) as child:
            return Start(new_s, _ready_s(child, began, patience_s))


def _ready_s(child: Child, began: float, patience_s: float) -> float:
    while (waited_s := time.monotonic() - began) < patience_s:
        if child.process.poll() is not None:
            break
        # An error of HTTP is one of these too: the service says why it is not ready.
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{child.port}/readyz", timeout=5),
        ):
            return time.monotonic() - began
        time.sleep(PROBE_EVERY_S)
    raise ModelError(f"not ready after {waited_s:.0f} s: {child.log.read_text()[-300:].strip()}")


def _wait_for_logs(brokers: str, topics: Topics, partitions: int) -> None:
    """Until the broker has made all logs, which takes it seconds and is no part of a start."""
    admin = AdminClient({"bootstrap.servers": brokers, "log_level": 0})
    asked = {
        TopicPartition(topic, number): OffsetSpec.latest()  # type: ignore[no-untyped-call]
        for topic in (topics.source, topics.target)
        for number in range(partitions)
    }
    until = time.monotonic() + STILL_SECONDS
    while time.monotonic() < until:
        answers = admin.list_offsets(asked, request_timeout=STILL_SECONDS).values()
        if all(answer.exception() is None for answer in answers):
            return
    raise ModelError(f"the broker has not made {len(asked)} logs in {STILL_SECONDS} s")


def _put_in_each(brokers: str, topic: str, partitions: int) -> None:
    producer = Producer({"bootstrap.servers": brokers, "log_level": 0})
    for number in range(partitions):
        value = b'{"id": "%d", "text": "what a day"}' % number
        producer.produce(topic, value, partition=number)
    producer.flush()
