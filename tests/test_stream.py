"""The whole service against real Apache Kafka: what goes in, what comes out, what is committed."""

from __future__ import annotations

import asyncio
import csv
import json
import random
import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from kafka_tools import Message, committed, end_offsets, produce, read_all
from service_process import ServiceProcess, running_service

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from broker import Broker
    from conftest import Topics

pytestmark = [pytest.mark.kafka, pytest.mark.model]

GOOD = 5000
PARTITIONS = 4
WAIT_SECONDS = 240
NESTED = b'{"text": "deep", "metadata": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
BROKEN: tuple[tuple[bytes | None, str], ...] = (
    (b'{"text": "caf\xe9"}', "not_utf8"),
    (b'{"text": "half', "not_json"),
    (b'["text", "in an array"]', "wrong_type"),
    (b"42", "wrong_type"),
    (b'{"id": 7, "source": "survey"}', "text_missing"),
    (b'{"text": "  \\n\\t "}', "text_empty"),
    (b'{"text": 17}', "wrong_type"),
    (b'{"text": null}', "wrong_type"),
    (b'{"text": "' + b"good " * 180_000 + b'"}', "text_too_large"),
    (NESTED, "too_deep"),
    (None, "tombstone"),
    (b'{"text": "half of a pair: \\ud83d"}', "lone_surrogate"),
    (b'{"text": "fine", "metadata": {"rating": NaN}}', "not_finite"),
)


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


def broken_messages(count: int) -> list[Message]:
    """Broken ones of every kind; the header names the reason that is due."""
    return [
        Message(
            key=f"broken-{number}".encode() if number % 2 or value is None else None,
            value=value,
            headers=[("due", reason.encode()), ("sentiment.errors.reason", b"forged")],
        )
        for number in range(count)
        for value, reason in [BROKEN[number % len(BROKEN)]]
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

    async def wait_published(self, service: ServiceProcess, count: int) -> None:
        """Wait until so many events are published."""
        deadline = time.monotonic() + WAIT_SECONDS
        while service.metric("sentiment_published_total") < count:
            assert time.monotonic() < deadline, service.log()[-3000:]
            await asyncio.sleep(0.05)

    async def wait_committed(self, service: ServiceProcess) -> None:
        """Wait until the committed offsets equal the ends."""
        ends = await end_offsets(self.bootstrap, self.input)
        deadline = time.monotonic() + WAIT_SECONDS
        while await committed(self.bootstrap, self.group, self.input) != ends:
            assert service.process.poll() is None, service.log()
            assert time.monotonic() < deadline, service.log()[-3000:]
            await asyncio.sleep(0.5)


@pytest.fixture
def stream(real_broker: Broker, topics: Topics) -> Stream:
    """Give fresh topics on real Kafka."""
    return Stream(real_broker, topics)


def assert_each_once_in_order(events: list[dict[str, Any]], count: int) -> None:
    """Every good message came out once, and in order within its input partition and key."""
    assert list(range(count)) == sorted(e["source_id"] for e in events)
    per_key: dict[Any, list[int]] = defaultdict(list)
    for event in events:
        origin = event["origin"]
        per_key[origin["partition"], event["record"].key].append(origin["offset"])
    for offsets in per_key.values():
        assert sorted(offsets) == offsets


@pytest.mark.timeout(600)
async def test_good_and_broken_messages(
    stream: Stream,
    shared_data: Path,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """5,000 good, 60 broken messages: each once, in order; a second run adds nothing."""
    good = good_messages(tweets(shared_data), GOOD)
    broken = broken_messages(60)
    everything = [*good, *broken]
    random.Random(1).shuffle(broken)
    for position, message in enumerate(broken):
        everything.remove(message)
        everything.insert(position * 83, message)
    await produce(stream.bootstrap, stream.input, everything)

    with running_service(tmp_path, stream.settings()) as service:
        ready_s = service.wait_ready()
        await stream.wait_committed(service)
        assert GOOD == service.metric("sentiment_published_total")
        assert 60 == service.metric("sentiment_dead_lettered_total")
        peak = service.peak_memory_bytes()
        assert 0 == service.stop()
    record_property("ready_s", round(ready_s, 1))
    record_property("peak_memory_bytes", peak)
    assert peak < 10**9

    events = await stream.events()
    assert_each_once_in_order(events, GOOD)
    inputs = {(r.partition, r.offset): r for r in await read_all(stream.bootstrap, stream.input)}
    for event in events:
        origin, record = event["origin"], event["record"]
        source = inputs[origin["partition"], origin["offset"]]
        assert source.key == record.key
        assert source.headers == record.headers
        assert source.timestamp == origin["timestamp"]
        assert json.loads(source.value or b"")["text"] == event["text"]
        if source.key is None:
            assert origin["partition"] % 3 == record.partition

    letters = await read_all(stream.bootstrap, stream.letters)
    assert 60 == len(letters)
    for letter in letters:
        headers = dict(letter.headers)
        source = inputs[
            int(headers["__connect.errors.partition"]), int(headers["__connect.errors.offset"])
        ]
        assert source.value == letter.value
        assert source.key == letter.key
        assert headers["due"] == headers["sentiment.errors.reason"]
        assert ["due"] == [name for name, _ in letter.headers if name == "due"]

    ends = await end_offsets(stream.bootstrap, stream.output)
    with running_service(tmp_path, stream.settings()) as service:
        service.wait_ready()
        assert 0 == service.stop()
    assert ends == await end_offsets(stream.bootstrap, stream.output)
    assert 60 == len(await read_all(stream.bootstrap, stream.letters))


async def test_sigterm_under_load(stream: Stream, shared_data: Path, tmp_path: Path) -> None:
    """SIGTERM in mid-stream: exit 0, and after a restart each message has come out exactly once."""
    count = 3000
    await produce(stream.bootstrap, stream.input, good_messages(tweets(shared_data), count))
    with running_service(tmp_path, stream.settings()) as service:
        service.wait_ready()
        await stream.wait_published(service, 200)
        assert 0 == service.stop()
    before = Counter(e["id"] for e in await stream.events())
    assert 0 < len(before) < count
    with running_service(tmp_path, stream.settings()) as service:
        await stream.wait_committed(service)
        assert 0 == service.stop()
    assert_each_once_in_order(await stream.events(), count)


async def test_text_is_never_logged(stream: Stream, tmp_path: Path) -> None:
    """Neither a good text nor a broken one shows up in the log, at any level."""
    marker = "xylophone-4711"
    values = [
        json.dumps({"text": f"my secret is {marker}"}).encode(),
        f'{{"text": "{marker}'.encode(),
        f'{{"text": "{marker} \\ud83d"}}'.encode(),
        f'"{marker}"'.encode(),
        marker.encode() + b"\xff",
    ]
    await produce(stream.bootstrap, stream.input, [Message(value=v) for v in values])
    with running_service(tmp_path, stream.settings(LOG__LEVEL="debug")) as service:
        await stream.wait_committed(service)
        assert 0 == service.stop()
        assert service.log_lines()
        assert marker not in service.log()
