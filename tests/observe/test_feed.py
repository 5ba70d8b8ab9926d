"""The feed of the live page: what is counted, what is kept, and that both are bounded."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.observe.feed import (
    BEAT_S,
    LABELS_MAX,
    LATENCY_MS,
    LETTERS_MAX,
    MESSAGES_MAX,
    NAME_CHARACTERS_MAX,
    RECENT_LETTERS_MAX,
    RECENT_MESSAGES_MAX,
    SECONDS_MAX,
    TEXT_CHARACTERS_MAX,
    Feed,
)
from service.records import Message, Published, Reason, Unscored, Verdict
from tools.values import record, rejected, verdict

BUDGET_MS = 100.0


def a_feed(include_text: bool = True) -> Feed:
    """An empty feed."""
    return Feed(BUDGET_MS, include_text)


def a_verdict(
    text: str = "fine", label: str = "POSITIVE", *, confident: bool = True, **fields: Any
) -> Verdict:
    """A scored message."""
    one = verdict()
    document = replace(one.document, message=Message(record(), text, fields))
    reading = replace(one.reading, label=label, confident=confident)
    return replace(one, document=document, reading=reading)


def polled(outcome: Published, at: float) -> Published:
    """The same outcome, polled at this reading of the monotonic clock."""
    changed = replace(outcome.record, polled_at=at)
    if isinstance(outcome, Verdict):
        message = replace(outcome.document.message, record=changed)
        return replace(outcome, document=replace(outcome.document, message=message))
    if isinstance(outcome, Unscored):
        return replace(outcome, message=replace(outcome.message, record=changed))
    return replace(outcome, record=changed)


def test_outcomes_are_returned_once_after_their_beat() -> None:
    """A message with its score, a dead letter with its reason."""
    feed = a_feed()
    feed.published(polled(a_verdict("so good", source="survey"), 9.98), 1_700_000_000.5, 10.0)
    feed.published(polled(rejected(Reason.NOT_JSON, 7), 9.9), 1_700_000_000.5, 10.2)
    assert feed.take(10.3)["messages"] == []

    new = feed.take(10.0 + BEAT_S)

    assert new["messages"] == [
        {
            "number": 1, "at": 1_700_000_000_500, "latency_ms": 20.0, "topic": "in", "partition": 0,
            "offset": 0, "label": "POSITIVE", "score": 0.75, "confident": True, "language": None,
            "source": "survey", "text": "so good",
        }
    ]  # fmt: skip
    assert new["letters"] == [
        {
            "number": 2, "at": 1_700_000_000_500, "latency_ms": 300.0, "topic": "in",
            "partition": 0, "offset": 7, "reason": "not_json", "stage": "decode",
            "detail": "detail",
        }
    ]  # fmt: skip
    assert feed.take(10.0 + 2 * BEAT_S)["messages"] == []
    assert feed.snapshot()["messages"] == new["messages"]


def test_a_second_is_returned_when_it_is_completed() -> None:
    """Counts by label and reason, latencies, the number of late outcomes, batches by size."""
    feed = a_feed()
    for number in range(3):
        feed.published(polled(a_verdict(), 9.98), 0.0, 10.0 + number / 10)
    unsure = a_verdict(label="NEUTRAL", confident=False)
    feed.published(polled(unsure, 9.98), 0.0, 10.9)
    unscored = Unscored(Message(record(), "bien", {}), "fr")
    feed.published(polled(unscored, 9.98), 0.0, 10.9)
    feed.published(rejected(Reason.NOT_JSON), 0.0, 10.9)
    feed.batches({"2": 1, "4": 1}, 10.9)
    feed.batches({"2": 3, "4": 1}, 10.95)
    assert feed.take(10.99)["seconds"] == []

    [second] = feed.take(11.0)["seconds"]

    latencies = second.pop("latency")
    assert sum(count for _, count in latencies) == 6
    assert second == {
        "at": 10, "labels": {"POSITIVE": 3, "NEUTRAL": 1, "": 1}, "unsure": 1,
        "letters": {"not_json": 1}, "late": 5, "batches": {"2": 3, "4": 1},
    }  # fmt: skip
    assert feed.totals() == {
        "labels": {"POSITIVE": 3, "NEUTRAL": 1, "": 1},
        "letters": {"not_json": 1},
    }


def test_empty_seconds_are_left_out() -> None:
    """They take no space."""
    feed = a_feed()
    feed.published(a_verdict(), 0.0, 10.0)
    assert [second["at"] for second in feed.take(50.0)["seconds"]] == [10]
    assert feed.take(90.0)["seconds"] == []


def test_texts_are_left_out_if_events_do_not_hold_them() -> None:
    """Without include_text the feed returns everything but texts."""
    feed = a_feed(include_text=False)
    feed.published(a_verdict("a secret"), 0.0, 10.0)
    [message] = feed.take(11.0)["messages"]
    assert message["text"] is None
    assert "secret" not in json.dumps(feed.snapshot())


def test_long_texts_and_sources_are_cut() -> None:
    """A producer may send a `source` of any type and size."""
    feed = a_feed()
    sent: list[Any] = ["s" * 1000, {"deep": ["x"] * 1000}, 10**5000, None]
    for source in sent:
        feed.published(a_verdict("t" * 100_000, source=source), 0.0, 10.0)
    messages = feed.take(11.0)["messages"]
    assert {len(message["text"]) for message in messages} == {TEXT_CHARACTERS_MAX}
    sources = [message["source"] for message in messages]
    assert sources == ["s" * (NAME_CHARACTERS_MAX - 1) + "…", None, None, None]


@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.text(max_size=5).map(lambda label: a_verdict("x" * 1000, label)),
                st.integers(0, 200).map(lambda number: a_verdict(label=f"label {number}")),
                st.sampled_from(list(Reason)).map(rejected),
            ),
            st.floats(0, 40, allow_nan=False),
            st.booleans(),
        ),
        max_size=300,
    ),
    st.integers(1, 50),
)
def test_everything_is_bounded_and_counted(
    outcomes: list[tuple[Published, float, bool]], repeats: int
) -> None:
    """With any outcomes at any rate: few of them are kept, all are counted."""
    feed, now = a_feed(), 100.0
    for outcome, pause_s, taken in outcomes:
        now += pause_s
        for _ in range(repeats):
            feed.published(outcome, now, now)
        if taken:
            feed.take(now)
    feed.take(now + 2)
    known = feed.snapshot()
    assert len(known["messages"]) <= RECENT_MESSAGES_MAX
    assert len(known["letters"]) <= RECENT_LETTERS_MAX
    assert len(known["seconds"]) <= SECONDS_MAX
    for second in known["seconds"]:
        assert len(second["labels"]) <= LABELS_MAX + 1
        assert len(second["latency"]) <= len(LATENCY_MS) + 1
    totals = feed.totals()
    assert len(totals["labels"]) <= LABELS_MAX + 1
    counted = sum(totals["labels"].values()) + sum(totals["letters"].values())
    assert counted == len(outcomes) * repeats
    assert len(json.dumps(known)) < 100_000


@given(st.integers(0, 5000))
def test_a_beat_keeps_a_few_in_order(count: int) -> None:
    """A bounded sample of the beat, sorted by number."""
    feed = a_feed()
    for number in range(count):
        feed.published(a_verdict(f"{number}") if number % 2 else rejected(Reason.NOT_JSON), 0, 10.0)
    new = feed.take(11.0)
    assert len(new["messages"]) == min(MESSAGES_MAX, count // 2)
    assert len(new["letters"]) == min(LETTERS_MAX, -(-count // 2))
    numbers = [message["number"] for message in new["messages"]]
    assert numbers == sorted(set(numbers))


def test_each_message_of_a_beat_is_equally_likely_to_be_kept() -> None:
    """Over many beats, the first half is kept as often as the second."""
    feed, first = a_feed(), 0
    for beat in range(400):
        for number in range(100):
            feed.published(a_verdict(str(number)), 0.0, 10.0 + beat)
        first += sum(int(m["text"]) < 50 for m in feed.take(11.0 + beat)["messages"])
    assert 0.45 < first / (400 * MESSAGES_MAX) < 0.55


@given(st.floats(0, 90_000))
def test_a_latency_is_accurate_to_eight_per_cent(latency_ms: float) -> None:
    """From one millisecond to a minute and a half."""
    feed = a_feed()
    feed.published(polled(a_verdict(), 1000.0 - latency_ms / 1000), 0.0, 1000.0)
    [[reported, count]] = feed.take(1002.0)["seconds"][0]["latency"]
    assert count == 1
    if 1 <= latency_ms <= LATENCY_MS[-1]:
        assert abs(reported - latency_ms) <= 0.08 * latency_ms
