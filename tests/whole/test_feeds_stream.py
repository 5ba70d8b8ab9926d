"""A public feed as it comes, on real Kafka: most of it is no text, and that is no fault."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tools.feeds.page import examples
from tools.kafka.topics import Message, produce, read_all
from tools.service_process import running_service

if TYPE_CHECKING:
    from pathlib import Path

    from tools.kafka.streams import Stream

pytestmark = [pytest.mark.kafka, pytest.mark.model]

RECORDS, POSTS = 2000, 240


async def test_jetstream(stream: Stream, tmp_path: Path) -> None:
    """12 % posts: an event for each, all others skipped and counted, no dead letter, no breaker."""
    post, *others = [one["message"] for one in examples("bluesky-jetstream")]
    documents = [others[n % len(others)] for n in range(RECORDS)]
    for number in range(POSTS):
        text = {"text": f"Post number {number}, and I like it."}
        record = post["commit"]["record"] | text
        documents[number * RECORDS // POSTS] = post | {
            "commit": post["commit"] | {"record": record}
        }
    await produce(
        stream.bootstrap,
        stream.input,
        [Message(one["did"].encode(), json.dumps(one).encode()) for one in documents],
    )

    with running_service(tmp_path, stream.settings(KAFKA__FEED="bluesky-jetstream")) as service:
        service.wait_ready()
        await stream.wait_committed(service)
        assert POSTS == service.metric("sentiment_published_total")
        assert RECORDS - POSTS == service.metric("sentiment_skipped_total")
        assert 0 == service.metric("sentiment_dead_lettered_total")
        assert 0 == service.stop()

    assert {f"Post number {n}, and I like it." for n in range(POSTS)} == {
        event["text"] for event in await stream.events()
    }
    assert [] == await read_all(stream.bootstrap, stream.letters)
