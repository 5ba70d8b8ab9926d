"""Lists of messages and skipped messages, on real Kafka, with a real model."""

from __future__ import annotations

import asyncio
import io
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from service.records import Reason, SkipReason
from service.settings import KafkaSettings
from service.topics.replay import Selection, replay
from tools.kafka.topics import Message, produce, read_all
from tools.odd_records import FORMS
from tools.service_process import running_service

if TYPE_CHECKING:
    from pathlib import Path

    from tools.kafka.streams import Stream

pytestmark = [pytest.mark.kafka, pytest.mark.model]

Place = tuple[int, int | None]


async def _letters(stream: Stream) -> list[tuple[Place, str, bytes | None]]:
    found = []
    for letter in await read_all(stream.bootstrap, stream.letters):
        headers = {name: (value or b"").decode() for name, value in letter.headers}
        index = headers.get("sentiment.errors.index")
        place = (int(headers["__connect.errors.offset"]), None if index is None else int(index))
        found.append((place, headers["sentiment.errors.reason"], letter.value))
    return found


@pytest.mark.parametrize("mode", ["exactly_once", "at_least_once"])
@pytest.mark.parametrize("name", ["lists", "arrays and lines"])
async def test_each_element_comes_out_once(
    stream: Stream, tmp_path: Path, name: str, mode: str
) -> None:
    """As an event, a dead letter that can be sent back alone, or in the count of skipped ones."""
    form = FORMS[name]
    messages = [Message(b"k", odd.value, list(odd.headers), partition=0) for odd in form.records]
    await produce(stream.bootstrap, stream.input, messages)
    settings = stream.settings(
        KAFKA__TEXT_FIELD=form.text_field, KAFKA__SKIP=form.skip, DELIVERY__MODE=mode
    )
    expected = {
        (offset, index): told
        for offset, odd in enumerate(form.records)
        for index, told in enumerate(odd.told)
    }
    skipped = Counter(str(t) for t in expected.values() if isinstance(t, SkipReason))
    with running_service(tmp_path, settings) as service:
        await stream.wait_committed(service)
        for reason, count in skipped.items():
            assert count == service.metric("sentiment_skipped_total", reason=reason)
        assert 0 == service.stop()

    events = await stream.events()
    origins = [(event["origin"]["offset"], event["origin"]["index"]) for event in events]
    texts = {(o, i or 0): event["text"] for (o, i), event in zip(origins, events, strict=True)}
    assert {place: told for place, told in expected.items() if type(told) is str} == texts
    assert len(texts) == len(events) == len({event["id"] for event in events})
    letters = await _letters(stream)
    reasons = {(offset, index or 0): reason for (offset, index), reason, _ in letters}
    assert {p: str(told) for p, told in expected.items() if isinstance(told, Reason)} == reasons
    assert len(reasons) == len(letters)

    # What is sent back is one message each, and fails as before.
    kafka = KafkaSettings(
        bootstrap_servers=stream.bootstrap,
        input_topic=stream.input,
        output_topic=stream.output,
        dead_letter_topic=stream.letters,
        group_id=stream.group,
    )
    await replay(kafka, Selection(), Console(file=io.StringIO()), send=True)
    with running_service(tmp_path, settings) as service:
        await stream.wait_published(service, len(letters), "sentiment_dead_lettered_total")
        assert 0 == service.stop()
    again = (await _letters(stream))[len(letters) :]
    sent, back = ([(reason, value) for _, reason, value in each] for each in (letters, again))
    assert Counter(sent) == Counter(back)
    assert len(events) == len(await stream.events())


def _jetstream(number: int) -> dict[str, Any]:
    """Likes and follows, and some posts."""
    if number % 25 in (3, 11, 19):
        record = {"$type": "app.bsky.feed.post", "text": f"a good post {number}"}
        return {"kind": "commit", "commit": {"operation": "create", "record": record}}
    if number % 10 == 0:
        return {"kind": "identity", "identity": {}}
    return {"kind": "commit", "commit": {"record": {"$type": "app.bsky.feed.like"}}}


@pytest.mark.parametrize("skip", ["!/commit/record/text", ""])
async def test_a_topic_of_which_an_eighth_is_texts(
    stream: Stream, tmp_path: Path, skip: str
) -> None:
    """What is skipped does not trip the breaker; without the setting it does."""
    values = [json.dumps(_jetstream(number)).encode() for number in range(2000)]
    await produce(stream.bootstrap, stream.input, [Message(None, value) for value in values])
    settings = stream.settings(KAFKA__TEXT_FIELD="/commit/record/text", KAFKA__SKIP=skip)
    with running_service(tmp_path, settings) as service:
        if skip:
            await stream.wait_committed(service)
            assert 240 == service.metric("sentiment_published_total")
            assert 1760 == service.metric("sentiment_skipped_total", reason="absent")
            assert 0 == service.stop()
            assert [] == await read_all(stream.bootstrap, stream.letters)
        else:
            assert 3 == await asyncio.to_thread(service.process.wait, 120)
            assert "SENTIMENT_KAFKA__SKIP" in service.log()
