"""What the live page is told of: what is counted, what is kept, and that both are bounded."""

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
from service.records import Message, Outcome, Reason, Unscored, Verdict
from tools.values import record, rejected, verdict

BUDGET_MS = 100.0


def a_feed(include_text: bool = True) -> Feed:
    """An empty one."""
    return Feed(BUDGET_MS, include_text)


def a_verdict(
    text: str = "fine", label: str = "POSITIVE", *, confident: bool = True, **fields: Any
) -> Verdict:
    """A scored message."""
    one = verdict()
    document = replace(one.document, message=Message(record(), text, fields))
    reading = replace(one.reading, label=label, confident=confident)
    return replace(one, document=document, reading=reading)


def polled(outcome: Outcome, at: float) -> Outcome:
    """The same, polled at a reading of the monotonic clock."""
    changed = replace(outcome.record, polled_at=at)
    if isinstance(outcome, Verdict):
        message = replace(outcome.document.message, record=changed)
        return replace(outcome, document=replace(outcome.document, message=message))
    if isinstance(outcome, Unscored):
        return replace(outcome, message=replace(outcome.message, record=changed))
    return replace(outcome, record=changed)


def test_what_is_published_is_told_once_its_beat_is_over() -> None:
    """A message with its score, a dead letter with its reason; each once, to whoever takes."""
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


def test_a_second_is_told_when_it_is_over() -> None:
    """Counts by label and reason, latencies, how many were late, batches by size."""
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


def test_a_second_without_anything_is_not_told() -> None:
    """Silence takes no room."""
    feed = a_feed()
    feed.published(a_verdict(), 0.0, 10.0)
    assert [second["at"] for second in feed.take(50.0)["seconds"]] == [10]
    assert feed.take(90.0)["seconds"] == []


def test_texts_stay_where_events_do_not_hold_them() -> None:
    """Without include_text none leaves, and the rest does."""
    feed = a_feed(include_text=False)
    feed.published(a_verdict("a secret"), 0.0, 10.0)
    [message] = feed.take(11.0)["messages"]
    assert message["text"] is None
    assert "secret" not in json.dumps(feed.snapshot())


def test_long_texts_and_odd_sources_are_cut() -> None:
    """A producer may send anything of any size as its `source`."""
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
    outcomes: list[tuple[Outcome, float, bool]], repeats: int
) -> None:
    """Whatever comes at whatever rate: few of each are told, all of them are counted."""
    feed, now = a_feed(), 100.0
    told = 0
    for outcome, pause_s, taken in outcomes:
        now += pause_s
        for _ in range(repeats):
            feed.published(outcome, now, now)
        if taken:
            told += sum(len(second["latency"]) for second in feed.take(now)["seconds"])
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
def test_a_beat_tells_a_few_in_their_order(count: int) -> None:
    """A fair sample of the beat, not its first or its last ones."""
    feed = a_feed()
    for number in range(count):
        feed.published(a_verdict(f"{number}") if number % 2 else rejected(Reason.NOT_JSON), 0, 10.0)
    new = feed.take(11.0)
    assert len(new["messages"]) == min(MESSAGES_MAX, count // 2)
    assert len(new["letters"]) == min(LETTERS_MAX, -(-count // 2))
    numbers = [message["number"] for message in new["messages"]]
    assert numbers == sorted(set(numbers))


def test_each_message_of_a_beat_is_as_likely_to_be_told() -> None:
    """Over many beats, the first half is told as often as the second."""
    feed, first = a_feed(), 0
    for beat in range(400):
        for number in range(100):
            feed.published(a_verdict(str(number)), 0.0, 10.0 + beat)
        first += sum(int(m["text"]) < 50 for m in feed.take(11.0 + beat)["messages"])
    assert 0.45 < first / (400 * MESSAGES_MAX) < 0.55


@given(st.floats(0, 90_000))
def test_a_latency_is_told_within_seven_per_cent(latency_ms: float) -> None:
    """From one millisecond to a minute and a half; beyond, as much."""
    feed = a_feed()
    feed.published(polled(a_verdict(), 1000.0 - latency_ms / 1000), 0.0, 1000.0)
    [[told, count]] = feed.take(1002.0)["seconds"][0]["latency"]
    assert count == 1
    if 1 <= latency_ms <= LATENCY_MS[-1]:
        assert abs(told - latency_ms) <= 0.08 * latency_ms
