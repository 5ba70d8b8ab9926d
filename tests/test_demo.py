"""The demo's parts without the service: its messages, the generator's records, and the view."""

from __future__ import annotations

import io
import itertools
import random
import time
import unicodedata
from collections import Counter
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from hypothesis import given
from hypothesis import strategies as st
from jsonpointer import JsonPointer
from rich.console import Console

from service.codec import Decoder
from service.contracts import CONNECT_PREFIX, OWN_PREFIX, SentimentEvent, SourceMessage
from service.demo import DEAD_LETTER_TOPIC, INPUT_TOPIC, OUTPUT_TOPIC, _for_demo, summary
from service.demo.broker import demo_broker
from service.demo.generator import (
    BROKEN,
    BROKEN_SHARE,
    Broken,
    Play,
    _broken,
    load_messages,
    records,
)
from service.demo.view import (
    LATENCIES_MAX,
    LETTERS_SHOWN,
    MESSAGES_SHOWN,
    RATE_WINDOW_S,
    TEXT_CHARACTERS_MAX,
    Board,
    picture,
    printable,
    status_line,
)
from service.records import Message, Partition, Reason, Record, Rejected
from service.settings import KafkaSettings, Settings

MESSAGES = load_messages()
DECODER = Decoder("json", JsonPointer("/text"), Settings().model.text_bytes_max)


def decoded(play: Play) -> Message | Rejected:
    """What the service makes of a record of the generator."""
    return DECODER.decode(
        Record(
            partition=Partition(INPUT_TOPIC, 0),
            offset=0,
            timestamp_ms=0,
            key=play.key,
            value=play.value,
            headers=play.headers,
            epoch=0,
            polled_at=0.0,
        )
    )


def an_event(label: str = "POSITIVE", **changes: Any) -> SentimentEvent:
    """An event as the service writes it."""
    values: dict[str, Any] = {
        "id": "0", "source_id": 1, "source": "survey", "lang": None, "created_at": None,
        "metadata": None, "extra": {}, "text": "Parking!!", "label": label, "score": 0.97,
        "scores": {label: 0.97},
        "model": {"name": "bundled", "revision": "0", "engine": "plain", "precision": "float32"},
        "text_stats": {"tokens": 5, "truncated": False, "windows": 1, "unknown_share": 0.0},
        "origin": {"topic": INPUT_TOPIC, "partition": 0, "offset": 0, "timestamp": 0},
        "processed_at": "2026-05-04T09:30:00.000Z", "latency_ms": 12.0,
    }  # fmt: skip
    return SentimentEvent.model_validate(values | changes)


def letter_headers(reason: str, detail: str = "why") -> dict[str, bytes]:
    """The headers of a dead letter that the view reads."""
    return {
        OWN_PREFIX + "reason": reason.encode(),
        CONNECT_PREFIX + "exception.message": detail.encode(),
    }


def drawn(renderable: Any, width: int = 100) -> str:
    """What a renderable looks like on a pipe."""
    console = Console(file=io.StringIO(), width=width)
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_messages_are_many_and_all_different() -> None:
    """A viewer of a minute sees hardly any message twice."""
    assert len(MESSAGES) >= 220
    assert len({message["text"] for message in MESSAGES}) == len(MESSAGES)


def test_every_message_is_a_source_message_with_a_text() -> None:
    """A message of the file is refused by nothing."""
    for message in MESSAGES:
        assert SourceMessage.model_validate(message).text == message["text"]
        assert message["text"].strip(), message


def test_messages_are_of_many_kinds() -> None:
    """The file has what real streams have: long and short, languages, shouting, entities, keys."""
    texts = [message["text"] for message in MESSAGES]
    assert len({message.get("source") for message in MESSAGES}) >= 10
    assert sum(len(text.split()) > 600 for text in texts) >= 6
    assert len({m["lang"] for m in MESSAGES if "lang" in m}) >= 10
    assert {type(m.get("id")) for m in MESSAGES} == {int, str, type(None)}
    assert len({type(m.get("created_at")) for m in MESSAGES}) == 4
    known = {*SourceMessage.model_fields, "_key"}
    for present in (
        any("&quot;" in t or "&amp;" in t for t in texts),
        any("https://example." in t for t in texts),
        any("#" in t for t in texts),
        any("@" in t for t in texts),
        any(t.isupper() and len(t) > 30 for t in texts),
        any("oooo" in t for t in texts),
        any(unicodedata.category(character) == "So" for t in texts for character in t),
        any(set(m) - known for m in MESSAGES),
        any(isinstance(m.get("metadata"), dict) for m in MESSAGES),
    ):
        assert present


def test_some_authors_write_more_than_once() -> None:
    """Order within a key is only seen where keys repeat."""
    authors = Counter(message["_key"] for message in MESSAGES if "_key" in message)
    assert sum(count > 1 for count in authors.values()) >= 5


