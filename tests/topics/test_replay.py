"""Replay on real Kafka: letters go back once and unchanged, and at most three times."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from rich.console import Console

from service.cli import main
from service.settings import KafkaSettings
from service.topics.replay import COUNTER, Selection, replay
from tools.kafka.topics import Message, produce, read_all
from tools.service_process import running_service

if TYPE_CHECKING:
    from pathlib import Path

    from tools.kafka.streams import Stream

pytestmark = [pytest.mark.kafka, pytest.mark.model]

GOOD_AS_TEXT = "It was text all along, and quite good text."
# A letter has all headers of its message, an event none that describe the message's value.
HEADERS = [("trace", b"1"), ("__TypeId__", b"com.acme.Post")]


def kafka_settings(stream: Stream) -> KafkaSettings:
    """Settings for a replay of the stream's letters."""
    return KafkaSettings(
        bootstrap_servers=stream.bootstrap,
        input_topic=stream.input,
        output_topic=stream.output,
        dead_letter_topic=stream.letters,
        group_id=stream.group,
    )


def _replayed(stream: Stream, *arguments: str) -> str:
    """What the command says beside its table."""
    variables = {f"SENTIMENT_{name}": value for name, value in stream.settings().items()}
    return CliRunner().invoke(main, ["replay", *arguments], env=variables).stderr


async def test_replay(stream: Stream, tmp_path: Path) -> None:
    """Plain text that was read as JSON is replayed once the setting is right; the rest stays."""
    messages = [
        Message(b"k", GOOD_AS_TEXT.encode(), HEADERS),
        Message(None, GOOD_AS_TEXT.encode(), []),
        Message(b"gone", None, []),
    ]
    await produce(stream.bootstrap, stream.input, messages)
    with running_service(tmp_path, stream.settings(KAFKA__TOMBSTONES="dead_letter")) as service:
        await stream.wait_committed(service)
        assert 0 == service.stop()
    assert 3 == len(await read_all(stream.bootstrap, stream.letters))

    settings, console = kafka_settings(stream), Console(file=io.StringIO())
    selection = Selection(reasons=frozenset({"not_json"}))
    expected = {"sent back: not_json": 2, "not selected": 1}
    assert (expected, 0) == await replay(settings, selection, console, send=False)
    assert 3 == len(await read_all(stream.bootstrap, stream.input))
    assert (expected, 0) == await replay(settings, selection, console, send=True)
    for send in (True, False):
        fates, passed = await replay(settings, selection, console, send=send)
        # Letters, and the markers of their transactions.
        assert ({}, True) == (fates, passed >= 3)
    told = await asyncio.to_thread(_replayed, stream, "--reason", "not_json")
    assert f"already sent: what this selection takes of the first {passed} offsets" in told
    told = await asyncio.to_thread(_replayed, stream)
    assert ("already sent" in told, "nothing was sent; add --send" in told) == (False, True)

    again = await read_all(stream.bootstrap, stream.input)
    returned = [r for r in again if COUNTER in dict(r.headers)]
    assert 5 == len(again)
    assert {(b"k", GOOD_AS_TEXT.encode()), (None, GOOD_AS_TEXT.encode())} == {
        (r.key, r.value) for r in returned
    }
    keyed = next(r for r in returned if r.key)
    assert (*HEADERS, (COUNTER, b"1")) == tuple(keyed.headers)

    with running_service(tmp_path, stream.settings(KAFKA__INPUT_FORMAT="text")) as service:
        # Not by offsets: behind the replay there is a marker that nobody reads.
        await stream.wait_published(service, 2)
        assert 0 == service.stop()
    events = await read_all(stream.bootstrap, stream.output)
    assert 2 == len(events)
    assert {"trace": b"1"}.items() <= dict(next(r for r in events if r.key).headers).items()
    assert all("__TypeId__" not in dict(r.headers) for r in events)


async def test_a_loop_ends(stream: Stream, tmp_path: Path) -> None:
    """A message that stays broken is sent back three times and no more."""
    await produce(stream.bootstrap, stream.input, [Message(b"k", b"no json")])
    settings, console = kafka_settings(stream), Console(file=io.StringIO())
    fates = []
    with running_service(tmp_path, stream.settings()) as service:
        for count in range(1, 5):
            await stream.wait_published(service, count, "sentiment_dead_lettered_total")
            fates.append((await replay(settings, Selection(), console, send=True)).fates)
        assert 0 == service.stop()
    assert [{"sent back: not_json": 1}] * 3 + [{"sent back 3 times already": 1}] == fates
    letters = await read_all(stream.bootstrap, stream.letters)
    assert [None, b"1", b"2", b"3"] == [dict(r.headers).get(COUNTER) for r in letters]
