"""The demo's parts without the service: its messages and the generator's records."""

from __future__ import annotations

import itertools
import random
import re
import unicodedata
from collections import Counter

import pytest
from confluent_kafka.admin import AdminClient

from service.demo import DEAD_LETTER_TOPIC, INPUT_TOPIC, OUTPUT_TOPIC, _for_demo
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
from service.records import Decoded, Message, Partition, Reason, Record, Rejected
from service.settings import KafkaSettings, Settings
from service.wire.contracts import SourceMessage
from tools.decoding import decoded as decoded_record
from tools.decoding import decoder

MESSAGES = load_messages()
DECODER = decoder(bytes_max=Settings().model.text_bytes_max)


def decoded(play: Play) -> Decoded:
    """What the service makes of a record of the generator."""
    return decoded_record(
        Record(
            partition=Partition(INPUT_TOPIC, 0),
            offset=0,
            timestamp_ms=0,
            key=play.key,
            value=play.value,
            headers=play.headers,
            epoch=0,
            polled_at=0.0,
        ),
        DECODER,
    )


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
        # What an opinion is read from, or is not: ratings, questions, and what ends a letter.
        any(re.fullmatch(r"\d+/10", t) for t in texts),
        any("★" in t for t in texts),
        sum(t.endswith("?") for t in texts) > 10,
        sum(bool(re.search(r"([Tt]hanks|regards|Best|Sincerely),\n", t)) for t in texts) >= 5,
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
    """The others are of the engine, the output topic, and what the demo does not have."""
    ours = {Reason.ENGINE_ERROR, Reason.EVENT_TOO_LARGE}
    # A policy, and a registry.
    ours |= {Reason.OTHER_LANGUAGE, Reason.SCHEMA_ERROR}
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
    assert given.model.repeats_max > 0
    derived = _for_demo(given, "127.0.0.1:1")
    assert derived.kafka == KafkaSettings(
        bootstrap_servers="127.0.0.1:1",
        input_topic=INPUT_TOPIC,
        output_topic=OUTPUT_TOPIC,
        dead_letter_topic=DEAD_LETTER_TOPIC,
        group_id="demo",
        tombstones="dead_letter",
    )
    assert 0 == derived.model.repeats_max
    assert derived.http.page
    assert derived.http.score
    # Its broker cannot fence.
    assert derived.delivery.mode == "at_least_once"
    ours = {
        "kafka": given.kafka,
        "model": given.model,
        "http": given.http,
        "delivery": given.delivery,
    }
    assert derived.model_copy(update=ours) == given


def test_the_broker_has_the_topics_before_anyone_asks() -> None:
    """The service refuses to start on topics that do not exist."""
    with demo_broker(["one", "two"]) as address:
        cluster = AdminClient({"bootstrap.servers": address}).list_topics(timeout=10)
        partitions = {name: len(topic.partitions) for name, topic in cluster.topics.items()}
    assert partitions == {"one": 4, "two": 4}