def test_the_generator_plays_every_message_before_it_repeats() -> None:
    """One round holds all messages; `_key` becomes the key and is not sent."""
    good = (play for play in records(MESSAGES) if play.reason is None)
    played = [decoded(play) for play in itertools.islice(good, len(MESSAGES))]
    assert all(isinstance(message, Message) for message in played)
    texts = [message.text for message in played if isinstance(message, Message)]
    assert sorted(texts) == sorted(message["text"] for message in MESSAGES)
    assert texts != [message["text"] for message in MESSAGES]
    assert not any("_key" in m.fields for m in played if isinstance(m, Message))
    keys = Counter(message.record.key for message in played)
    assert keys == Counter(m["_key"].encode() if "_key" in m else None for m in MESSAGES)


def test_the_same_seed_plays_the_same_records() -> None:
    """What one demo shows can be seen again in the next; another seed plays otherwise."""
    first = list(itertools.islice(records(MESSAGES, seed=1), 500))
    assert list(itertools.islice(records(MESSAGES, seed=1), 500)) == first
    assert list(itertools.islice(records(MESSAGES, seed=2), 500)) != first


@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: f"{kind.reason}")
@pytest.mark.parametrize("number", [0, 20, 55, 100])
def test_each_broken_kind_is_refused_for_its_reason(kind: Broken, number: int) -> None:
    """The service's own decoder finds in a broken record what the generator put there."""
    body = {name: value for name, value in MESSAGES[number].items() if name != "_key"}
    outcome = decoded(Play(None, kind.make(body)))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == kind.reason


def test_broken_kinds_are_all_that_input_can_cause() -> None:
    """Two reasons come from the engine and the output topic, which no input record decides."""
    ours = {Reason.ENGINE_ERROR, Reason.EVENT_TOO_LARGE}
    assert {kind.reason for kind in BROKEN} == set(Reason) - ours


def test_about_one_record_in_fifteen_is_broken_and_large_ones_are_rare() -> None:
    """The seeded sequence keeps to its shares."""
    played = list(itertools.islice(records(MESSAGES), 3000))
    broken = [play for play in played if play.reason is not None]
    assert BROKEN_SHARE / 2 < len(broken) / len(played) < BROKEN_SHARE * 2
    large = [play for play in played if len(play.value or b"") > 50_000]
    assert 0 < len(large) < len(broken) / 5
    assert any(play.headers for play in played)


def test_a_tombstone_has_a_key() -> None:
    """Without a key a null value would mean nothing."""
    seeded = random.Random(0)
    plays = [_broken(message, seeded) for message in MESSAGES * 2]
    keys = [play.key for play in plays if play.value is None]
    assert keys
    assert None not in keys


def test_the_demo_leaves_the_users_cluster_alone() -> None:
    """Address, topics and log-in of the settings do not reach the demo; the rest does."""
    given = Settings(
        kafka=KafkaSettings(
            bootstrap_servers="real:9093", input_topic="a", text_field="/body", group_id="mine"
        )
    )
    derived = _for_demo(given, "127.0.0.1:1")
    assert derived.kafka == KafkaSettings(
        bootstrap_servers="127.0.0.1:1",
        input_topic=INPUT_TOPIC,
        output_topic=OUTPUT_TOPIC,
        dead_letter_topic=DEAD_LETTER_TOPIC,
        group_id="demo",
    )
    assert derived.model_copy(update={"kafka": given.kafka}) == given


def test_the_broker_has_the_topics_before_anyone_asks() -> None:
    """The service refuses to start on topics that do not exist."""
    with demo_broker(["one", "two"]) as address:
        cluster = AdminClient({"bootstrap.servers": address}).list_topics(timeout=10)
        partitions = {name: len(topic.partitions) for name, topic in cluster.topics.items()}
    assert partitions == {"one": 4, "two": 4}


def test_the_board_counts_labels_and_reasons() -> None:
    """What was produced and has not come back is waiting."""
    board = Board(100.0)
    for _ in range(5):
        board.sent()
    board.event(an_event("POSITIVE"), 101.0)
    board.event(an_event("NEGATIVE"), 101.5)
    board.event(an_event("POSITIVE"), 102.0)
    board.dead_letter(letter_headers("not_json"), 102.5)
    assert (board.scored, board.dead_lettered, board.waiting) == (3, 1, 1)
    assert board.shares() == [("NEGATIVE", 1 / 3), ("POSITIVE", 2 / 3)]
    assert dict(board.reasons) == {"not_json": 1}
    assert board.last_outcome == 102.5


def test_the_rate_is_of_the_last_seconds() -> None:
    """The window slides; what is older, and the second that has just begun, do not count."""
    board = Board(0.0)
    assert board.rate_per_s(5.0) == 0.0
    for tenth in range(400):
        board.event(an_event(), tenth / 10)
    assert board.rate_per_s(40.0) == 10.0
    assert board.rate_per_s(40.0 + RATE_WINDOW_S / 2) == 5.0
    assert board.rate_per_s(1000.0) == 0.0


