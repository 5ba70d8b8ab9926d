"""Reads what a candidate publishes, as a consumer does that sees only what is committed.

And how busy the machine is with other things, which the figures would show too.

May not import the service.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, TopicPartition

from bench.peers.running import CandidateError, Place

if TYPE_CHECKING:
    from tools.service_process import ServiceProcess

PARTITIONS, KEYS = 4, 97
# Without an event for so long, a candidate has failed; covers the loading of the model.
SILENT_S = 180.0


def busy_cpus(seconds: float) -> float:
    """Give how many CPUs were computing, on average over some seconds; 0 where Linux cannot say."""

    def computed_s() -> float:
        try:
            user, nice, system = Path("/proc/stat").read_text().split()[1:4]
        except FileNotFoundError:
            return 0.0
        return (int(user) + int(nice) + int(system)) / os.sysconf("SC_CLK_TCK")

    before, began = computed_s(), time.monotonic()
    time.sleep(seconds)
    return (computed_s() - before) / (time.monotonic() - began)


class Reader:
    """Sees the events as a consumer does that reads what is committed."""

    def __init__(self, place: Place) -> None:
        """Begin at the beginning of the output topic."""
        self._consumer = Consumer(
            {
                "bootstrap.servers": place.bootstrap,
                "group.id": place.topic_out,
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
            }
        )
        self._consumer.assign([TopicPartition(place.topic_out, n, 0) for n in range(PARTITIONS)])
        self.seen: Counter[int] = Counter()

    def read(self, wanted: range, app: ServiceProcess) -> list[tuple[float, int]]:
        """Read until all these ids came, or nothing new for SILENT_S.

        Returns:
            Moments in monotonic seconds, each with how many of the ids had come by then.

        Raises:
            CandidateError: the application has ended, or none came.
        """
        arrivals: list[tuple[float, int]] = []
        waited_for, last = set(wanted), time.monotonic()
        while waited_for and time.monotonic() < last + SILENT_S:
            if app.process.poll() is not None:
                raise CandidateError(f"it ended: {last_line(app)}")
            came = waited_for.intersection(self.poll())
            if came:
                waited_for -= came
                last = time.monotonic()
                arrivals.append((last, len(wanted) - len(waited_for)))
        if not arrivals:
            raise CandidateError(f"no event in {SILENT_S:.0f} s: {last_line(app)}")
        return arrivals

    def poll(self) -> set[int]:
        """Give the ids of what has come; waits a little where there is nothing."""
        numbers = []
        for record in self._consumer.consume(500, 0.05):
            value = record.value()
            if record.error() is None and value is not None:
                event = json.loads(value)
                number = event["source_id"] if "source_id" in event else event["id"]
                # With another key it is not the event that was asked for.
                if record.key() == key_of(number):
                    numbers.append(number)
        self.seen.update(numbers)
        return set(numbers)

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()


def key_of(number: int) -> bytes:
    """Give the key of the message with this id."""
    return str(number % KEYS).encode()


def last_line(app: ServiceProcess) -> str:
    """Give what an application said last, which tells why it failed."""
    return (app.log().strip().splitlines() or ["it logged nothing"])[-1][:300]
