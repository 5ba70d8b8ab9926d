"""A stream to test on: its topics, what is put in, and what must come out."""

from __future__ import annotations

import asyncio
import csv
import json
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tools.kafka.topics import Message, committed, end_offsets, read_all

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tools.kafka.broker import Broker
    from tools.kafka.topics import Topics
    from tools.service_process import ServiceProcess

PARTITIONS = 4
WAIT_SECONDS = 240


def tweets(shared_data: Path) -> list[str]:
    """The texts of the tweets."""
    with (shared_data / "tweets" / "vader_tweets.tsv").open(newline="") as file:
        return [row[2] for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def good_messages(texts: Sequence[str], count: int) -> list[Message]:
    """Keyed messages with a running id, one in nine without a key."""
    return [
        Message(
            key=None if number % 9 == 0 else f"author-{number % 97}".encode(),
            value=json.dumps({"id": number, "text": texts[number % len(texts)]}).encode(),
            headers=[("trace", str(number).encode())],
            partition=number % PARTITIONS if number % 9 == 0 else None,
        )
        for number in range(count)
    ]


class Stream:
    """Topics, a group, and what was put in."""

    def __init__(self, broker: Broker, topics: Topics) -> None:
        """Create the topics."""
        self.bootstrap = broker.bootstrap_servers
        self.input = topics("in", PARTITIONS)
        self.output = topics("out", 3)
        self.letters = topics("dead", 2)
        self.group = self.input.replace("in-", "group-")

    def settings(self, **more: str) -> dict[str, str]:
        """Settings of a service that reads it."""
        return {
            "KAFKA__BOOTSTRAP_SERVERS": self.bootstrap,
            "KAFKA__INPUT_TOPIC": self.input,
            "KAFKA__OUTPUT_TOPIC": self.output,
            "KAFKA__DEAD_LETTER_TOPIC": self.letters,
            "KAFKA__GROUP_ID": self.group,
            **more,
        }

    async def events(self) -> list[dict[str, Any]]:
        """All events, each with its record."""
        records = await read_all(self.bootstrap, self.output)
        return [{**json.loads(r.value or b""), "record": r} for r in records]

    async def wait_published(
        self, service: ServiceProcess, count: int, name: str = "sentiment_published_total"
    ) -> None:
        """Wait until so many events are published, or dead letters with their metric's name."""
        deadline = time.monotonic() + WAIT_SECONDS
        while service.metric(name) < count:
            assert time.monotonic() < deadline, service.log()[-3000:]
            await asyncio.sleep(0.05)

    async def wait_committed(self, service: ServiceProcess) -> None:
        """Wait until the committed offsets equal the ends."""
        ends = {p: end for p, end in (await end_offsets(self.bootstrap, self.input)).items() if end}
        deadline = time.monotonic() + WAIT_SECONDS
        while await committed(self.bootstrap, self.group, self.input) != ends:
            assert service.process.poll() is None, service.log()
            assert time.monotonic() < deadline, service.log()[-3000:]
            await asyncio.sleep(0.5)


def assert_each_once_in_order(events: list[dict[str, Any]], count: int) -> None:
    """Every good message came out once, and in order within its input partition and key."""
    assert list(range(count)) == sorted(e["source_id"] for e in events)
    per_key: dict[Any, list[int]] = defaultdict(list)
    for event in events:
        origin = event["origin"]
        per_key[origin["partition"], event["record"].key].append(origin["offset"])
    for offsets in per_key.values():
        assert sorted(offsets) == offsets