def test_latency_percentiles_are_of_the_last_messages() -> None:
    """Old latencies leave; without any there is no figure."""
    board = Board(0.0)
    assert board.latency_ms() is None
    for number in range(LATENCIES_MAX):
        board.event(an_event(latency_ms=5000.0 + number), 1.0)
    for number in range(LATENCIES_MAX):
        board.event(an_event(latency_ms=float(number)), 2.0)
    assert board.latency_ms() == pytest.approx((499.5, 949.05, 989.01))


def test_the_board_is_bounded() -> None:
    """Whatever comes, the view keeps a few messages and seconds."""
    board = Board(0.0)
    for number in range(3000):
        board.event(an_event(text="long " * 1000, source={"deep": ["x"] * 1000}), number / 2)
        board.dead_letter(letter_headers("not_json", "d" * 500), number / 2)
    assert len(board.messages) == MESSAGES_SHOWN
    assert len(board.letters) == LETTERS_SHOWN
    assert len(board._latencies_ms) == LATENCIES_MAX
    assert len(board._seconds) == RATE_WINDOW_S + 1
    assert max(len(value) for value in board.messages[0][2:]) <= TEXT_CHARACTERS_MAX


@given(st.text())
def test_printable_text_is_one_line_that_a_terminal_does_not_obey(text: str) -> None:
    """No control characters, no line breaks, no marks that change the direction of writing."""
    line = printable(text)
    assert len(line.splitlines()) <= 1
    bidirectional = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    for character in line:
        assert unicodedata.category(character) != "Cc"
        assert unicodedata.bidirectional(character) not in bidirectional


def test_printable_keeps_what_people_write() -> None:
    """Emoji joined from several characters and writing from right to left stay whole."""
    assert printable(" 👩‍🔧 שלום\n\x1b[31mred\u202e ") == "👩‍🔧 שלום [31mred"


def test_the_picture_takes_texts_as_they_are() -> None:
    """Markup of rich within a message is text, and a long text does not take a second line."""
    board = Board(0.0)
    board.sent()
    board.event(an_event(text="[bold]not markup[/bold] " + "x" * 500, source="[red]"), 1.0)
    board.dead_letter(letter_headers("too_deep", "nested [/] deep"), 1.0)
    board.address = "http://localhost:1/metrics"
    lines = drawn(picture(board, 2.0, 40)).splitlines()
    assert all(len(line) <= 100 for line in lines)
    (line,) = [line for line in lines if "not markup" in line]
    assert "0.970 positive  [red]             [bold]not markup[/bold] xxx" in line
    for expected in ("nested [/] deep", "bundled · plain · float32", board.address):
        assert any(expected in line for line in lines)


@pytest.mark.parametrize("height", [24, 30, 60])
def test_the_picture_fits_the_terminal(height: int) -> None:
    """The last line of the view is never pushed out of sight."""
    board = Board(0.0)
    for number in range(30):
        board.event(an_event(text=f"text {number}"), 1.0)
        board.dead_letter(letter_headers("not_json"), 1.0)
    assert len(drawn(picture(board, 2.0, height)).splitlines()) <= height


def test_a_line_for_pipes_has_all_figures() -> None:
    """One line, without control codes."""
    board = Board(0.0)
    for _ in range(4):
        board.sent()
    board.event(an_event(), 1.0)
    board.event(an_event("NEGATIVE"), 1.0)
    board.dead_letter(letter_headers("not_json"), 1.0)
    assert status_line(board, 3.0) == (
        "3 s  1/s  scored 2  dead 1  waiting 1  p50 12 p95 12 p99 12 ms  negative 50%  positive 50%"
    )


@pytest.mark.parametrize(
    ("produced", "expected"),
    [
        (2, "every message accounted for"),
        (5, "3 messages had not come back"),
        (1, "1 more came back than were produced"),
    ],
)
def test_the_summary_says_whether_every_message_came_back(produced: int, expected: str) -> None:
    """Nothing is called complete that is not."""
    board = Board(0.0)
    board.start(10.0)
    for _ in range(produced):
        board.sent()
    board.event(an_event(), 11.0)
    board.dead_letter(letter_headers("not_utf8"), 12.0)
    shown = drawn(summary(board))
    assert expected in shown
    for figure in ("positive", "100.0%", "not_utf8", "2.0 s", "1.0 messages/s", "12.0 / 12.0"):
        assert figure in shown


def test_the_summary_of_nothing_is_one_line() -> None:
    """Ended while the model was loading, there is nothing to account for."""
    assert drawn(summary(Board(time.monotonic()))) == "the demo ended before a message was played\n"
