"""Mails on real Kafka: the writer's own words are scored, and events have what was sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tools.kafka.topics import Message, produce, read_all
from tools.service_process import running_service

if TYPE_CHECKING:
    from pathlib import Path

    from tools.kafka.streams import Stream

pytestmark = [pytest.mark.kafka, pytest.mark.model]

OWN = "The parcel never came, nobody answers, and I am really disappointed."
HEADER = "On Mon, 3 Mar 2025 at 10:15, Ann Lee <ann@example.org> wrote:"
QUOTE = f"{HEADER}\n> I love your service, it is wonderful and I am so happy!\n> Thank you!"
MAIL = f"{OWN}\n\nKind regards,\nAnn Lee\n\n{QUOTE}"
HTML = f"<style>p {{color: red}}</style><p>{OWN}</p><blockquote>I love it!</blockquote>"


async def test_mails(stream: Stream, tmp_path: Path) -> None:
    """Bare, with a quote and a signature, and as HTML they get the same scores."""
    texts = [OWN, MAIL, HTML, QUOTE]
    await produce(
        stream.bootstrap,
        stream.input,
        [Message(b"one key", json.dumps({"text": text}).encode()) for text in texts],
    )

    with running_service(tmp_path, stream.settings(KAFKA__TEXT_FORMAT="mail")) as service:
        await stream.wait_committed(service)
        assert 0 == service.stop()

    events = await stream.events()
    assert texts[:3] == [event["text"] for event in events]
    assert ["NEGATIVE"] * 3 == [event["label"] for event in events]
    assert events[0]["scores"] == events[1]["scores"] == events[2]["scores"]
    cut = [event["text_stats"] for event in events]
    assert [0, len(QUOTE) - 2, 10] == [stats["quoted_chars"] for stats in cut]
    assert [0, 20, 0] == [stats["signature_chars"] for stats in cut]
    [letter] = await read_all(stream.bootstrap, stream.letters)
    headers = dict(letter.headers)
    assert b"text_empty" == headers["sentiment.errors.reason"]
    assert b"SENTIMENT_KAFKA__TEXT_FORMAT=plain" in headers["__connect.errors.exception.message"]
