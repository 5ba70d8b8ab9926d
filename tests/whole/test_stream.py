"""The whole service against real Apache Kafka: what goes in, what comes out, what is committed."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tools.kafka.streams import Stream, assert_each_once_in_order, good_messages, tweets
from tools.kafka.topics import Message, committed, end_offsets, produce, read_all
from tools.service_process import running_service

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tools.kafka.topics import Topics


pytestmark = [pytest.mark.kafka, pytest.mark.model]

GOOD = 5000
NESTED = b'{"text": "deep", "metadata": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
BROKEN: tuple[tuple[bytes | None, str], ...] = (
    (b'{"text": "caf\xe9"}', "not_utf8"),
    (b'{"text": "half', "not_json"),
    (b'"a text alone"', "wrong_type"),
    (b"42", "wrong_type"),
    (b'{"id": 7, "source": "survey"}', "text_missing"),
    (b'{"text": "  \\n\\t "}', "text_empty"),
    (b'{"text": 17}', "wrong_type"),
    (b'{"text": null}', "text_missing"),
    (b'{"text": "' + b"good " * 180_000 + b'"}', "text_too_large"),
    (NESTED, "too_deep"),
    (None, "tombstone"),
    (b'{"text": "half of a pair: \\ud83d"}', "lone_surrogate"),
    (b'{"text": "fine", "metadata": {"rating": NaN}}', "not_finite"),
)


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

    settings = stream.settings(KAFKA__TOMBSTONES="dead_letter")
    with running_service(tmp_path, settings) as service:
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
        assert source.headers == record.headers[: len(source.headers)]
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


@pytest.mark.parametrize("mode", ["exactly_once", "at_least_once"])
async def test_deletions_are_skipped(stream: Stream, tmp_path: Path, mode: str) -> None:
    """A change-data topic: 800 of 1,000 rows are deleted, and nothing comes of the deletions."""
    keys = [f"row-{number}".encode() for number in range(1000)]
    rows = [Message(key, b'{"after": {"text": "good"}}') for key in keys]
    deletions = [Message(key, None) for key in keys[:800]]
    await produce(stream.bootstrap, stream.input, [*rows, *deletions])

    settings = stream.settings(KAFKA__TEXT_FIELD="/after/text", DELIVERY__MODE=mode)
    with running_service(tmp_path, settings) as service:
        await stream.wait_committed(service)
        assert 1000 == service.metric("sentiment_published_total")
        assert 800 == service.metric("sentiment_skipped_total")
        assert 0 == service.stop()

    assert 1000 == len(await stream.events())
    assert [] == await read_all(stream.bootstrap, stream.letters)


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


async def test_other_shapes_of_messages(stream: Stream, topics: Topics, tmp_path: Path) -> None:
    """Several topics, another place for the text, and bare text by a header, in one service."""
    posts = topics("posts", 2)
    post = {"data": {"body": "Lovely, thank you.", "likes": 3}, "id": 1}
    await produce(stream.bootstrap, posts, [Message(b"p", json.dumps(post).encode())])
    review = Message(b"r", b"Dreadful.", [("content-type", b"text/plain; charset=utf-8")])
    await produce(stream.bootstrap, stream.input, [review])
    settings = stream.settings(
        KAFKA__INPUT_TOPIC=f"{stream.input},{posts}",
        KAFKA__TEXT_FIELD="/data/body",
        KAFKA__CARRY="/data/likes",
        DELIVERY__INCLUDE_TEXT="false",
    )
    with running_service(tmp_path, settings) as service:
        await stream.wait_published(service, 2)
        assert 0 == service.stop()
    events = {event["origin"]["topic"]: event for event in await stream.events()}
    assert ("POSITIVE", None) == (events[posts]["label"], events[posts]["text"])
    assert {"data": {"likes": 3}} == events[posts]["extra"]
    assert "NEGATIVE" == events[stream.input]["label"]


async def test_a_broken_producer_trips_the_breaker(stream: Stream, tmp_path: Path) -> None:
    """600 messages that are no JSON stop it, with 3; those that tripped it are not committed."""
    await produce(stream.bootstrap, stream.input, [Message(b"k", b"no json")] * 600)
    with running_service(tmp_path, stream.settings()) as service:
        assert 3 == await asyncio.to_thread(service.process.wait, 60)
        assert "SENTIMENT_KAFKA__INPUT_FORMAT" in service.log()
    letters = await read_all(stream.bootstrap, stream.letters)
    at = await committed(stream.bootstrap, stream.group, stream.input)
    assert len(letters) == sum(at.values())
    assert len(letters) < 500


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
