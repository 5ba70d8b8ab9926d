"""Readers of what the service reads and writes, independent of it: librdkafka, no group.

They get every record of a topic in the order of its partitions; what is judged is not here.
"""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any, Literal

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from chaos.messages import EVENT, EXPECTED_HEADER, ID_HEADER
from chaos.oracle import Input, Outcome, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chaos.cluster import Cluster

Isolation = Literal["read_committed", "read_uncommitted"]
Outcomes = dict[tuple[str, int], list[Outcome]]

POLL_SECONDS = 0.2
BATCH = 1000
# The end of a topic of some hundred thousand records, on a busy machine.
READ_SECONDS = 300

ORIGIN_PARTITION = "__connect.errors.partition"
ORIGIN_OFFSET = "__connect.errors.offset"
REASON = "sentiment.errors.reason"


def _consumer(cluster: Cluster, isolation: Isolation) -> Consumer:
    return Consumer(
        cluster.quiet
        | {
            "group.id": "chaos-readers",  # needed to build one, and never joined
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "isolation.level": isolation,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            # Some of a batch's many small records at once, not a second later.
            "fetch.wait.max.ms": 100,
        }
    )


class Reader:
    """Reads some topics on a thread of its own until it is told where they end."""

    def __init__(
        self, cluster: Cluster, topics: Mapping[str, int], isolation: Isolation = "read_committed"
    ) -> None:
        """Read each topic's so many partitions from their beginnings."""
        self.outcomes: Outcomes = {(t, n): [] for t, count in topics.items() for n in range(count)}
        self.count = 0
        # Each with the time that its writer gave it, in ms since 1970.
        self.timed: list[tuple[int, Outcome]] = []
        self.errors: list[str] = []
        self._consumer = _consumer(cluster, isolation)
        self._stop = threading.Event()
        self._ends: dict[tuple[str, int], int] | None = None
        self._at = dict.fromkeys(self.outcomes, 0)
        self._thread = threading.Thread(target=self._run, name=f"reader-{isolation}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def finish(self, ends: Mapping[tuple[str, int], int]) -> Outcomes:
        """Read up to these offsets, and give what there was; blocks.

        Raises:
            TimeoutError: it did not get there in READ_SECONDS.
            AssertionError: a record could not be read, or offsets were lost.
        """
        self._ends = dict(ends)
        self._thread.join(READ_SECONDS)
        self._stop.set()
        if self._thread.is_alive():
            raise TimeoutError(f"read to {self._at}, not to {self._ends}")
        assert not self.errors, self.errors[:3]
        return self.outcomes

    def abandon(self) -> None:
        """Read no more."""
        self._stop.set()

    def _run(self) -> None:
        starts = [TopicPartition(t, number, OFFSET_BEGINNING) for t, number in self.outcomes]
        self._consumer.assign(starts)
        try:
            while not self._stop.is_set() and not self._done():
                for message in self._consumer.consume(BATCH, POLL_SECONDS):
                    self._take(message)
        except Exception as error:  # noqa: BLE001 - told by `finish`, on another thread
            self.errors.append(repr(error))
        finally:
            self._consumer.close()

    def reached(self, ends: Mapping[tuple[str, int], int]) -> bool:
        """Whether it has read up to these offsets."""
        return all(self._at[p] >= end for p, end in ends.items())

    def _done(self) -> bool:
        return self._ends is not None and self.reached(self._ends)

    def _take(self, message: Any) -> None:
        error = message.error()
        partition = (message.topic(), message.partition())
        if error is not None and error.code() == KafkaError._PARTITION_EOF:
            # Behind markers and aborted records too, which are never given.
            self._at[partition] = max(self._at[partition], message.offset())
        elif error is not None:
            # The client tells of lost connections too, and mends them itself.
            if error.code() >= 0 or error.code() == KafkaError._AUTO_OFFSET_RESET:
                self.errors.append(str(error))
        else:
            outcome = to_outcome(message)
            self.outcomes[partition].append(outcome)
            self.timed.append((message.timestamp()[1], outcome))
            self.count += 1
            self._at[partition] = message.offset() + 1


def to_outcome(message: Any) -> Outcome:
    """An event or a dead letter as what the judge knows of it."""
    headers = {name: (value or b"").decode() for name, value in message.headers() or ()}
    place = Place(message.partition(), message.offset())
    topic, identity = message.topic(), headers[ID_HEADER]
    if REASON in headers:
        origin = Place(int(headers[ORIGIN_PARTITION]), int(headers[ORIGIN_OFFSET]))
        return Outcome(topic, place, identity, origin, headers[REASON], None, None)
    event = json.loads(message.value())
    assert event["source_id"] == identity, f"{identity} came back as {event['source_id']}"
    origin = Place(event["origin"]["partition"], event["origin"]["offset"])
    engine = event["model"]["engine"]
    return Outcome(topic, place, identity, origin, EVENT, event["id"], engine)


def read_inputs(cluster: Cluster, topic: str, ends: Mapping[int, int], era: int) -> list[Input]:
    """Read the input topic once through, from what it still has up to these offsets; blocks.

    Raises:
        TimeoutError: it took over READ_SECONDS.
    """
    consumer = _consumer(cluster, "read_committed")
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in ends])
    inputs: list[Input] = []
    unread = {number for number, end in ends.items() if end}
    deadline = time.monotonic() + READ_SECONDS
    while unread and time.monotonic() < deadline:
        for message in consumer.consume(BATCH, POLL_SECONDS):
            number, offset = int(message.partition() or 0), int(message.offset() or 0)
            error = message.error()
            if error is None and offset < ends[number]:
                inputs.append(to_input(message, era))
            at_end = error is not None and error.code() == KafkaError._PARTITION_EOF
            if at_end or (error is None and offset + 1 >= ends[number]):
                unread.discard(number)
    consumer.close()
    if unread:
        raise TimeoutError(f"{topic}: partitions {sorted(unread)} were not read to their ends")
    return inputs


def to_input(message: Any, era: int = 0) -> Input:
    """A record of the input topic as what the judge knows of it."""
    headers = {name: value.decode() for name, value in message.headers()}
    place = Place(message.partition(), message.offset())
    return Input(place, headers[ID_HEADER], message.key(), headers[EXPECTED_HEADER], era)
