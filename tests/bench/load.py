"""A steady load of good and broken messages, and an account of what came out for it.

May not import the service. Writes by librdkafka, which keeps what it cannot send and sends it when
the broker is back.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from confluent_kafka import Producer

from tools.kafka.broker import Broker
from tools.kafka.streams import Stream, assert_each_once_in_order, good_messages
from tools.kafka.topics import Message, committed, end_offsets, read_all, topics_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.kafka.jar_broker import JarBroker
    from tools.service_process import ServiceProcess

TEXTS = Path(__file__).resolve().parents[2] / "service" / "demo" / "messages.jsonl"
# A post, not an essay: one long text needs more memory for a moment than a thousand short ones, and
# whether a sample falls into that moment is chance.
CHARACTERS_MAX = 280
# One in so many is broken: dead letters flow, and the breaker stays far.
BROKEN_EVERY = 50
BROKEN = (b'{"text": "half', b"42", None, b'{"text": "  "}', b'{"text": "caf\xe9"}')
INTERVAL_S = 0.1
# Longer than any outage here; what is not sent then would be missed at the end.
KEEP_MS = 60 * 60 * 1000
FLUSH_SECONDS = 120
# Longer than any backoff, session or rebalance: who has not moved for so long will not.
STILL_SECONDS = 60


def make_stream(broker: JarBroker) -> Stream:
    """Fresh topics on a broker."""
    known = Broker(broker.bootstrap_servers, "jars")
    return Stream(known, topics_on(known))


def mixed_messages(count: int) -> list[Message]:
    """Good messages with a running id, and a broken one behind every so many."""
    everything = (json.loads(line)["text"] for line in TEXTS.read_text().splitlines())
    texts = [text for text in everything if len(text) <= CHARACTERS_MAX]
    messages: list[Message] = []
    for good in good_messages(texts, count):
        messages.append(good)
        if len(messages) % BROKEN_EVERY == BROKEN_EVERY - 1:
            broken = BROKEN[len(messages) // BROKEN_EVERY % len(BROKEN)]
            messages.append(Message(f"broken-{len(messages)}".encode(), broken))
    return messages


async def play(stream: Stream, messages: Sequence[Message], rate_per_s: float) -> None:
    """Send at a steady rate, in order and each once, and wait until the broker has them all.

    Raises:
        AssertionError: the broker did not take one.
    """
    refused: list[str] = []
    producer = Producer(
        {
            "bootstrap.servers": stream.bootstrap,
            "enable.idempotence": True,
            "message.timeout.ms": KEEP_MS,
            # Its log would fill the screen with refused connections while the broker is away.
            "log_level": 0,
        }
    )
    started = time.monotonic()
    for number, message in enumerate(messages):
        while time.monotonic() - started < number / rate_per_s:
            producer.poll(0)
            await asyncio.sleep(INTERVAL_S)
        producer.produce(
            stream.input,
            key=message.key,
            value=message.value,
            headers=list(message.headers),
            partition=-1 if message.partition is None else message.partition,
            on_delivery=lambda error, _: refused.append(str(error)) if error else None,
        )
    assert await asyncio.to_thread(producer.flush, FLUSH_SECONDS) == 0, "the load was not taken"
    assert not refused, refused[0]


async def drained(stream: Stream, service: ServiceProcess) -> int:
    """Wait until the group has committed all, or a minute brings it no further; gives the rest."""
    ends = {p: end for p, end in (await end_offsets(stream.bootstrap, stream.input)).items() if end}
    rest, moved_at = sum(ends.values()), time.monotonic()
    while rest and time.monotonic() < moved_at + STILL_SECONDS:
        await asyncio.sleep(1)
        assert service.process.poll() is None, service.log()[-3000:]
        at = await committed(stream.bootstrap, stream.group, stream.input)
        left = sum(end - at.get(p, 0) for p, end in ends.items())
        if left < rest:
            rest, moved_at = left, time.monotonic()
    return rest


class Account(NamedTuple):
    """What came out for what was put in; `in_order` is within input partition and key."""

    good: int
    broken: int
    missing: int
    doubled: int
    letters: int
    letters_doubled: int
    in_order: bool

    @property
    def whole(self) -> bool:
        """Whether everything came out exactly once and in order."""
        clean = self.missing == self.doubled == self.letters_doubled == 0
        return clean and self.letters == self.broken and self.in_order

    def __str__(self) -> str:
        """Say it in a line."""
        order = "in order" if self.in_order else "NOT in order"
        return (
            f"{self.good} good messages: {self.missing} missing, {self.doubled} doubled, {order}; "
            f"{self.broken} broken ones: {self.letters} dead letters, "
            f"{self.letters_doubled} doubled"
        )


async def account(stream: Stream, messages: Sequence[Message]) -> Account:
    """Read all that is committed, and compare."""
    events = await stream.events()
    letters = await read_all(stream.bootstrap, stream.letters)
    good = len(messages) - len(messages) // BROKEN_EVERY
    times = Counter(event["source_id"] for event in events)
    origins = {
        (headers["__connect.errors.partition"], headers["__connect.errors.offset"])
        for headers in (dict(letter.headers) for letter in letters)
    }
    try:
        assert_each_once_in_order(events, good)
    except AssertionError:
        in_order = False
    else:
        in_order = True
    return Account(
        good=good,
        broken=len(messages) - good,
        missing=good - len(times),
        doubled=sum(times.values()) - len(times),
        letters=len(letters),
        letters_doubled=len(letters) - len(origins),
        in_order=in_order,
    )
