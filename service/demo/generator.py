"""Plays the demo's messages, good and broken ones, at a steady rate.

Exists so that the demo has input. `records` is pure and seeded, so that every demo plays the same
sequence; only `play` uses Kafka. Nothing may enter that knows how a message is scored.
"""

from __future__ import annotations

import asyncio
import json
import random
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

from aiokafka import AIOKafkaProducer

from service.records import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Fast enough to form batches and move the view, slow enough to read along and for two CPUs.
RATE_PER_S = 40.0
# Often enough that some are in view.
BROKEN_SHARE = 1 / 15
# Share of messages sent as plain text, with a content-type header.
PLAIN_TEXT_SHARE = 1 / 20
SEED = 4711
# After a longer pause the schedule starts again, instead of sending everything missed at once.
BEHIND_S_MAX = 1.0
# How often a paused generator looks again; nobody sees a pause of a frame or two.
HELD_BACK_S = 0.05
# Enough to overflow a careless parser's stack, and a text over the default text_bytes_max.
NESTED_BRACKETS = 100_000
LARGE_TEXT_BYTES = 300_000
# One more than a record may hold.
TOO_MANY_ELEMENTS = 1001

Message = dict[str, Any]


class Play(NamedTuple):
    """One record to produce; `reason` is the expected reason of a broken one."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    reason: Reason | None = None


class Broken(NamedTuple):
    """One kind of broken record: its reason, its weight among the kinds, and how to make it."""

    reason: Reason
    weight: int
    make: Callable[[Message], bytes | None]


def _json(message: Message | list[Message]) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode()


def _without_text(message: Message) -> bytes:
    return _json({"body" if name == "text" else name: value for name, value in message.items()})


def _cut(message: Message) -> bytes:
    # ASCII, so that the cut is never within a character.
    whole = json.dumps(message).encode()
    return whole[: len(whole) // 2]


# All reasons for which a producer's record can be refused, some with several records.
BROKEN: tuple[Broken, ...] = (
    Broken(Reason.NOT_UTF8, 8, lambda m: _json({**m, "text": "Schöne Grüße"}).replace(
        "Schöne Grüße".encode(), "Schöne Grüße".encode("latin-1"))),
    Broken(Reason.NOT_JSON, 8, _cut),
    Broken(Reason.NOT_JSON, 4, lambda m: repr(m).encode()),
    Broken(Reason.WRONG_TYPE, 8, lambda m: json.dumps(m["text"]).encode()),
    Broken(Reason.WRONG_TYPE, 8, lambda m: _json({**m, "text": 42})),
    Broken(Reason.TEXT_MISSING, 4, lambda m: _json({**m, "text": None})),
    Broken(Reason.TEXT_MISSING, 8, _without_text),
    Broken(Reason.TEXT_EMPTY, 8, lambda m: _json({**m, "text": ""})),
    Broken(Reason.TEXT_EMPTY, 8, lambda m: _json({**m, "text": " \n\t\u3000"})),
    Broken(Reason.TOMBSTONE, 8, lambda _: None),
    Broken(Reason.LONE_SURROGATE, 8, lambda m: json.dumps({**m, "text": "so \ud83d"}).encode()),
    Broken(Reason.NOT_FINITE, 8, lambda m: _json({**m, "metadata": {"weight": float("nan")}})),
    Broken(Reason.TOO_DEEP, 2, lambda _: b"[" * NESTED_BRACKETS),
    Broken(Reason.TOO_MANY_ELEMENTS, 2, lambda m: _json([m] * TOO_MANY_ELEMENTS)),
    Broken(Reason.TEXT_TOO_LARGE, 2, lambda m: _json({**m, "text": "long " * (
        LARGE_TEXT_BYTES // 5)})),
)  # fmt: skip


def load_messages() -> list[Message]:
    """The demo's messages, each as a SourceMessage, some with `_key`, the Kafka key."""
    lines = resources.files("service.demo").joinpath("messages.jsonl").read_text("utf-8")
    return [json.loads(line) for line in lines.splitlines()]


def records(messages: list[Message], seed: int = SEED) -> Iterator[Play]:
    """Yield the messages for ever, each round in a new order, with broken ones in between."""
    chance = random.Random(seed)
    while True:
        for message in chance.sample(messages, len(messages)):
            if chance.random() < BROKEN_SHARE:
                yield _broken(message, chance)
            yield _good(message, chance)


def _split(message: Message) -> tuple[bytes | None, Message]:
    key = message.get("_key")
    body = {name: value for name, value in message.items() if name != "_key"}
    return (None if key is None else str(key).encode()), body


def _good(message: Message, chance: random.Random) -> Play:
    key, body = _split(message)
    if chance.random() < PLAIN_TEXT_SHARE:
        headers = (("content-type", b"text/plain; charset=utf-8"),)
        return Play(key, str(body["text"]).encode(), headers)
    return Play(key, _json(body))


def _broken(message: Message, chance: random.Random) -> Play:
    (kind,) = chance.choices(BROKEN, [kind.weight for kind in BROKEN])
    key, body = _split(message)
    value = kind.make(body)
    # A tombstone means "forget this key", so it has one.
    return Play(key or (b"forgotten" if value is None else None), value, reason=kind.reason)


async def play(
    bootstrap_servers: str,
    topic: str,
    may_send: Callable[[], bool],
    sent: Callable[[], None],
    stop: asyncio.Event,
) -> None:
    """Produce until `stop` is set; everything produced by then is acknowledged.

    Args:
        bootstrap_servers: address of the broker.
        topic: the topic to produce to.
        may_send: asked before every record; False holds the generator back.
        sent: called after every acknowledged record.
        stop: ends this function; cancelling it instead may leave a record uncounted.

    Raises:
        KafkaError: the broker refuses a record.
    """
    loop = asyncio.get_running_loop()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers, acks="all")
    try:  # not `async with`, which leaves open what is cancelled while it starts
        await producer.start()
        due = loop.time()
        for record in records(load_messages()):
            due = max(due + 1 / RATE_PER_S, loop.time() - BEHIND_S_MAX)
            await asyncio.sleep(max(0.0, due - loop.time()))
            while not (stop.is_set() or may_send()):  # noqa: ASYNC110 - two things end it
                await asyncio.sleep(HELD_BACK_S)
            if stop.is_set():
                return
            await producer.send_and_wait(
                topic, key=record.key, value=record.value, headers=list(record.headers)
            )
            sent()
    finally:
        await producer.stop()
