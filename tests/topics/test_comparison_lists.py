"""Comparing topics: which events are of one message, and which are doubled."""

from __future__ import annotations

import json

import pytest

from service.topics import comparison as module
from service.topics.comparison import Comparison


def _event(index: int | None, score: float, timestamp: int | None = None) -> bytes:
    origin = {"topic": "in", "partition": 0, "offset": 7, "timestamp": timestamp}
    event = {
        "source_id": None,
        "text": None,
        "label": "POSITIVE" if score >= 0.5 else "NEGATIVE",
        "scores": {"NEGATIVE": 1 - score, "POSITIVE": score},
        "model": {"name": "m", "revision": "r", "precision": "float32", "engine": "e"},
        "origin": origin if index is None else {**origin, "index": index},
    }
    return json.dumps(event).encode()


def test_elements_of_a_record_are_told_apart() -> None:
    """By their index; an event without one is a single message's, as before."""
    comparison = Comparison(("a", "b"), 10)
    for index, score in ((0, 0.9), (1, 0.1), (None, 0.6)):
        comparison.add(0, _event(index, score))
    for index, score in ((1, 0.2), (None, 0.6), (0, 0.9)):
        comparison.add(1, _event(index, score))
    figures = comparison.figures()
    assert 3 == figures["joined"]
    assert 0 == sum(side.repeats for side in comparison.sides)
    assert {"topic": "in", "partition": 0, "offset": 7, "index": 1} == (
        figures["shifted_examples"][0]["origin"]
    )


@pytest.mark.parametrize("sides", [(0, 1, 0, 1), (0, 0, 1, 1), (1, 0, 0, 1), (0, 1, 1, 0)])
def test_a_message_whose_events_are_doubled_on_both_sides_counts_once(
    sides: tuple[int, ...],
) -> None:
    """At least once, each side may publish it again; in whatever order they come."""
    comparison = Comparison(("a", "b"), 10)
    for side in sides:
        comparison.add(side, _event(None, (0.9, 0.1)[side]))
    assert (1, [1, 1]) == (comparison.joined, [side.repeats for side in comparison.sides])
    assert [0, 0] == [side["without_other_half"] for side in comparison.figures()["sides"]]


def test_a_topic_that_is_made_anew_has_other_messages() -> None:
    """At the same offsets."""
    comparison = Comparison(("a", "b"), 10)
    for timestamp in (1, 2):
        for side in (0, 1):
            comparison.add(side, _event(None, 0.9, timestamp))
    assert (2, [0, 0]) == (comparison.joined, [side.repeats for side in comparison.sides])


def test_few_of_the_joined_messages_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last ones: what is published again comes soon."""
    monkeypatch.setattr(module, "JOINED_MAX", 2)
    comparison = Comparison(("a", "b"), 10)
    for index in (0, 1, 2, 2, 0):
        for side in (0, 1):
            comparison.add(side, _event(index, 0.9))
    assert (4, [1, 1]) == (comparison.joined, [side.repeats for side in comparison.sides])
